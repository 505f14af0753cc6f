"""Dropout whose masks are drawn quickly on a processor.

torch draws a number in double precision for each value, one processor core at work: of a training step of a small
encoder that is a fifth. Here a draw of 64 bits decides over four values, and comes from a generator of NumPy's that is
twice as quick as torch's own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

_STEPS = 1 << 16


def dropout_mask(shape: Sequence[int], probability: float, like: Tensor) -> Tensor:
    """Draw what dropout multiplies values with, by a seed from torch's own generator.

    Args:
        shape: of the values.
        probability: of being dropped, rounded to a multiple of 2**-16, at least one and at most all but one of them.
        like: has the dtype and device wanted.

    Returns:
        Zero for what is dropped; for the rest 1 / (1 - probability), with the probability as rounded.
    """
    dropped = min(max(round(probability * _STEPS), 1), _STEPS - 1)
    count = math.prod(shape)
    seed = int(torch.empty((), dtype=torch.int64).random_())
    words = torch.from_numpy(np.random.SFC64(seed).random_raw((count + 3) // 4).view(np.int16))[:count]
    # Of the values' dtype: a product with a mask of bytes takes twice as long.
    mask = (words >= dropped - _STEPS // 2).to(like.device, like.dtype).view(*shape)
    return mask.mul_(_STEPS / (_STEPS - dropped))


class QuickDropout(nn.Dropout):
    """`torch.nn.Dropout` with `dropout_mask`; its expected output is the input."""

    def forward(self, input: Tensor) -> Tensor:
        """Drop values in training; pass them on otherwise."""
        if not self.training or not 0 < self.p < 1 or input.device.type != "cpu":
            return super().forward(input)
        output: Tensor = _Dropped.apply(input, self.p)  # type: ignore[no-untyped-call]
        return output


class _Dropped(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, probability: float) -> Tensor:
        mask = dropout_mask(values.shape, probability, values)
        ctx.save_for_backward(mask)
        return values * mask

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (mask,) = ctx.saved_tensors
        return gradient * mask, None


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
