"""From a model's name or folder to a loaded sentence-transformers model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from isogloss.encoding.offline_base import OFFLINE_MODELS
from isogloss.encoding.prompts import Prompts, known_prompts, saved_prompts
from isogloss.endpoints.hub import hub_address, only_here
from isogloss.errors import ModelError, RecipeError
from isogloss.files import cache_folder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_CONFIGURATIONS = ("modules.json", "config.json", "config_sentence_transformers.json")


def model_cache() -> Path:
    """Return the folder where fetched models lie."""
    return cache_folder() / "models"


def resolve_model(model: str | Path) -> str:
    """Decide what a model argument means: a folder, a fetched offline model, or a name on the hub.

    Args:
        model: a folder; the name of an offline model (`OFFLINE_MODELS`); or a hub name such as ``xlm-roberta-base``.

    Returns:
        An absolute folder, or the hub name unchanged.

    Raises:
        ModelError: a folder that holds no model, a path that does not exist, or an offline model not fetched yet.
    """
    name = str(model)
    path = Path(name).expanduser()
    if not name.strip():
        raise ModelError("the model's name is empty; give a model folder or a hub name")
    if path.is_dir():
        if not is_model_folder(path):
            raise ModelError(
                f"{name}: the folder holds no model (none of {', '.join(_CONFIGURATIONS)} is in it); "
                "give a sentence-transformers or Hugging Face model folder"
            )
        return str(path.resolve())
    if name in OFFLINE_MODELS:
        cached = model_cache() / name
        if (cached / "modules.json").is_file():
            return str(cached)
        raise ModelError(
            f"{name} has not been made on this machine yet; make it with: isogloss model fetch {name}"
        )
    if path.exists():
        raise ModelError(f"{name}: not a folder; give a sentence-transformers or Hugging Face model folder")
    if name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name:
        raise ModelError(f"{name}: no such model folder")
    return name


def is_model_folder(path: Path) -> bool:
    """Tell whether a folder holds a sentence-transformers or Hugging Face model."""
    return any((path / configuration).is_file() for configuration in _CONFIGURATIONS)


def load_sentence_transformer(
    model: str | Path, *, device: str | None = None, max_length: int | None = None
) -> SentenceTransformer:
    """Load a model as a `SentenceTransformer`; a plain transformer gets mean pooling.

    A local folder is loaded without asking the hub for anything. Where the hub cannot be reached, a hub name is looked
    for in its client's cache alone, so that a mistyped name is said at once.

    Args:
        model: as `resolve_model` takes it.
        device: a torch device; None picks a GPU where there is one.
        max_length: tokens a text that the model will be asked to take; checked here, where the model is known.

    Raises:
        ModelError: it cannot be found or loaded.
        RecipeError: the device is not there, or texts of `max_length` tokens are longer than the model takes.
    """
    resolved = resolve_model(model)
    import torch
    from sentence_transformers import SentenceTransformer

    if device is not None:
        try:
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            reason = str(error).splitlines()[0]
            raise RecipeError(f"device: {device!r} cannot be used here: {reason}; try cpu") from error
    alone = only_here(resolved)
    try:
        loaded = SentenceTransformer(resolved, device=device, local_files_only=alone)
    except Exception as error:  # the libraries below raise many kinds for one thing: it is no usable model
        raise ModelError(f"{model}: cannot load the model: {_reason(error, resolved, alone)}") from error
    limit = loaded.max_seq_length
    if max_length is not None and limit is not None and max_length > limit:
        raise RecipeError(f"max_length: {max_length} tokens, but {model} takes {limit} at most")
    return loaded


def _reason(error: Exception, resolved: str, alone: bool) -> str:
    """Why a model could not be loaded, and what to do about it."""
    first_line = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    if Path(resolved).is_dir():
        hint = "check that the folder is a complete sentence-transformers or Hugging Face model"
    elif alone:
        hint = (
            f"no folder has this name, and the hub, {hub_address()}, is not reached: check the name or the network,"
            " or give the folder of a model on this machine"
        )
    else:
        hint = "check the name, or give the folder of a model on this machine"
    return f"{first_line}; {hint}"


def hub_base(model: str) -> str | None:
    """Return the hub name that a model is or was made from, for a model card; None where it is not known.

    A folder tells it in the header of its own card, if at all.
    """
    resolved = resolve_model(model)
    if not Path(resolved).is_dir():
        return resolved
    try:
        card = (Path(resolved) / "README.md").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    found = re.match(r"---\n(?:.*\n)*?base_model: *([^\s\[]+) *\n", card)
    return found[1] if found else None


def prompts_of(
    model: SentenceTransformer,
    name: str,
    *,
    query_prompt: str | None = None,
    passage_prompt: str | None = None,
) -> Prompts:
    """Decide a model's prompts: what the user gives, else what the model was saved with, else its family's.

    Args:
        model: the loaded model.
        name: the name or folder it was asked for by.
        query_prompt: given by the user; an empty string means none.
        passage_prompt: likewise.
    """
    default = saved_prompts(model.prompts) or known_prompts(name)
    return Prompts(
        default.query if query_prompt is None else query_prompt,
        default.passage if passage_prompt is None else passage_prompt,
    )
