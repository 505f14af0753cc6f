"""A saved sentence-transformers folder, rewritten so that versions before 6 read it too.

optimum-onnx, through which sentence-transformers runs ONNX, wants transformers 4, which sentence-transformers 6 does
not run with: an export is opened there by version 5 or none. Version 6 reads the older form as well.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_POOLING = {
    "cls": "cls_token",
    "max": "max_tokens",
    "mean": "mean_tokens",
    "mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "weightedmean": "weightedmean_tokens",
    "lasttoken": "lasttoken",
}
_DENSE = ("in_features", "out_features", "bias", "activation_function")
_TOKENIZER_OF_5 = "TokenizersBackend"


def write_older_form(folder: Path, max_length: int | None) -> None:
    """Rewrite the configurations of a folder that sentence-transformers 6 saved.

    A module with settings that the older form cannot say keeps its own, and only version 6 reads the folder.

    Args:
        folder: holds `modules.json`; its transformer lies in the folder itself.
        max_length: tokens after which texts are cut.
    """
    modules = _read(folder / "modules.json")
    for module in modules:
        kind = module["type"].rpartition(".")[2]
        module["type"] = f"sentence_transformers.models.{kind}"
        path = folder / module["path"] / "config.json"
        if kind == "Pooling":
            _write(path, _pooling(_read(path)))
        elif kind == "Dense":
            _write(path, _dense(_read(path)))
    _write(folder / "modules.json", modules)
    _write(folder / "sentence_bert_config.json", {"max_seq_length": max_length, "do_lower_case": False})
    path = folder / "tokenizer_config.json"
    tokenizer = _read(path)
    if tokenizer.get("tokenizer_class") == _TOKENIZER_OF_5:
        # The same class, by the name that both versions of transformers know.
        _write(path, {**tokenizer, "tokenizer_class": "PreTrainedTokenizerFast"})


def _pooling(settings: dict[str, Any]) -> dict[str, Any]:
    modes = settings["pooling_mode"]
    modes = [modes] if isinstance(modes, str) else modes
    # The older form has their order fixed.
    if list(modes) != [mode for mode in _POOLING if mode in modes]:
        return settings
    return {
        "word_embedding_dimension": settings["embedding_dimension"],
        **{f"pooling_mode_{older}": mode in modes for mode, older in _POOLING.items()},
        "include_prompt": settings.get("include_prompt", True),
    }


def _dense(settings: dict[str, Any]) -> dict[str, Any]:
    usual = {settings.get(f"module_{side}_name") for side in ("input", "output")} <= {
        None,
        "sentence_embedding",
    }
    return {key: settings[key] for key in _DENSE if key in settings} if usual else settings


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
