"""A model folder that applies a cure.

`project` is a linear map: the folder is a plain sentence-transformers model with one more layer, usable without
isogloss. `centre` and `shift` depend on a text's language, which sentence-transformers does not know: the base lies in
the subfolder `base`, so that nobody takes the folder for a cured model and gets the uncured one. `debias.json` says in
both what was done; `open_encoder` reads it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from isogloss.encoding.debias.cures import METHODS, Cure
from isogloss.encoding.debias.encoder import DebiasedEncoder
from isogloss.encoding.encoder import SentenceTransformerEncoder
from isogloss.errors import ModelError
from isogloss.files import finished_folder

RECORD = "debias.json"
_MEANS = "debias-means.npy"
_FORMAT = 1


def save_cured(
    base: SentenceTransformerEncoder, cure: Cure, fitted_on: Mapping[str, Any], output: Path
) -> None:
    """Write a model folder, whole or not at all.

    Args:
        base: the model.
        cure: what is done to its vectors.
        fitted_on: name, checksum and number of texts of the data that the cure was fitted on.
        output: the new folder.

    Raises:
        OutputError: it exists or cannot be written.
    """
    record = {
        "format": _FORMAT,
        "method": cure.method,
        "base": base.name,
        "fitted_on": dict(fitted_on),
        "languages": list(cure.languages),
        "directions": len(cure.directions),
    }
    with finished_folder(output) as folder:
        base.model.prompts = {"query": base.prompts.query, "document": base.prompts.passage}
        base.model.default_prompt_name = None
        if cure.needs_language:
            base.model.save_pretrained(str(folder / "base"), create_model_card=False)
            np.save(folder / _MEANS, cure.means)
        else:
            _projected(base, cure).save_pretrained(str(folder), create_model_card=False)
        (folder / RECORD).write_text(
            json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
        )
        (folder / "README.md").write_text(_card(record), encoding="utf-8")


def is_cured(folder: Path) -> bool:
    """Return whether a folder holds a model with a cure."""
    return (folder / RECORD).is_file()


def load_cured(folder: Path, **options: Any) -> DebiasedEncoder:
    """Load a folder that `save_cured` wrote.

    Args:
        folder: the folder.
        **options: those of `SentenceTransformerEncoder.load`.

    Raises:
        ModelError: something is missing or broken.
    """
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["format"] != _FORMAT or record["method"] not in METHODS:
            raise ModelError(f"{path}: not a cure that this isogloss knows; fit it anew with isogloss debias")
        said = {key: record[key] for key in ("method", "base", "fitted_on", "languages", "directions")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path}: not the record of a cure: {error}; fit it anew with isogloss debias"
        ) from error
    if record["method"] == "project":
        return DebiasedEncoder(SentenceTransformerEncoder.load(folder, **options), None, str(folder), said)
    try:
        means = np.load(folder / _MEANS, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder / _MEANS}: cannot read the means: {error}; fit the cure anew") from error
    if means.ndim != 2 or len(means) != len(said["languages"]) or not np.isfinite(means).all():
        raise ModelError(
            f"{folder / _MEANS}: not a mean for each of {', '.join(said['languages'])}; fit the cure anew"
        )
    cure = Cure(record["method"], tuple(said["languages"]), means.astype(np.float32), means[:0])
    return DebiasedEncoder(
        SentenceTransformerEncoder.load(folder / "base", **options), cure, str(folder), said
    )


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


_PLAIN = """A plain sentence-transformers model: the cure is a linear layer.

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("this-folder")
```
"""
_BY_LANGUAGE = """The cure depends on a text's language, so that isogloss applies it: `isogloss evaluate folder`, or

```python
from isogloss import open_encoder

encoder = open_encoder("this-folder")
vectors = encoder.encode_in_languages(["Wie geht es?"], ["de"], "query")
```

`base/` is the model without the cure.
"""


def _card(record: Mapping[str, Any]) -> str:
    fitted, method = record["fitted_on"], record["method"]
    removed = f"; {record['directions']} directions removed" if record["directions"] else ""
    return f"""---
library_name: sentence-transformers
tags: [isogloss, debias-{method}]
language: [{", ".join(record["languages"])}]
---

# {record["base"]}, language taken out by `{method}`

{_PLAIN if method == "project" else _BY_LANGUAGE}
Fitted without training on {fitted["name"]} ({fitted["texts"]} texts, checksum {fitted["checksum"][:12]}) in
{", ".join(record["languages"])}{removed}.
"""
