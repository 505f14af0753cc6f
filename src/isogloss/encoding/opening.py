"""What a model argument means: one place decides it for every command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from isogloss.encoding.debias.saved import is_cured, load_cured
from isogloss.encoding.encoder import Encoder, SentenceTransformerEncoder
from isogloss.encoding.precision import check_precision


def open_encoder(
    model: str | Path,
    *,
    query_prompt: str | None = None,
    passage_prompt: str | None = None,
    max_length: int | None = None,
    token_budget: int | None = None,
    precision: str = "float32",
    device: str | None = None,
) -> Encoder:
    """Open whatever gives vectors.

    Args:
        model: a sentence-transformers name or folder, as `load_sentence_transformer` takes it.
        query_prompt: put before queries; None takes the model's own.
        passage_prompt: put before passages, likewise.
        max_length: tokens after which a text is cut; None keeps the model's own limit.
        token_budget: tokens a forward pass, padding included; None takes what is fast on the device.
        precision: one of `PRECISIONS`.
        device: a torch device; None picks a GPU where there is one.

    Raises:
        ModelError: it cannot be found, loaded or read.
        RecipeError: an option makes no sense for it.
    """
    options: dict[str, Any] = {
        "query_prompt": query_prompt,
        "passage_prompt": passage_prompt,
        "max_length": max_length,
        "token_budget": token_budget,
        "precision": check_precision(precision, device),
        "device": device,
    }
    if is_cured(folder := Path(model).expanduser()):
        return load_cured(folder, **options)
    return SentenceTransformerEncoder.load(model, **options)
