"""How much memory a batch's activations take, and whether that is within a budget.

A transformer keeps intermediate results of every layer for the backward pass. For large batches they, not the weights,
fill the memory; known before the batch is computed, their size decides whether it has to be computed piecemeal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from isogloss.encoding.micro_batches import split, token_mask

GIGABYTE = 10**9


@dataclass(frozen=True)
class EncoderShape:
    """The sizes of a transformer that its activations depend on.

    Attributes:
        layers: how many there are.
        hidden: values a token.
        intermediate: values a token inside the feed-forward network.
        heads: attention heads.
    """

    layers: int
    hidden: int
    intermediate: int
    heads: int


def encoder_shape(model: nn.Module) -> EncoderShape | None:
    """Read the sizes from the configuration of the transformer in a sentence-transformers model.

    Returns:
        The sizes, a feed-forward network of unstated size counted as four times the hidden size; None where there is no
        transformer or its configuration does not say how many layers, values and heads it has.
    """
    config = getattr(getattr(model, "transformers_model", None), "config", None)
    sizes = [
        getattr(config, name, None) for name in ("num_hidden_layers", "hidden_size", "num_attention_heads")
    ]
    layers, hidden, heads = (size if isinstance(size, int) else 0 for size in sizes)
    if not (layers and hidden and heads):
        return None
    intermediate = getattr(config, "intermediate_size", None)
    return EncoderShape(layers, hidden, intermediate if isinstance(intermediate, int) else 4 * hidden, heads)


def activation_bytes(shape: EncoderShape, texts: int, width: int) -> int:
    """Estimate what the backward pass of texts embedded together needs kept, in bytes.

    A layer of the BERT family in float32 on a CPU keeps for a token 10 times its hidden values (the layer's input,
    query, key, value, the heads' output, two inputs and one output of layer normalisation, two dropout masks), twice
    the intermediate ones (before and after the activation function), and 3 for every head and token attended to
    (softmax, its dropout mask, what dropout leaves). Attention kernels that keep no weights, autocast, gradient
    checkpointing and GPUs, with masks of single bytes, need less; gated feed-forward networks need more.

    Args:
        shape: the transformer's sizes.
        texts: how many there are.
        width: tokens a text, padding included.
    """
    values = 10 * shape.hidden + 2 * shape.intermediate + 3 * shape.heads * width
    return 4 * values * shape.layers * texts * width


def cached_token_budget(
    shape: EncoderShape,
    sides: Sequence[Mapping[str, Any]],
    token_budget: int,
    memory_budget: float,
    *,
    packed: bool = False,
) -> int | None:
    """Decide whether a batch is too large for a memory budget, and how small its micro-batches have to be if so.

    Args:
        shape: the transformer's sizes.
        sides: the features of queries and candidates.
        token_budget: tokens that go through a processor at once; other devices take a side at once.
        memory_budget: gigabytes for the activations of a batch.
        packed: whether texts go through a processor without padding.

    Returns:
        None where the activations of the whole batch are within the budget, or the texts cannot be told apart. Else
        tokens a micro-batch, such that the activations of each are within the budget, or where even the longest text
        is not, at most that text's.
    """
    masks = [token_mask(side) for side in sides]
    needed, widest, on_processor = 0, 1, False
    for mask in masks:
        if mask is None:
            return None
        on_processor = mask.device.type == "cpu"
        if on_processor and packed:
            pieces = [(1, length) for length in mask.sum(dim=1).tolist()]
        elif on_processor:
            pieces = [(part.texts, part.width) for part in split(mask, token_budget)]
        else:
            pieces = [(mask.shape[0], mask.shape[1])]
        needed += sum(activation_bytes(shape, texts, width) for texts, width in pieces)
        widest = max([widest, *(width for _, width in pieces)])
    budget = memory_budget * GIGABYTE
    if needed <= budget:
        return None
    # A token costs most in the longest text, so that what holds for texts of that width holds for all.
    fitting = max(int(budget // activation_bytes(shape, 1, widest)), 1) * widest
    return min(token_budget, fitting) if on_processor else fitting
