"""Dropout whose masks are drawn quickly on a processor.

torch draws a number in double precision for each value, one processor core at work: of a training step of a small
encoder that is a fifth. Here a draw of 64 bits decides over four values.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

_STEPS = 1 << 16


def keep_mask(shape: Sequence[int], probability: float, device: torch.device) -> tuple[Tensor, float]:
    """Draw which values dropout keeps, from torch's own generator.

    Args:
        shape: of the values.
        probability: of being dropped, rounded to a multiple of 2**-16, at least one and at most all but one of them.
        device: where to draw.

    Returns:
        bool tensor of that shape, and the exact probability that a value is kept.
    """
    dropped = min(max(round(probability * _STEPS), 1), _STEPS - 1)
    count = math.prod(shape)
    words = torch.empty((count + 3) // 4, dtype=torch.int64, device=device).random_(-(2**63), None)
    return (words.view(torch.int16)[:count] >= dropped - _STEPS // 2).view(*shape), 1 - dropped / _STEPS


def drop(values: Tensor, mask: Tensor, kept: float) -> Tensor:
    """Set what a mask does not keep to zero and scale the rest by 1 / `kept`; serves gradients likewise."""
    return (values * mask).mul_(1 / kept)


class QuickDropout(nn.Dropout):
    """`torch.nn.Dropout` with `keep_mask`; its expected output is the input."""

    def forward(self, input: Tensor) -> Tensor:
        """Drop values in training; pass them on otherwise."""
        if not self.training or not 0 < self.p < 1 or input.device.type != "cpu":
            return super().forward(input)
        output: Tensor = _Dropped.apply(input, self.p)  # type: ignore[no-untyped-call]
        return output


class _Dropped(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, probability: float) -> Tensor:
        mask, ctx.kept = keep_mask(values.shape, probability, values.device)
        ctx.save_for_backward(mask)
        return drop(values, mask, ctx.kept)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (mask,) = ctx.saved_tensors
        return drop(gradient, mask, ctx.kept), None


@contextmanager
def quick_dropout(model: nn.Module) -> Iterator[None]:
    """Let a model's dropout layers draw quickly inside the context."""
    layers = [module for module in model.modules() if type(module) is nn.Dropout]
    for layer in layers:
        layer.__class__ = QuickDropout
    try:
        yield
    finally:
        for layer in layers:
            layer.__class__ = nn.Dropout
