"""AdamW that reads and writes only the embedding rows that a step touched.

Of the weights of a small multilingual model four in five are word embeddings, and a batch looks up some thousand of
their 250,000 rows. Dense AdamW reads and writes all of them, and two moments of each, at every step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor


class RowSparseAdamW(torch.optim.AdamW):
    """`torch.optim.AdamW` that also takes the sparse gradients of ``nn.Embedding(sparse=True)``.

    Parameters with dense gradients are left to `torch.optim.AdamW`. A parameter with a sparse gradient, shape
    (rows, d), is treated as if each row were a parameter of its own: a step that did not look the row up passes it by,
    as torch passes by a parameter without a gradient. Where it is looked up for the k-th time, at a step with learning
    rate lr, by whatever number of tokens whose gradients add up to g (Loshchilov and Hutter 2019, arXiv 1711.05101,
    algorithm 2, with k in place of the step)::

        m <- beta1 m + (1 - beta1) g
        v <- beta2 v + (1 - beta2) g^2
        w <- (1 - lr weight_decay) w - lr (m / (1 - beta1^k)) / (sqrt(v / (1 - beta2^k)) + eps)

    So rows touched at every step move as under dense AdamW; and a row that was not touched

    - keeps its weights: no decay, no drift by old momentum. Dense AdamW shrinks words that are never met by
      ``lr weight_decay`` of their size a step, with no gradient to hold against it; here the words of languages that
      training does not meet stay as the base model has them. And the weights are whole after every step:
      evaluations and checkpoints need no catching up.
    - keeps its moments, so that they average over the steps that say something about it.
    - keeps its count k. With the step of the whole run in place of k, the zeros that the moments begin with would be
      taken for a long history, and a word first met late would move by ``(1 - beta1) / sqrt(1 - beta2)``, 3.2 times
      the learning rate with the usual betas, instead of by the learning rate.

    Moments are held for rows touched so far and no others, in memory and in `state_dict`.

    Args:
        params: parameters or groups of them.
        lr: learning rate.
        betas: decay of the two moments.
        eps: added to the denominator.
        weight_decay: decoupled weight decay.
        foreach: as in `torch.optim.AdamW`, for the dense parameters.
        fused: likewise.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        *,
        foreach: bool | None = None,
        fused: bool | None = None,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, foreach=foreach, fused=fused)
        # A gradient scaler leaves it to fused optimisers to skip a step that overflowed; the rows would not be skipped.
        self._step_supports_amp_scaling = False

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Take a step; return what the closure, if any, returned."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        sparse = [
            (group, parameter, parameter.grad)
            for group in self.param_groups
            for parameter in group["params"]
            if parameter.grad is not None and parameter.grad.is_sparse
        ]
        for _, parameter, _ in sparse:
            parameter.grad = None
        try:
            super().step()
        finally:
            for _, parameter, gradient in sparse:
                parameter.grad = gradient
        for group, parameter, gradient in sparse:
            state = self.state[parameter]
            if not state:
                state.update(_empty_state(parameter))
            _step_rows(parameter, gradient.coalesce(), state, group)
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return the state as `torch.optim.Optimizer` does; of embeddings, that of the rows touched so far."""
        packed = super().state_dict()
        states = {
            index: _packed(state) if "slots" in state else state for index, state in packed["state"].items()
        }
        return {**packed, "state": states}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take a state that `state_dict` gave."""
        states = state_dict["state"]
        # The parent would cast row numbers to the parameter's type.
        dense = {index: state for index, state in states.items() if "rows" not in state}
        super().load_state_dict({**state_dict, "state": dense})
        saved = [index for group in state_dict["param_groups"] for index in group["params"]]
        parameters = [parameter for group in self.param_groups for parameter in group["params"]]
        for index, parameter in zip(saved, parameters, strict=True):
            if index in states and index not in dense:
                self.state[parameter] = _unpacked(states[index], parameter)


def _step_rows(weight: Tensor, gradient: Tensor, state: dict[str, Any], group: Mapping[str, Any]) -> None:
    rows, values = gradient.indices()[0], gradient.values()
    beta1, beta2 = group["betas"]
    rate = float(group["lr"])
    slots = _slots_of(rows, state)
    count = state["step"][slots] + 1
    exp_avg = state["exp_avg"][slots].lerp_(values, 1 - beta1)
    exp_avg_sq = state["exp_avg_sq"][slots].mul_(beta2).addcmul_(values, values, value=1 - beta2)
    size = (rate / _bias_correction(beta1, count)).to(weight.dtype)[:, None]
    root = _bias_correction(beta2, count).sqrt().to(weight.dtype)[:, None]
    denominator = exp_avg_sq.sqrt().div_(root).add_(group["eps"])
    updated = weight[rows].mul_(1 - rate * group["weight_decay"]).sub_(size * exp_avg / denominator)
    weight.index_copy_(0, rows, updated)
    state["step"][slots] = count
    state["exp_avg"].index_copy_(0, slots, exp_avg)
    state["exp_avg_sq"].index_copy_(0, slots, exp_avg_sq)


def _bias_correction(beta: float, count: Tensor) -> Tensor:
    """1 - beta^count; the difference taken in single precision would lose half of the digits of small counts."""
    return torch.ones_like(count) if beta == 0 else -torch.expm1(count * math.log(beta))


def _empty_state(weight: Tensor) -> dict[str, Any]:
    """Return the state of an embedding none of whose rows has been touched.

    ``slots`` gives the place of a row's moments, -1 where it has none; the first ``used`` places are taken.
    """
    return {
        "slots": torch.full((len(weight),), -1, device=weight.device),
        "used": 0,
        "step": torch.zeros(0, dtype=torch.float32, device=weight.device),
        "exp_avg": weight.new_zeros(0, weight.shape[1]),
        "exp_avg_sq": weight.new_zeros(0, weight.shape[1]),
    }


def _slots_of(rows: Tensor, state: dict[str, Any]) -> Tensor:
    """Return the places of rows, after giving one to each that has none."""
    slots: Tensor = state["slots"]
    new = rows[slots[rows] < 0]
    used = state["used"] + len(new)
    if used > len(state["step"]):
        # Doubled, so that growing costs no more than a few copies of what there is at the end.
        capacity = min(max(used, 2 * len(state["step"])), len(slots))
        for name in ("step", "exp_avg", "exp_avg_sq"):
            held = state[name]
            state[name] = torch.cat([held, held.new_zeros(capacity - len(held), *held.shape[1:])])
    slots[new] = torch.arange(state["used"], used, device=slots.device)
    state["used"] = used
    return slots[rows]


def _packed(state: Mapping[str, Any]) -> dict[str, Tensor]:
    rows = (state["slots"] >= 0).nonzero()[:, 0]
    slots = state["slots"][rows]
    return {"rows": rows, **{name: state[name][slots] for name in ("step", "exp_avg", "exp_avg_sq")}}


def _unpacked(packed: Mapping[str, Tensor], weight: Tensor) -> dict[str, Any]:
    state = _empty_state(weight)
    rows = packed["rows"].to(weight.device)
    state["slots"][rows] = torch.arange(len(rows), device=weight.device)
    state["used"] = len(rows)
    state["step"] = packed["step"].to(weight.device, torch.float32, copy=True)
    for name in ("exp_avg", "exp_avg_sq"):
        state[name] = packed[name].to(weight.device, weight.dtype, copy=True)
    return state
