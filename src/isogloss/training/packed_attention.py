"""Attention inside each of several texts that lie one after the other in one row, without padding.

A transformer's layers but for attention treat each token by itself. So the texts of a batch can go through them as one
long row of tokens, and attention alone has to know where one text ends and the next begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from transformers import AttentionInterface, PretrainedConfig

from isogloss.training.dropout import drop, keep_mask

NAME = "isogloss_packed"
"""What transformers knows the attention by."""

_FULL = 0.8
"""How full the rows of a bucket are at least: with fuller ones there are more buckets, and each costs some calls."""


@dataclass(frozen=True)
class Bucket:
    """Texts that lie one after the other and are of about the same length.

    Attributes:
        first: where its first token lies.
        last: one past its last token.
        texts: how many there are.
        width: tokens of the longest.
        rows: where each token goes when the texts are padded to one width, shape (tokens,); None where all are of it.
        bias: what is added to the scores of keys, shape (texts, 1, 1, width): minus infinity for padding.
    """

    first: int
    last: int
    texts: int
    width: int
    rows: Tensor | None
    bias: Tensor | None

    def padded(self, tensor: Tensor) -> Tensor:
        """Its part of (tokens, heads, d) as (texts, heads, width, d)."""
        part = tensor[self.first : self.last]
        if self.rows is not None:
            part = part.new_zeros(self.texts * self.width, *part.shape[1:]).index_copy_(0, self.rows, part)
        return part.view(self.texts, self.width, *part.shape[1:]).transpose(1, 2)

    def write(self, values: Tensor, tensor: Tensor) -> None:
        """Put (texts, heads, width, d) into its part of (tokens, heads, d)."""
        values = values.transpose(1, 2)
        part = tensor[self.first : self.last]
        if self.rows is None:
            part.view(values.shape).copy_(values)
        else:
            torch.index_select(values.flatten(0, 1), 0, self.rows, out=part)

    def weights(self, heads: int) -> int:
        """How many attention weights it has, those of padding included."""
        return self.texts * heads * self.width * self.width


def buckets_of(lengths: Sequence[int]) -> list[Bucket]:
    """Put neighbouring texts of like length together.

    Args:
        lengths: tokens of each text, each at least one; there are few buckets where they rise or fall.
    """
    buckets: list[Bucket] = []
    first = start = 0
    while start < len(lengths):
        stop, low, high = start, lengths[start], lengths[start]
        while stop < len(lengths):
            low, high = min(low, lengths[stop]), max(high, lengths[stop])
            if low < _FULL * high:
                break
            stop += 1
        of_texts = torch.tensor(lengths[start:stop])
        buckets.append(_bucket(first, of_texts))
        first, start = buckets[-1].last, stop
    return buckets


def _bucket(first: int, lengths: Tensor) -> Bucket:
    texts, width, last = len(lengths), int(lengths.max()), first + int(lengths.sum())
    if (lengths == width).all():
        return Bucket(first, last, texts, width, None, None)
    real = torch.arange(width) < lengths[:, None]
    bias = torch.zeros(texts, 1, 1, width).masked_fill_(~real[:, None, None], -torch.inf)
    return Bucket(first, last, texts, width, real.flatten().nonzero()[:, 0], bias)


_buckets: ContextVar[Sequence[Bucket]] = ContextVar("the packed texts")


def packed_attention(
    query: Tensor, key: Tensor, value: Tensor, buckets: Sequence[Bucket], scale: float, dropout: float = 0.0
) -> Tensor:
    """Attention of every token to all tokens of its text.

    Args:
        query: shape (tokens, heads, d), one text after the other.
        key: likewise.
        value: likewise.
        buckets: the texts, together all tokens.
        scale: multiplies the products of queries and keys.
        dropout: the share of attention weights that is set to zero.

    Returns:
        Shape (tokens, heads, d).
    """
    # What is computed inside is of the dtype of what comes in, in both directions.
    with torch.autocast(query.device.type, enabled=False):
        out: Tensor = _PackedAttention.apply(query, key, value, buckets, scale, dropout)  # type: ignore[no-untyped-call]
    return out


class _PackedAttention(torch.autograd.Function):
    """One node of the graph, where one for each operation and bucket would cost more than the arithmetic."""

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        buckets: Sequence[Bucket],
        scale: float,
        dropout: float,
    ) -> Tensor:
        heads = query.shape[1]
        out = torch.empty_like(value, memory_format=torch.contiguous_format)
        masks: list[Tensor] = []
        kept = 1.0
        if dropout > 0:
            sizes = [bucket.weights(heads) for bucket in buckets]
            mask, kept = keep_mask((sum(sizes),), dropout, query.device)
            masks = list(torch.split(mask, sizes))
        weights = []
        for place, bucket in enumerate(buckets):
            q, k, v = bucket.padded(query), bucket.padded(key), bucket.padded(value)
            scores = torch.matmul(q, k.transpose(-1, -2)).mul_(scale)
            if bucket.bias is not None:
                scores.add_(bucket.bias)
            attention = scores.softmax(dim=-1)
            weights.append(attention)
            if masks:
                attention = drop(attention, masks[place].view_as(attention), kept)
            bucket.write(torch.matmul(attention, v), out)
        ctx.save_for_backward(query, key, value, *weights, *masks)
        ctx.buckets, ctx.scale, ctx.kept = buckets, scale, kept
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, *rest = ctx.saved_tensors
        weights, masks = rest[: len(ctx.buckets)], rest[len(ctx.buckets) :]
        to_query, to_key, to_value = (
            torch.empty_like(tensor, memory_format=torch.contiguous_format) for tensor in (query, key, value)
        )
        for place, bucket in enumerate(ctx.buckets):
            q, k, v, g = (bucket.padded(tensor) for tensor in (query, key, value, gradient))
            attention = weights[place]
            to_weights = torch.matmul(g, v.transpose(-1, -2))
            if masks:
                to_weights = drop(to_weights, masks[place].view_as(to_weights), ctx.kept)
                dropped = drop(attention, masks[place].view_as(attention), ctx.kept)
            else:
                dropped = attention
            bucket.write(torch.matmul(dropped.transpose(-1, -2), g), to_value)
            to_scores = torch._softmax_backward_data(to_weights, attention, -1, attention.dtype)
            to_scores.mul_(ctx.scale)
            bucket.write(torch.matmul(to_scores, k), to_query)
            bucket.write(torch.matmul(to_scores.transpose(-1, -2), q), to_key)
        return to_query, to_key, to_value, None, None, None


def _attention_of_transformers(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Tensor, None]:
    """`packed_attention` in the form in which transformers calls attention: shape (1, heads, tokens, d) in."""
    q, k, v = (tensor[0].transpose(0, 1) for tensor in (query, key, value))
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    return packed_attention(q, k, v, _buckets.get(), scale, dropout)[None], None


AttentionInterface.register(NAME, _attention_of_transformers)


@contextmanager
def attention_within(config: PretrainedConfig, lengths: Sequence[int]) -> Iterator[None]:
    """Make a transformer attend inside texts of these lengths, in forward passes inside the context.

    Args:
        config: the transformer's.
        lengths: tokens of each text.
    """
    usual = config._attn_implementation
    token = _buckets.set(buckets_of(lengths))
    config._attn_implementation = NAME
    try:
        yield
    finally:
        config._attn_implementation = usual
        _buckets.reset(token)
