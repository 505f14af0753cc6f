"""Attention inside each of several texts that lie one after the other in one row, without padding.

A transformer's layers but for attention treat each token by itself. So the texts of a batch can go through them as one
long row of tokens, and attention alone has to know where one text ends and the next begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from transformers import AttentionInterface, PretrainedConfig

from isogloss.training.dropout import keep_mask

NAME = "isogloss_packed"
"""What transformers knows the attention by."""

_lengths: ContextVar[tuple[int, ...]] = ContextVar("lengths of the packed texts")


def packed_attention(
    query: Tensor, key: Tensor, value: Tensor, lengths: Sequence[int], scale: float, dropout: float = 0.0
) -> Tensor:
    """Attention of every token to all tokens of its text.

    Args:
        query: shape (tokens, heads, d), one text after the other.
        key: likewise.
        value: likewise.
        lengths: tokens of each text; neighbours of equal length are computed together.
        scale: multiplies the products of queries and keys.
        dropout: the share of attention weights that is set to zero.

    Returns:
        Shape (tokens, heads, d).
    """
    groups = [(length, len(list(same))) for length, same in groupby(lengths) if length]
    # What is computed inside is of the dtype of what comes in, in both directions.
    with torch.autocast(query.device.type, enabled=False):
        out: Tensor = _PackedAttention.apply(query, key, value, groups, scale, dropout)  # type: ignore[no-untyped-call]
    return out


class _PackedAttention(torch.autograd.Function):
    """One node of the graph, where one for each operation and group would cost more than the arithmetic."""

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        groups: Sequence[tuple[int, int]],
        scale: float,
        dropout: float,
    ) -> Tensor:
        heads = query.shape[1]
        out = torch.empty_like(value, memory_format=torch.contiguous_format)
        mask, kept = None, 1.0
        if dropout > 0:
            size = sum(texts * heads * length * length for length, texts in groups)
            mask, kept = keep_mask((size,), dropout, query.device)
        weights = []
        for place, (length, texts) in zip(_places(groups, heads), groups, strict=True):
            q, k, v, o = (_by_text(tensor, place, length, texts) for tensor in (query, key, value, out))
            attention = torch.matmul(q, k.transpose(-1, -2)).mul_(scale).softmax(dim=-1)
            weights.append(attention)
            o.copy_(torch.matmul(_dropped(attention, mask, kept, place), v))
        ctx.save_for_backward(query, key, value, *weights, *([] if mask is None else [mask]))
        ctx.groups, ctx.scale, ctx.kept = groups, scale, kept
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        groups = ctx.groups
        query, key, value, *rest = ctx.saved_tensors
        weights, mask = rest[: len(groups)], (rest[len(groups)] if len(rest) > len(groups) else None)
        to_query, to_key, to_value = (
            torch.empty_like(tensor, memory_format=torch.contiguous_format) for tensor in (query, key, value)
        )
        for attention, place, (length, texts) in zip(
            weights, _places(groups, query.shape[1]), groups, strict=True
        ):
            q, k, v, g, to_q, to_k, to_v = (
                _by_text(tensor, place, length, texts)
                for tensor in (query, key, value, gradient, to_query, to_key, to_value)
            )
            to_v.copy_(torch.matmul(_dropped(attention, mask, ctx.kept, place).transpose(-1, -2), g))
            to_weights = _dropped(torch.matmul(g, v.transpose(-1, -2)), mask, ctx.kept, place)
            to_scores = torch._softmax_backward_data(to_weights, attention, -1, attention.dtype)
            to_scores.mul_(ctx.scale)
            to_q.copy_(torch.matmul(to_scores, k))
            to_k.copy_(torch.matmul(to_scores.transpose(-1, -2), q))
        return to_query, to_key, to_value, None, None, None


def _places(groups: Sequence[tuple[int, int]], heads: int) -> Iterator[tuple[int, int]]:
    """Yield where each group begins among the tokens, and among all attention weights."""
    token = weight = 0
    for length, texts in groups:
        yield token, weight
        token += length * texts
        weight += length * length * texts * heads


def _by_text(tensor: Tensor, place: tuple[int, int], length: int, texts: int) -> Tensor:
    """A group's part of (tokens, heads, d) as (texts, heads, length, d), without copying it."""
    part = tensor[place[0] : place[0] + length * texts]
    return part.view(texts, length, *tensor.shape[1:]).transpose(1, 2)


def _dropped(weights: Tensor, mask: Tensor | None, kept: float, place: tuple[int, int]) -> Tensor:
    if mask is None:
        return weights
    part = mask[place[1] : place[1] + weights.numel()].view_as(weights)
    return (weights * part).mul_(1 / kept)


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
    return packed_attention(q, k, v, _lengths.get(), scale, dropout)[None], None


AttentionInterface.register(NAME, _attention_of_transformers)


@contextmanager
def attention_within(config: PretrainedConfig, lengths: Sequence[int]) -> Iterator[None]:
    """Make a transformer attend inside texts of these lengths, in forward passes inside the context.

    Args:
        config: the transformer's.
        lengths: tokens of each text.
    """
    usual = config._attn_implementation
    token = _lengths.set(tuple(lengths))
    config._attn_implementation = NAME
    try:
        yield
    finally:
        config._attn_implementation = usual
        _lengths.reset(token)
