"""A model folder that applies a cure.

`debias.json` says what was done; `open_encoder` reads it. What else is there depends on the base:

- A sentence-transformers model and `project`: a plain sentence-transformers model with one more layer, usable without
  isogloss.
- A sentence-transformers model and `centre` or `shift`: the base in the subfolder `base`, the means in
  `debias-means.npy`. These depend on a text's language, of which a layer of sentence-transformers hears nothing: it
  gets token ids and vectors. A class of ours could detect it, but since version 6 sentence-transformers loads classes
  of other packages with `trust_remote_code=True` alone. So the folder itself holds no model: nobody takes it for a
  cured one and gets the uncured one.
- An endpoint, an ONNX export, stored vectors: the cure alone, and in `debias.json` where the base is.

Where the base came with a card and a recipe of `isogloss train`, both are copied to `base-card`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from isogloss.encoding.debias.card import card
from isogloss.encoding.debias.cures import METHODS, Cure
from isogloss.encoding.debias.encoder import DebiasedEncoder
from isogloss.encoding.encoder import Encoder, SentenceTransformerEncoder
from isogloss.encoding.precomputed import SCHEME as VECTORS
from isogloss.errors import ModelError
from isogloss.files import finished_folder

RECORD = "debias.json"
BASE_CARD = "base-card"
BASE = "base"
MEANS = "debias-means.npy"
_DIRECTIONS = "debias-directions.npy"
_FORMAT = 1
_SAID = ("method", "base", "fitted_on", "languages", "directions", "reference")


def save_cured(base: Encoder, cure: Cure, fitted_on: Mapping[str, Any], output: Path) -> None:
    """Write a model folder, whole or not at all.

    Args:
        base: the model.
        cure: what is done to its vectors.
        fitted_on: name, checksum and number of texts of the data that the cure was fitted on.
        output: the new folder.

    Raises:
        OutputError: it exists or cannot be written.
    """
    described = base.describe()
    own = isinstance(base, SentenceTransformerEncoder) and _has_weights(base)
    record = {
        "format": _FORMAT,
        "method": cure.method,
        "base": base.name,
        "source": None if own else _anchored(base.name),
        "prompts": {"query": described["query_prompt"], "passage": described["passage_prompt"]},
        "fitted_on": dict(fitted_on),
        "languages": list(cure.languages),
        "directions": len(cure.directions),
        "reference": cure.reference,
    }
    with finished_folder(output) as folder:
        if isinstance(base, SentenceTransformerEncoder) and own:
            base.model.prompts = {"query": base.prompts.query, "document": base.prompts.passage}
            base.model.default_prompt_name = None
            if cure.needs_language:
                base.model.save_pretrained(str(folder / BASE), create_model_card=False)
            else:
                _projected(base, cure).save_pretrained(str(folder), create_model_card=False)
        if cure.needs_language or not own:
            np.save(folder / MEANS, cure.means)
        if not cure.needs_language and not own:
            np.save(folder / _DIRECTIONS, cure.directions)
        cards = [Path(base.name).expanduser() / name for name in ("README.md", "recipe.toml")]
        if all(one.is_file() for one in cards):
            (folder / BASE_CARD).mkdir()
            for one in cards:
                shutil.copyfile(one, folder / BASE_CARD / one.name)
        (folder / RECORD).write_text(
            json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
        )
        (folder / "README.md").write_text(card(record), encoding="utf-8")


def is_cured(folder: Path) -> bool:
    """Return whether a folder holds a model with a cure."""
    return (folder / RECORD).is_file()


def load_cured(folder: Path, open_base: Callable[..., Encoder], **options: Any) -> DebiasedEncoder:
    """Load a folder that `save_cured` wrote.

    Args:
        folder: the folder.
        open_base: opens a base, as `open_encoder` does, without looking for a cure.
        **options: those of `open_encoder`.

    Raises:
        ModelError: something is missing or broken.
        OutputError: as `open_encoder`.
        RecipeError: an option makes no sense for the base.
    """
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["format"] != _FORMAT or record["method"] not in METHODS:
            raise ModelError(f"{path}: not a cure that this isogloss knows; fit it anew with isogloss debias")
        said = {key: record[key] for key in _SAID}
        source, prompts = record["source"], record["prompts"]
        saved_prompts = {f"{side}_prompt": prompts[side] for side in ("query", "passage")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path}: not the record of a cure: {error}; fit it anew with isogloss debias"
        ) from error
    options = {**saved_prompts, **{key: value for key, value in options.items() if value is not None}}
    if source is not None:
        base = open_base(source, **options)
        return DebiasedEncoder(base, _read_cure(folder, said), str(folder), said)
    if record["method"] == "project":
        return DebiasedEncoder(open_base(folder, **options), None, str(folder), said)
    base = open_base(folder / BASE, **options)
    return DebiasedEncoder(base, _read_cure(folder, said), str(folder), said)


def _read_cure(folder: Path, said: Mapping[str, Any]) -> Cure:
    languages, reference = tuple(said["languages"]), said["reference"]
    means = _read_numbers(folder / MEANS, len(languages))
    directions = means[:0]
    if said["method"] == "project":
        directions = _read_numbers(folder / _DIRECTIONS, said["directions"])
    if directions.shape[1] != means.shape[1] or not (reference is None or reference in languages):
        raise ModelError(f"{folder}: the parts of the cure do not belong together; fit it anew")
    return Cure(said["method"], languages, means, directions, reference)


def _read_numbers(path: Path, rows: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    try:
        numbers = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read: {error}; fit the cure anew") from error
    if numbers.dtype != np.float32 or numbers.ndim != 2 or len(numbers) != rows:
        raise ModelError(f"{path}: not {rows} vectors in float32; fit the cure anew")
    if not np.isfinite(numbers).all():
        raise ModelError(f"{path}: holds numbers that are not finite; fit the cure anew")
    return np.asarray(numbers, dtype=np.float32)


def _has_weights(base: SentenceTransformerEncoder) -> bool:
    """Whether the model can be saved: not where its arithmetic is done elsewhere, of an export or in 8 bits."""
    return base.converted_from is None and next(iter(base.model.parameters()), None) is not None


def _anchored(name: str) -> str:
    """The name of a base so that it is found from any folder."""
    scheme = VECTORS if name.startswith(VECTORS) else ""
    path = Path(name.removeprefix(scheme)).expanduser()
    return f"{scheme}{path.resolve()}" if path.exists() else name


def _projected(base: SentenceTransformerEncoder, cure: Cure) -> Any:
    """The base with a layer that projects, and one that brings vectors back to unit length."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize

    size = cure.means.shape[1]
    layer = Dense(in_features=size, out_features=size, bias=False, activation_function=torch.nn.Identity())
    # In double precision, so that what is removed twice is gone after the first time.
    directions = torch.from_numpy(cure.directions.astype(np.float64))
    layer.linear.weight.data = (torch.eye(size, dtype=torch.float64) - directions.T @ directions).float()
    modules = [*base.model, layer.to(base.model.device), Normalize()]
    return SentenceTransformer(
        modules=modules,
        device=str(base.model.device),
        prompts=base.model.prompts,
        similarity_fn_name="cosine",
    )
