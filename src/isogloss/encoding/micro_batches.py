"""Embedding a side of a batch without computing on its padding.

Passages of a batch differ in length; padded to the longest, half of the arithmetic is spent on padding. Taken in
order of length, in micro-batches under a token budget that are each padded to their own longest text, most of that is
saved; the vectors, and so the loss over the whole batch and its gradients, are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Embedding = Callable[[nn.Module, dict[str, Any]], Tensor]
"""Embeds all texts of its features at once with a model: vectors of shape (texts, d)."""


@dataclass(frozen=True)
class MicroBatch:
    """Some texts of a side, cut to the columns that they use.

    Attributes:
        rows: the texts' positions in the side, shape (texts,).
        first: the first column that any of them uses.
        last: one past the last.
    """

    rows: NDArray[np.int64]
    first: int
    last: int

    @property
    def texts(self) -> int:
        """How many texts there are."""
        return len(self.rows)

    @property
    def width(self) -> int:
        """Tokens a text, padding included."""
        return self.last - self.first


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


def unpadded_micro_batches(lengths: NDArray[np.int64], token_budget: int) -> list[NDArray[np.int64]]:
    """Split texts, by falling length, into micro-batches of about equally many tokens, where none is spent on padding.

    Args:
        lengths: tokens a text, shape (texts,).
        token_budget: tokens of a micro-batch, at most; a longer text is alone in its own.

    Returns:
        As `micro_batches`.
    """
    order = np.argsort(-lengths, kind="stable")
    total = int(lengths.sum())
    # A small rest would cost as many calls as a full micro-batch.
    even = -(-total // max(-(-total // token_budget), 1))
    batches, start, tokens = [], 0, 0
    for stop, length in enumerate(lengths[order].tolist()):
        if stop > start and (tokens >= even or tokens + length > token_budget):
            batches.append(order[start:stop])
            start, tokens = stop, 0
        tokens += length
    return [*batches, order[start:]] if len(order) else []


def token_mask(features: Mapping[str, Any]) -> Tensor | None:
    """Return the mask of real tokens, shape (texts, longest); None where the texts cannot be told apart by one."""
    mask = features.get("attention_mask")
    return mask if isinstance(mask, Tensor) and mask.dim() == 2 else None


def split(mask: Tensor, token_budget: int, *, padded: bool = True) -> list[MicroBatch]:
    """Split a side into micro-batches.

    Args:
        mask: one where a token is real, shape (texts, longest).
        token_budget: tokens of a micro-batch, at most.
        padded: whether padding is computed on and counts, as in `micro_batches`, or does not, as in
            `unpadded_micro_batches`.
    """
    mask = mask.cpu()
    parts = []
    cut = micro_batches if padded else unpadded_micro_batches
    for positions in cut(mask.sum(dim=1).numpy(), token_budget):
        used = mask[torch.from_numpy(positions)].any(dim=0).nonzero()
        # Padding is cut off at whichever side the tokenizer puts it.
        first, last = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, mask.shape[1])
        parts.append(MicroBatch(positions, first, last))
    return parts


def take(features: Mapping[str, Any], part: MicroBatch) -> dict[str, Any]:
    """Copy a micro-batch's rows and columns out of the features of its side; other features stay as they are."""
    texts, width = features["attention_mask"].shape
    taken = {}
    for name, value in features.items():
        if isinstance(value, Tensor) and value.dim() and len(value) == texts:
            value = value[torch.from_numpy(part.rows).to(value.device)]
            if value.dim() > 1 and value.shape[1] == width:
                value = value[:, part.first : part.last]
        taken[name] = value
    return taken


def join(vectors: Sequence[Tensor], parts: Sequence[MicroBatch]) -> Tensor:
    """Put the vectors of micro-batches together in the order of the side's texts, shape (texts, d)."""
    together = torch.cat(tuple(vectors))
    back = np.argsort(np.concatenate([part.rows for part in parts]))
    return together[torch.from_numpy(back).to(together.device)]


def embed_at_once(model: nn.Module, features: dict[str, Any]) -> Tensor:
    """Embed tokenised texts as they are, shape (texts, d)."""
    vectors: Tensor = model(features)["sentence_embedding"]
    return vectors


def embed(
    model: nn.Module,
    features: Mapping[str, Any],
    token_budget: int,
    at_once: Embedding = embed_at_once,
    *,
    padded: bool = True,
) -> Tensor:
    """Embed tokenised texts in micro-batches.

    Args:
        model: takes a dictionary of features, gives one with ``sentence_embedding``.
        features: tensors of shape (texts, ...), those of tokens padded to (texts, longest); anything else in it is
            passed on as it is. Without an ``attention_mask`` of two dimensions, and on devices other than the CPU, the
            texts are embedded at once.
        token_budget: as for `split`.
        at_once: embeds a micro-batch, which comes to it by falling length.
        padded: whether `at_once` computes on padding.

    Returns:
        The vectors in the order of the texts, shape (texts, d).
    """
    mask = token_mask(features)
    if mask is None or mask.device.type != "cpu" or not len(mask):
        return at_once(model, dict(features))
    parts = split(mask, token_budget, padded=padded)
    return join([at_once(model, take(features, part)) for part in parts], parts)
