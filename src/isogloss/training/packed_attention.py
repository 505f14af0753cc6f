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

from isogloss.training.dropout import dropout_mask

NAME = "isogloss_packed"
"""What transformers knows the attention by."""

_FULL = 0.8
"""How full the rows of a bucket are at least: with fuller ones there are more buckets, and each costs some calls."""


@dataclass(frozen=True)
class Bucket:
    """Texts that lie one after the other, are of about the same length, and are padded to the longest of them.

    Attributes:
        first: its first row among those of all buckets, of which a text, head and position have one each.
        last: one past its last row.
        width: positions a text.
        bias: what is added to the scores of keys, shape (texts and heads, 1, width): minus infinity for padding; None
            where there is none.
    """

    first: int
    last: int
    width: int
    bias: Tensor | None

    def of(self, rows: Tensor) -> Tensor:
        """Its part of all rows, (rows, d), as (texts and heads, width, d)."""
        return rows[self.first : self.last].view(-1, self.width, rows.shape[1])

    @property
    def weights(self) -> int:
        """How many attention weights it has, those of padding included."""
        return (self.last - self.first) * self.width


@dataclass(frozen=True)
class Layout:
    """Where the tokens of each text, as each head sees them, lie in buckets.

    Attributes:
        buckets: the texts by length.
        tokens: for each row of the buckets the token's row in (tokens x heads, d), int64; for padding, the text's first
            token: what is computed with it is masked out or not read.
        rows: for each token and head its row in the buckets, int64, shape (tokens x heads,).
        padding: rows that are padding, int64.
    """

    buckets: Sequence[Bucket]
    tokens: Tensor
    rows: Tensor
    padding: Tensor

    @classmethod
    def of(cls, lengths: Sequence[int], heads: int) -> Layout:
        """Put neighbouring texts of like length together.

        Args:
            lengths: tokens of each text, each at least one; there are few buckets where they rise or fall.
            heads: of the attention.
        """
        buckets: list[Bucket] = []
        tokens, real = [], []
        first = row = 0
        for of_texts in _of_like_length(lengths):
            texts, width = len(of_texts), int(of_texts.max())
            positions = torch.arange(width)
            is_real = positions < of_texts[:, None]
            starts = first + of_texts.cumsum(0) - of_texts
            token = starts[:, None] + torch.where(is_real, positions, 0)
            tokens.append((token[:, None] * heads + torch.arange(heads)[:, None]).flatten())
            real.append(is_real[:, None].expand(-1, heads, -1).flatten())
            bias = None
            if not is_real.all():
                bias = torch.zeros(texts, 1, width).masked_fill_(~is_real[:, None], -torch.inf)
                bias = bias.repeat_interleave(heads, 0)
            buckets.append(Bucket(row, row + texts * heads * width, width, bias))
            first, row = first + int(of_texts.sum()), buckets[-1].last
        all_tokens, all_real = torch.cat(tokens), torch.cat(real)
        rows = torch.empty(first * heads, dtype=torch.int64)
        rows[all_tokens[all_real]] = all_real.nonzero()[:, 0]
        return cls(buckets, all_tokens, rows, (~all_real).nonzero()[:, 0])

    def spread(self, tensor: Tensor) -> Tensor:
        """Copy (tokens, heads, d) into the rows of the buckets, (rows, d)."""
        return tensor.reshape(-1, tensor.shape[-1]).index_select(0, self.tokens)

    def collect(self, rows: Tensor, heads: int) -> Tensor:
        """Copy the rows that are not padding back to (tokens, heads, d)."""
        return rows.index_select(0, self.rows).view(-1, heads, rows.shape[1])


def _of_like_length(lengths: Sequence[int]) -> Iterator[Tensor]:
    start = 0
    while start < len(lengths):
        stop, low, high = start, lengths[start], lengths[start]
        while stop < len(lengths):
            low, high = min(low, lengths[stop]), max(high, lengths[stop])
            if low < _FULL * high:
                break
            stop += 1
        yield torch.tensor(lengths[start:stop])
        start = stop


_layout: ContextVar[Layout] = ContextVar("the packed texts")


def packed_attention(
    query: Tensor, key: Tensor, value: Tensor, layout: Layout, scale: float, dropout: float = 0.0
) -> Tensor:
    """Attention of every token to all tokens of its text.

    Args:
        query: shape (tokens, heads, d), one text after the other.
        key: likewise.
        value: likewise.
        layout: the texts, together all tokens.
        scale: multiplies the products of queries and keys.
        dropout: the share of attention weights that is set to zero.

    Returns:
        Shape (tokens, heads, d).
    """
    # What is computed inside is of the dtype of what comes in, in both directions.
    with torch.autocast(query.device.type, enabled=False):
        out: Tensor = _PackedAttention.apply(query, key, value, layout, scale, dropout)  # type: ignore[no-untyped-call]
    return out


class _PackedAttention(torch.autograd.Function):
    """One node of the graph, where one for each operation and bucket would cost more than the arithmetic."""

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        layout: Layout,
        scale: float,
        dropout: float,
    ) -> Tensor:
        heads = query.shape[1]
        q, k, v = layout.spread(query).mul_(scale), layout.spread(key), layout.spread(value)
        masks: list[Tensor] = []
        if dropout > 0:
            sizes = [bucket.weights for bucket in layout.buckets]
            masks = list(torch.split(dropout_mask((sum(sizes),), dropout, like=query), sizes))
        weights = []
        out = torch.empty_like(v)
        for place, bucket in enumerate(layout.buckets):
            scores = torch.bmm(bucket.of(q), bucket.of(k).transpose(1, 2))
            if bucket.bias is not None:
                scores.add_(bucket.bias)
            attention = scores.softmax(dim=-1)
            weights.append(attention)
            if masks:
                attention = attention * masks[place].view_as(attention)
            torch.bmm(attention, bucket.of(v), out=bucket.of(out))
        ctx.save_for_backward(q, k, v, *weights, *masks)
        ctx.layout, ctx.scale, ctx.heads = layout, scale, heads
        return layout.collect(out, heads)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        layout: Layout = ctx.layout
        q, k, v, *rest = ctx.saved_tensors
        weights, masks = rest[: len(layout.buckets)], rest[len(layout.buckets) :]
        g = layout.spread(gradient).index_fill_(0, layout.padding, 0)
        to_q, to_k, to_v = torch.empty_like(q), torch.empty_like(k), torch.empty_like(v)
        for place, bucket in enumerate(layout.buckets):
            attention = dropped = weights[place]
            to_weights = torch.bmm(bucket.of(g), bucket.of(v).transpose(1, 2))
            if masks:
                mask = masks[place].view_as(attention)
                to_weights.mul_(mask)
                dropped = attention * mask
            torch.bmm(dropped.transpose(1, 2), bucket.of(g), out=bucket.of(to_v))
            to_scores = torch._softmax_backward_data(to_weights, attention, -1, attention.dtype)
            torch.bmm(to_scores, bucket.of(k), out=bucket.of(to_q))
            torch.bmm(to_scores.transpose(1, 2), bucket.of(q), out=bucket.of(to_k))
        to_query, to_key, to_value = (layout.collect(rows, ctx.heads) for rows in (to_q, to_k, to_v))
        return to_query.mul_(ctx.scale), to_key, to_value, None, None, None


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
    return packed_attention(q, k, v, _layout.get(), scale, dropout)[None], None


AttentionInterface.register(NAME, _attention_of_transformers)


@contextmanager
def attention_within(config: PretrainedConfig, lengths: Sequence[int]) -> Iterator[None]:
    """Make a transformer attend inside texts of these lengths, in forward passes inside the context.

    Args:
        config: the transformer's.
        lengths: tokens of each text.
    """
    usual = config._attn_implementation
    token = _layout.set(Layout.of(lengths, config.num_attention_heads))
    config._attn_implementation = NAME
    try:
        yield
    finally:
        config._attn_implementation = usual
        _layout.reset(token)
