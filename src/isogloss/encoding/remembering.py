"""An encoder that encodes each text once, however often it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogloss.encoding.encoder import Encoder, Progress, Side


class RememberingEncoder:
    """Vectors of another encoder, kept in memory.

    Args:
        encoder: gives the vectors; one that does not read languages.
        name: what it is called; as the encoder if left out.
    """

    def __init__(self, encoder: Encoder, name: str | None = None) -> None:
        self.encoder = encoder
        self.name = name or encoder.name
        self._vectors: dict[tuple[str, Side], NDArray[np.float32]] = {}

    def describe(self) -> dict[str, Any]:
        """As the encoder describes itself, under this one's name."""
        return {**self.encoder.describe(), "name": self.name}

    def encode(
        self,
        texts: Sequence[str],
        side: Side,
        progress: Progress | None = None,
        *,
        languages: Sequence[str] | None = None,
    ) -> NDArray[np.float32]:
        """Encode what is new, and take the rest from memory.

        Args:
            texts: the texts.
            side: queries or passages.
            progress: told of the texts just encoded.
            languages: change nothing.

        Returns:
            float32, shape (texts, dimension).

        Raises:
            ModelError: the model fails.
        """
        new = [text for text in dict.fromkeys(texts) if (text, side) not in self._vectors]
        if new or not texts:
            vectors = self.encoder.encode(new, side, progress)
            self._vectors |= {(text, side): vector for text, vector in zip(new, vectors, strict=True)}
        if not texts:
            return vectors
        return np.stack([self._vectors[text, side] for text in texts])
