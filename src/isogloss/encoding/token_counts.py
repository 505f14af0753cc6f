"""How many tokens a model makes of a text."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from isogloss.encoding.loading import resolve_model
from isogloss.endpoints.hub import only_here
from isogloss.errors import ModelError


def token_counter(model: str | Path) -> Callable[[Sequence[str]], list[int]]:
    """A function that counts the tokens of texts as a model's tokenizer makes them, special tokens included, uncut.

    Args:
        model: as `resolve_model` takes it; its weights are not read.

    Raises:
        ModelError: there is no such model, or it has no tokenizer.
    """
    resolved = resolve_model(model)
    local = Path(resolved).is_dir()
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(
            str(_tokenizer_folder(Path(resolved))) if local else resolved,
            local_files_only=only_here(resolved),
        )
    except Exception as error:  # the libraries below raise many kinds for one thing: there is no tokenizer
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(f"{model}: cannot load the tokenizer: {first_line}") from error

    def count(texts: Sequence[str]) -> list[int]:
        if not texts:
            return []
        encoded = tokenizer(
            list(texts), truncation=False, padding=False, return_attention_mask=False, verbose=False
        )
        return [len(ids) for ids in encoded["input_ids"]]

    return count


def _tokenizer_folder(folder: Path) -> Path:
    """The folder of the transformer in a sentence-transformers folder: mostly the same."""
    modules = folder / "modules.json"
    if (folder / "tokenizer_config.json").is_file() or not modules.is_file():
        return folder
    try:
        return folder / str(json.loads(modules.read_text(encoding="utf-8"))[0]["path"])
    except (ValueError, LookupError, TypeError):
        return folder
