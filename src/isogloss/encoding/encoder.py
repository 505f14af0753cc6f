"""Text in, vectors out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from isogloss.encoding.loading import load_sentence_transformer, prompts_of
from isogloss.encoding.prompts import Prompts
from isogloss.errors import ModelError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Side = Literal["query", "passage"]
Progress = Callable[[int], None]
"""Called with the number of texts just done."""


class Encoder(Protocol):
    """Anything that turns queries and passages into vectors whose dot product is their score."""

    name: str

    def encode(
        self, texts: Sequence[str], side: Side, progress: Progress | None = None
    ) -> NDArray[np.float32]:
        """Encode texts to float32 vectors of unit length, shape (texts, dimension), in the order given."""
        ...


class SentenceTransformerEncoder:
    """A local sentence-transformers model.

    Args:
        model: the loaded model.
        name: what to call it in results.
        prompts: put before queries and passages.
        max_length: tokens after which a text is cut, special tokens included; None keeps the model's own limit.
        batch_size: texts a forward pass.
    """

    def __init__(
        self,
        model: SentenceTransformer,
        name: str,
        prompts: Prompts,
        *,
        max_length: int | None = None,
        batch_size: int = 64,
    ) -> None:
        self.model = model
        self.name = name
        self.prompts = prompts
        self.max_length = max_length
        self.batch_size = batch_size

    @classmethod
    def load(
        cls,
        model: str | Path,
        *,
        query_prompt: str | None = None,
        passage_prompt: str | None = None,
        max_length: int | None = None,
        batch_size: int = 64,
        device: str | None = None,
    ) -> SentenceTransformerEncoder:
        """Load a model by name or folder, with its own prompts unless others are given.

        Raises:
            ModelError: it cannot be found or loaded, or gives no sentence vectors.
            RecipeError: the device is not there, or `max_length` is more than the model takes.
        """
        loaded = load_sentence_transformer(model, device=device, max_length=max_length)
        prompts = prompts_of(loaded, str(model), query_prompt=query_prompt, passage_prompt=passage_prompt)
        return cls(loaded, str(model), prompts, max_length=max_length, batch_size=batch_size)

    def encode(
        self, texts: Sequence[str], side: Side, progress: Progress | None = None
    ) -> NDArray[np.float32]:
        """Encode texts, long ones first so that a batch holds texts of like length and memory peaks at once.

        Args:
            texts: the texts, without prompts.
            side: which prompt to put before them.
            progress: called after each batch with the texts done in it.

        Returns:
            float32, shape (texts, dimension), unit length, in the order of `texts`.

        Raises:
            ModelError: the model fails on a batch.
        """
        prompt = self.prompts.query if side == "query" else self.prompts.passage
        order = sorted(range(len(texts)), key=lambda position: -len(texts[position]))
        vectors: NDArray[np.float32] | None = None
        limit = {} if self.max_length is None else {"processing_kwargs": _truncate_at(self.max_length)}
        for start in range(0, len(order), self.batch_size):
            positions = order[start : start + self.batch_size]
            try:
                batch = self.model.encode(
                    [texts[position] for position in positions],
                    prompt=prompt,
                    batch_size=self.batch_size,
                    normalize_embeddings=True,
                    convert_to_numpy=True,
                    show_progress_bar=False,
                    **limit,
                )
            except (RuntimeError, ValueError, IndexError) as error:
                raise ModelError(
                    f"{self.name}: the model failed on a batch of {len(positions)} texts: {error}"
                ) from error
            if vectors is None:
                vectors = np.empty((len(texts), batch.shape[1]), dtype=np.float32)
            vectors[positions] = batch
            if progress is not None:
                progress(len(positions))
        if vectors is None:
            return np.empty((0, self.model.get_embedding_dimension() or 0), dtype=np.float32)
        return vectors


def _truncate_at(max_length: int) -> dict[str, dict[str, int | bool]]:
    return {"text": {"max_length": max_length, "truncation": True}}


def encode_distinct(
    encoder: Encoder, texts: Sequence[str], side: Side, progress: Progress | None = None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Encode each distinct text once.

    Returns:
        The vectors of the distinct texts, float32, shape (distinct, dimension), in order of first appearance; and for
        each text the row of its vector, int64, shape (texts,).
    """
    row_of: dict[str, int] = {}
    rows = np.fromiter(
        (row_of.setdefault(text, len(row_of)) for text in texts), dtype=np.int64, count=len(texts)
    )
    return encoder.encode(list(row_of), side, progress), rows
