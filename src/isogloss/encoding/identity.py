"""What a model's passage vectors depend on, so that vectors on disk are not mistaken for another model's."""

from __future__ import annotations

import hashlib
from typing import Any

from isogloss.encoding.encoder import SentenceTransformerEncoder
from isogloss.errors import ModelError


def passage_identity(encoder: SentenceTransformerEncoder) -> dict[str, Any]:
    """Describe what the vectors of passages depend on; equal descriptions, equal vectors up to rounding.

    Args:
        encoder: a local model.

    Returns:
        `weights`, a SHA-256 in hexadecimal over the weights, the tokenizer and the modules' settings, whatever the
        model is called; `passage_prompt`; `max_length` in tokens; `precision`, the type of the weights.

    Raises:
        ModelError: the model holds no weights to tell it by.
    """
    import torch

    digest = hashlib.sha256(repr(encoder.model).encode())
    tokenizer = encoder.model.tokenizer
    backend = getattr(tokenizer, "backend_tokenizer", None)
    digest.update((backend.to_str() if backend is not None else repr(tokenizer)).encode())
    types: set[str] = set()
    for name, tensor in sorted(encoder.model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
        if tensor.is_floating_point():
            types.add(str(tensor.dtype).removeprefix("torch."))
    if not types:
        raise ModelError(
            f"{encoder.name}: the model holds no weights, so its vectors could not be told from others"
        )
    return {
        "weights": digest.hexdigest(),
        "passage_prompt": encoder.prompts.passage,
        "max_length": encoder.max_length or encoder.model.max_seq_length,
        "precision": ", ".join(sorted(types)),
    }
