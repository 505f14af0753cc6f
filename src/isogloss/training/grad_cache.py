"""Exact gradients of a large batch in the memory of a small one (Gao et al. 2021, arXiv 2101.06983, section 3.2).

The loss needs the vectors of all texts of a batch at once, but not what was computed on the way to them. So
micro-batches are embedded without keeping that; once the gradients with respect to the vectors are there, every
micro-batch is embedded a second time, with its own graph, and its share is passed back. It costs a second forward pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from isogloss.encoding.micro_batches import Embedding, MicroBatch, embed_at_once, join, split, take


@dataclass(frozen=True)
class RandomState:
    """The state of the random numbers that dropout draws.

    Attributes:
        device: the device that is drawn on.
        processor: state of the CPU's generator.
        accelerator: state of the device's own; None on a CPU.
    """

    device: torch.device
    processor: Tensor
    accelerator: Tensor | None

    @classmethod
    def now(cls, device: torch.device) -> RandomState:
        """Take down the present state."""
        accelerator = None
        if device.type != "cpu":
            accelerator = getattr(torch, device.type).get_rng_state(*cls._of(device))
        return cls(device, torch.get_rng_state(), accelerator)

    def restore(self) -> None:
        """Make this the present state."""
        torch.set_rng_state(self.processor)
        if self.accelerator is not None:
            getattr(torch, self.device.type).set_rng_state(self.accelerator, *self._of(self.device))

    @staticmethod
    def _of(device: torch.device) -> tuple[torch.device, ...]:
        # Apple's has one generator, and takes no device.
        return () if device.type == "mps" else (device,)


def embed_cached(
    model: nn.Module,
    sides: Sequence[Mapping[str, Any]],
    token_budget: int,
    at_once: Embedding = embed_at_once,
    *,
    padded: bool = True,
) -> tuple[Tensor, ...]:
    """Embed the sides of a batch; activations are not kept, but computed again in the backward pass.

    To what follows, the vectors are like any others: a loss of them may be scaled, divided, gathered over processes or
    computed under autocast. Dropout draws the same masks both times, those that micro-batches embedded one after the
    other in one graph would draw, and leaves the generator as they would. A backward pass adds to the parameters'
    gradients; `torch.autograd.grad` does not see those, and there are no second derivatives.

    Args:
        model: takes a dictionary of features, gives one with ``sentence_embedding``.
        sides: for each side tensors of shape (texts, ...), those of tokens padded to (texts, longest), among them
            ``attention_mask``.
        token_budget: as for `split`.
        at_once: embeds a micro-batch.
        padded: whether `at_once` computes on padding.

    Returns:
        For each side the vectors in the order of its texts, shape (texts, d).
    """
    parts = [split(side["attention_mask"], token_budget, padded=padded) for side in sides]
    pieces = [(side, part) for side, of_side in zip(sides, parts, strict=True) for part in of_side]
    # Only what depends on something that needs a gradient is called back.
    needs_gradient = torch.empty(0, requires_grad=any(weight.requires_grad for weight in model.parameters()))
    vectors: tuple[Tensor, ...] = _EmbeddedTwice.apply(  # type: ignore[no-untyped-call]
        needs_gradient, model, pieces, at_once
    )
    embedded, done = [], 0
    for of_side in parts:
        embedded.append(join(vectors[done : done + len(of_side)], of_side))
        done += len(of_side)
    return tuple(embedded)


class _EmbeddedTwice(torch.autograd.Function):
    """From micro-batches to their vectors, with a backward pass that embeds them again."""

    @staticmethod
    def forward(
        ctx: Any,
        needs_gradient: Tensor,
        model: nn.Module,
        pieces: Sequence[tuple[Mapping[str, Any], MicroBatch]],
        at_once: Embedding,
    ) -> tuple[Tensor, ...]:
        device = pieces[0][0]["attention_mask"].device
        ctx.model, ctx.pieces, ctx.at_once, ctx.states = model, pieces, at_once, []
        ctx.autocast = {
            "device_type": device.type,
            "dtype": torch.get_autocast_dtype(device.type),
            "enabled": torch.is_autocast_enabled(device.type),
        }
        vectors = []
        for side, part in pieces:
            ctx.states.append(RandomState.now(device))
            vectors.append(at_once(model, take(side, part)))
        # Autocast keeps the weights that it has rounded; rounded without a graph, older torch (issue 65766 of
        # pytorch/pytorch) would use them in the next forward pass too, and no gradient would reach them.
        torch.clear_autocast_cache()
        return tuple(vectors)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, ...]:
        after = RandomState.now(ctx.states[0].device)
        try:
            for place, ((side, part), state, gradient) in enumerate(
                zip(ctx.pieces, ctx.states, gradients, strict=True)
            ):
                last = place == len(ctx.pieces) - 1
                state.restore()
                with nullcontext() if last else _unsynchronised(ctx.model):
                    with torch.enable_grad(), torch.autocast(**ctx.autocast):
                        vectors = ctx.at_once(ctx.model, take(side, part))
                    # One side of a model may be frozen.
                    if vectors.requires_grad:
                        torch.autograd.backward(vectors, gradient)
        finally:
            after.restore()
        return None, None, None, None


def _unsynchronised(model: nn.Module) -> AbstractContextManager[Any]:
    """Keep a model that is trained by several processes from adding up gradients until the last micro-batch."""
    no_sync = getattr(model, "no_sync", None)
    context: AbstractContextManager[Any] = nullcontext() if no_sync is None else no_sync()
    return context
