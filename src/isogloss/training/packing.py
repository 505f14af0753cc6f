"""Texts of a batch as one row of tokens without padding, for the models that can take them so.

Padded to the longest, half of a batch of passages is padding. In a row there is none, and the matrix products are as
large as they can be. sentence-transformers does so where FlashAttention is installed, on GPUs alone; here the
processor's part is played by `packed_attention`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from sentence_transformers.sentence_transformer.modules import Dense, Dropout, Normalize, Pooling, Transformer
from torch import Tensor, nn

from isogloss.encoding.micro_batches import Embedding, embed_at_once, token_mask
from isogloss.training.packed_attention import attention_within

_ENCODERS = ("bert", "camembert", "roberta", "xlm-roberta", "xlm-roberta-xl")
"""Model types whose attention and positions are known to be replaceable: each text by itself, absolute positions."""

_AFTER_POOLING = (Dense, Dropout, Normalize)
_OF_TOKENS = ("input_ids", "token_type_ids")


def packable(model: nn.Module) -> bool:
    """Return whether a sentence-transformers model can embed texts that lie in a row.

    It is a transformer of a known type, then pooling, then layers that see vectors of texts alone; it trains all its
    layers' activations at once (gradient checkpointing would attend anew when the row is forgotten) and in its usual
    attention.
    """
    if not isinstance(model, nn.Sequential) or len(model) < 2:
        return False
    transformer, pooling, *others = model
    if not (isinstance(transformer, Transformer) and isinstance(pooling, Pooling)):
        return False
    encoder = transformer.model
    return (
        all(isinstance(module, _AFTER_POOLING) for module in others)
        and getattr(encoder.config, "model_type", None) in _ENCODERS
        and encoder.config._attn_implementation in ("eager", "sdpa")
        and not encoder.config.is_decoder
        and not any(getattr(layer, "gradient_checkpointing", False) for layer in encoder.modules())
    )


def embedding_of(model: nn.Module) -> Embedding:
    """Return what embeds texts at once with a model: in a row where it can and runs on a processor, else padded."""
    if not packable(model):
        return embed_at_once
    encoder: nn.Module = model[0].model  # type: ignore[index]
    return partial(embed_packed, encoder=encoder)


def unread_features(model: nn.Module) -> frozenset[str]:
    """Return what a `packable` model is given and does not read: a prompt's length, where pooling includes prompts."""
    pooling = model[1]  # type: ignore[index]
    return frozenset({"prompt_length"} if pooling.include_prompt else ())


def side_by_side(
    sides: Sequence[Mapping[str, Any]], unread: frozenset[str] = frozenset()
) -> dict[str, Any] | None:
    """Put the texts of all sides of a batch one below the other, so that they can be embedded together.

    Args:
        sides: features of each side.
        unread: features that may differ, since nothing depends on them; they are left out.

    Returns:
        Features padded at the end to the longest text of all, shape (all texts, longest); None where the sides have
        something other than texts of their own, such as a task.
    """
    sides = [{name: side[name] for name in side if name not in unread} for side in sides]
    if any(token_mask(side) is None or side.keys() != sides[0].keys() for side in sides):
        return None
    width = max(side["attention_mask"].shape[1] for side in sides)
    joined: dict[str, Any] = {}
    for name, value in sides[0].items():
        values = [side[name] for side in sides]
        if all(
            isinstance(each, Tensor) and each.shape == side["attention_mask"].shape
            for each, side in zip(values, sides, strict=True)
        ):
            joined[name] = torch.cat([nn.functional.pad(each, (0, width - each.shape[1])) for each in values])
        elif isinstance(value, Tensor) or any(each != value for each in values):
            return None
        else:
            joined[name] = value
    return joined


def embed_packed(model: nn.Module, features: Mapping[str, Any], *, encoder: nn.Module) -> Tensor:
    """Embed tokenised texts as one row.

    Args:
        model: a `packable` model, or what wraps it; on other devices than the CPU its texts are embedded padded.
        encoder: the transformer in it.
        features: tensors of tokens padded to (texts, longest), among them ``attention_mask``; best by length, since
            neighbours of one length attend together.

    Returns:
        The vectors, shape (texts, d).
    """
    mask = token_mask(features)
    if mask is None or mask.device.type != "cpu" or not mask.any(dim=1).all():
        return embed_at_once(model, dict(features))
    mask = mask.bool()
    lengths = mask.sum(dim=1)
    ends = lengths.cumsum(0)
    texts = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
    positions = torch.arange(int(ends[-1])) - torch.repeat_interleave(ends - lengths, lengths)
    packed = {name: value for name, value in features.items() if name not in ("attention_mask", *_OF_TOKENS)}
    packed |= {name: features[name][mask][None] for name in _OF_TOKENS if name in features}
    packed |= {
        "position_ids": (positions + first_position(encoder))[None],
        # What sentence-transformers' pooling needs to tell texts apart.
        "cu_seq_lens_q": nn.functional.pad(ends, (1, 0)),
        "seq_idx": texts[None],
    }
    with attention_within(encoder.config, lengths.tolist()):
        vectors: Tensor = model(packed)["sentence_embedding"]
    return vectors


def first_position(encoder: nn.Module) -> int:
    """Return the number of a text's first position: RoBERTa and its kin count from after the padding's id."""
    padding = getattr(encoder.embeddings, "padding_idx", None)
    return padding + 1 if isinstance(padding, int) else 0
