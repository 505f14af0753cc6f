"""What a model's passage vectors depend on, so that vectors on disk are not mistaken for another model's."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from isogloss.errors import ModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from isogloss.encoding.encoder import Encoder

_NOT_OF_PASSAGES = ("query_prompt", "dimension")
"""The dimension, because an endpoint's is not known before its first vector."""


def passage_identity(encoder: Encoder) -> dict[str, Any]:
    """Describe what the vectors of passages depend on; equal descriptions, equal vectors up to rounding.

    Args:
        encoder: any encoder.

    Returns:
        Of a local model: `weights`, as `weights_digest` gives it, of the model that `load` found, whatever precision
        it was put into; `passage_prompt`; `max_length` in tokens; `precision`. Of a cured model: that of its base, and
        `cure`. Of any other encoder: what it says of itself, without what the passages' vectors do not depend on.

    Raises:
        ModelError: the local model holds no weights to tell it by.
    """
    from isogloss.encoding.debias.encoder import DebiasedEncoder
    from isogloss.encoding.encoder import SentenceTransformerEncoder

    if isinstance(encoder, DebiasedEncoder):
        return {**passage_identity(encoder.base), "cure": encoder.cure_digest()}
    if not isinstance(encoder, SentenceTransformerEncoder):
        return {key: value for key, value in encoder.describe().items() if key not in _NOT_OF_PASSAGES}
    weights = encoder.converted_from or weights_digest(encoder.model)
    if weights is None:
        raise ModelError(
            f"{encoder.name}: the model holds no weights, so its vectors could not be told from others"
        )
    return {
        "weights": weights,
        "passage_prompt": encoder.prompts.passage,
        "max_length": encoder.max_length or encoder.model.max_seq_length,
        "precision": encoder.precision,
    }


def weights_digest(model: SentenceTransformer) -> str | None:
    """Return a SHA-256 over the weights, their types, the tokenizer and the modules' settings; None without weights."""
    import torch

    digest = hashlib.sha256(repr(model).encode())
    digest.update(_tokenizer_settings(model.tokenizer).encode())
    any_weights = False
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
        any_weights |= tensor.is_floating_point()
    return digest.hexdigest() if any_weights else None


def _tokenizer_settings(tokenizer: Any) -> str:
    """The settings of a tokenizer, without those that its last call left behind."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return repr(tokenizer)
    settings = json.loads(backend.to_str())
    return json.dumps({**settings, "truncation": None, "padding": None}, sort_keys=True)
