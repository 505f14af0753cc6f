"""Embedding a side of a batch without computing on its padding.

Passages of a batch differ in length; padded to the longest, half of the arithmetic is spent on padding. Taken in
order of length, in micro-batches under a token budget that are each padded to their own longest text, most of that is
saved; the vectors, and so the loss over the whole batch and its gradients, are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


def micro_batches(lengths: NDArray[np.int64], token_budget: int) -> list[NDArray[np.int64]]:
    """Split texts, by falling length, into micro-batches of at most `token_budget` tokens, padding included.

    Args:
        lengths: tokens a text, shape (texts,).
        token_budget: texts times longest text of a micro-batch, at most; a longer text is alone in its own.

    Returns:
        The positions of each micro-batch's texts, in order of falling length.
    """
    order = np.argsort(-lengths, kind="stable")
    batches, start = [], 0
    while start < len(order):
        longest = max(int(lengths[order[start]]), 1)
        size = max(token_budget // longest, 1)
        batches.append(order[start : start + size])
        start += size
    return batches


def embed(model: nn.Module, features: Mapping[str, Any], token_budget: int) -> Tensor:
    """Embed tokenised texts in micro-batches.

    Args:
        model: takes a dictionary of features, gives one with ``sentence_embedding``.
        features: tensors of shape (texts, ...), those of tokens padded to (texts, longest); anything else in it is
            passed on as it is. Without an ``attention_mask`` of two dimensions, and on devices other than the CPU, the
            texts are embedded at once.
        token_budget: as for `micro_batches`.

    Returns:
        The vectors in the order of the texts, shape (texts, d).
    """
    mask = features.get("attention_mask")
    if not isinstance(mask, Tensor) or mask.dim() != 2 or mask.device.type != "cpu":
        return _vectors(model, dict(features))
    texts, width = mask.shape
    batches = micro_batches(mask.sum(dim=1).numpy(), token_budget)
    if len(batches) == 1:
        return _vectors(model, dict(features))
    parts = []
    for positions in batches:
        rows = torch.from_numpy(positions)
        used = mask[rows].any(dim=0).nonzero()
        # Padding is cut off at whichever side the tokenizer puts it.
        first, last = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, width)
        part = {}
        for name, value in features.items():
            if isinstance(value, Tensor) and value.dim() and len(value) == texts:
                value = value[rows]
                if value.dim() > 1 and value.shape[1] == width:
                    value = value[:, first:last]
            part[name] = value
        parts.append(_vectors(model, part))
    back = torch.from_numpy(np.argsort(np.concatenate(batches)))
    return torch.cat(parts)[back]


def _vectors(model: nn.Module, features: dict[str, Any]) -> Tensor:
    vectors: Tensor = model(features)["sentence_embedding"]
    return vectors
