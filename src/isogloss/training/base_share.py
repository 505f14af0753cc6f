"""Keep some of the base: the model that is measured and kept lies between the base and what was trained.

Weights on the line between a base and its fine-tuned model often do better on other data than either end (Wortsman et
al. 2022, arXiv 2109.01903, section 3). Training itself goes on from the trained weights, untouched.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


class BaseShare:
    """The weights that training will change, as the base has them, and their share in the result.

    Args:
        model: the base, before the first step; its trainable weights are copied.
        share: of the base's weights, from 0 (none) to less than 1.
    """

    def __init__(self, model: nn.Module, share: float) -> None:
        self.share = share
        self.weights = {name: weight.detach().clone() for name, weight in _trainable(model)} if share else {}

    @torch.no_grad()
    def mix(self, model: nn.Module) -> None:
        """Replace each trained weight w by (1 - share) w + share b, where b is the base's."""
        if self.share:
            for name, weight in _trainable(model):
                weight.lerp_(self.weights[name].to(weight), self.share)

    @contextmanager
    def mixed(self, model: nn.Module) -> Iterator[None]:
        """Mix for a while; afterwards the trained weights are back, bit for bit."""
        trained = [(weight, weight.detach().clone()) for _, weight in _trainable(model)] if self.share else []
        self.mix(model)
        try:
            yield
        finally:
            with torch.no_grad():
                for weight, value in trained:
                    weight.copy_(value)


def _trainable(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    return ((name, weight) for name, weight in model.named_parameters() if weight.requires_grad)
