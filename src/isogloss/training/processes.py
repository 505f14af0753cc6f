"""Several processes that train one model: whose which part of a batch is, and what they tell one another.

Every process plans the same batches and embeds its part of each. The vectors of all candidates are gathered, with
gradients, and every process scores its own queries against all of them, so that loss and gradients are those of the
whole batch, however many processes share it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn
from transformers import TrainingArguments

_T = TypeVar("_T")


@dataclass(frozen=True)
class Share:
    """One process among those that train together.

    Attributes:
        rank: its number, from 0.
        processes: how many there are.
    """

    rank: int = 0
    processes: int = 1

    @classmethod
    def of(cls, arguments: TrainingArguments) -> Share:
        """Return this process's share, once the processes have met."""
        return cls(arguments.process_index, arguments.world_size)

    @property
    def leads(self) -> bool:
        """Whether this is the process that evaluates, reports and writes."""
        return self.rank == 0

    def part(self, whole: Sequence[_T]) -> Sequence[_T]:
        """Return this process's part of a sequence; the parts, in order of rank, make up the whole."""
        start, stop = (len(whole) * rank // self.processes for rank in (self.rank, self.rank + 1))
        return whole[start:stop]


ALONE = Share()
"""The only process there is: its part is the whole."""


def announced() -> Share:
    """Return what the launcher (torchrun, accelerate launch) says in the environment, before the processes have met."""
    return Share(int(os.environ.get("RANK") or 0), int(os.environ.get("WORLD_SIZE") or 1))


def wait_for_all() -> None:
    """Go on when every process has come here."""
    if _together():
        distributed.barrier()


def is_any(flag: bool, device: torch.device) -> bool:
    """Return whether the flag is set in any process, the same in all of them.

    Args:
        flag: this process's.
        device: where the processes' tensors lie.
    """
    if not _together():
        return flag
    flags = torch.tensor(int(flag), device=device)
    distributed.all_reduce(flags, distributed.ReduceOp.MAX)
    return bool(flags.item())


def leave() -> None:
    """Take leave of the other processes, at the very end of a program."""
    if _together():
        distributed.destroy_process_group()


def gather_candidates(own: Tensor, positives: int) -> Tensor:
    """Gather the candidates of all processes, with gradients.

    The gradient of a candidate is the sum of what it gets in all processes. With each process's loss the mean over its
    own queries, and gradients averaged over processes, as `DistributedDataParallel` does, weights get the gradient of
    the mean over all queries.

    Args:
        own: this process's candidates, shape (positives + negatives, d); the number of negatives may differ between
            processes.
        positives: how many of them are positives, those in front; the same number in every process.

    Returns:
        The positives of all processes in order of rank, then their negatives, shape (all, d).
    """
    everyones = gather_rows(own)
    return torch.cat([part[:positives] for part in everyones] + [part[positives:] for part in everyones])


def gather_rows(own: Tensor) -> list[Tensor]:
    """Gather rows of all processes, with gradients.

    Args:
        own: this process's rows, shape (rows, ...); only their number may differ between processes.

    Returns:
        The rows of every process, in order of rank; the same in all processes.
    """
    count = torch.tensor(len(own), device=own.device)
    counts = [torch.zeros_like(count) for _ in range(distributed.get_world_size())]
    distributed.all_gather(counts, count)
    sizes = [int(size) for size in counts]
    padded = nn.functional.pad(own, (0, 0) * (own.dim() - 1) + (0, max(sizes) - len(own)))
    everyones: Tensor = _Gather.apply(padded)  # type: ignore[no-untyped-call]
    return [part[:size] for part, size in zip(everyones, sizes, strict=True)]


class _Gather(torch.autograd.Function):
    """Stacks a tensor of every process: shape (n, d) to (processes, n, d)."""

    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Tensor:
        own = own.contiguous()
        parts = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, own)
        return torch.stack(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        total = gradient.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total[distributed.get_rank()]


def _together() -> bool:
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1
