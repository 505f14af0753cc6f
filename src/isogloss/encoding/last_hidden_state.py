"""The part of a sentence-transformers model that can be traced: its transformer, from token ids to token vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from isogloss.errors import ModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

EXAMPLE = ["ab cd ef", "gh"]
"""Texts to trace with: two of unlike length, as a trace takes what is 1 for a constant."""

_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class LastHiddenState(nn.Module):
    """A Hugging Face model as a function of tensors.

    Args:
        model: the model.
        names: of the tensors that it will be called with, in order.
    """

    def __init__(self, model: nn.Module, names: Sequence[str]) -> None:
        super().__init__()
        self.model = model
        self.names = tuple(names)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the last hidden state, float32, (texts, tokens, hidden), of int64 tensors (texts, tokens)."""
        output: Tensor = self.model(**dict(zip(self.names, inputs, strict=True))).last_hidden_state
        return output


def transformer_of(model: SentenceTransformer, name: str, what: str, otherwise: str) -> Any:
    """Return a model's first module, where that is a transformer and the next takes its last hidden state alone.

    Args:
        model: the model.
        name: what to call it in errors.
        what: needs that, for errors.
        otherwise: what to do in its place, for errors.

    Raises:
        ModelError: the model has another shape.
    """
    from sentence_transformers.base.modules import Transformer

    transformer = model[0]
    if not isinstance(transformer, Transformer):
        raise ModelError(
            f"{name}: {what} takes a model that begins with a transformer, and this one begins with"
            f" {type(transformer).__name__}; {otherwise}"
        )
    text = transformer.modality_config.get("text", {})
    if (
        text.get("method") != "forward"
        or text.get("method_output_name") != "last_hidden_state"
        or getattr(transformer.config, "output_hidden_states", False)
    ):
        raise ModelError(f"{name}: {what} takes a model that pools its last hidden state alone; {otherwise}")
    return transformer


def inputs_of(transformer: Any, texts: list[str]) -> dict[str, Tensor]:
    """Return what the transformer takes of some texts, int64, (texts, tokens), by name."""
    features = transformer.preprocess(texts)
    return {name: features[name] for name in _INPUTS if name in features}
