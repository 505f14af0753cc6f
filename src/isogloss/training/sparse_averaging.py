"""Sparse gradients averaged over the processes that train together.

`DistributedDataParallel` averages dense gradients, and sparse ones with gloo alone: NCCL cannot add up tensors whose
rows differ. So word embeddings with sparse gradients are kept from it, and the rows that each process has looked up are
gathered here; a step costs the sending of those, not of a quarter of a million.
"""

from __future__ import annotations

import torch
from torch import Tensor, distributed, nn

from isogloss.training.processes import gather_rows
from isogloss.training.word_embeddings import sparse_embeddings


def keep_from_wrapper(model: nn.Module) -> None:
    """Have `DistributedDataParallel` pass a model's sparse embeddings by when it wraps the model."""
    weights = [module.weight for module in sparse_embeddings(model)]
    names = [name for name, value in model.named_parameters() if any(value is weight for weight in weights)]
    nn.parallel.DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(  # type: ignore[no-untyped-call]
        model, names
    )


def average_sparse_gradients(model: nn.Module) -> None:
    """Replace the gradients of sparse embeddings by their means over all processes, the same in each to the last bit.

    All processes have to call it, and to do so once a step.

    Args:
        model: its sparse embeddings have gradients of whatever rows, or none.
    """
    for module in sparse_embeddings(model):
        if module.weight.requires_grad:
            module.weight.grad = _mean(module.weight, module.weight.grad)


def _mean(weight: Tensor, own: Tensor | None) -> Tensor:
    if own is None:
        # What no token of this process was looked up in may have been in another.
        own = torch.sparse_coo_tensor(
            torch.empty(1, 0, dtype=torch.int64, device=weight.device),
            weight.new_empty(0, *weight.shape[1:]),
            weight.shape,
        )
    own = own.coalesce()
    rows = torch.cat(gather_rows(own.indices()[0]))
    values = torch.cat(gather_rows(own.values())) / distributed.get_world_size()
    return torch.sparse_coo_tensor(rows[None], values, weight.shape).coalesce()
