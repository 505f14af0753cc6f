"""Clipping by the norm of all gradients, sparse ones among them.

`torch.nn.utils.clip_grad_norm_`, which accelerate calls, has no norm of a sparse gradient. Once its rows are distinct,
though, the norm of such a gradient is that of its values, and to scale it is to scale them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


def with_dense_gradient(parameter: Tensor) -> Tensor:
    """Return what stands for a parameter where gradients are clipped.

    Args:
        parameter: with whatever gradient; a sparse one is coalesced.

    Returns:
        The parameter itself; where its gradient is sparse, a tensor whose gradient is the values of that one, in the
        same memory, shape (rows touched, d).
    """
    gradient = parameter.grad
    if gradient is None or not gradient.is_sparse:
        return parameter
    parameter.grad = gradient = gradient.coalesce()
    stand_in = torch.empty_like(gradient.values())
    stand_in.grad = gradient.values()
    return stand_in


def clip_sparse_gradients(accelerator: Any) -> None:
    """Let an `accelerate.Accelerator` clip sparse gradients together with the dense ones, by one norm over all."""
    clip = accelerator.clip_grad_norm_

    def clip_grad_norm_(parameters: Iterable[Tensor], max_norm: float, norm_type: float = 2) -> Any:
        return clip([with_dense_gradient(parameter) for parameter in parameters], max_norm, norm_type)

    accelerator.clip_grad_norm_ = clip_grad_norm_
