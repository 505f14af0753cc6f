"""Vectors that were computed elsewhere, in the place of a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogloss.encoding.encoder import Progress, Side
from isogloss.encoding.unit_rows import unit_rows
from isogloss.encoding.vector_files import VectorFile, find_vector_files, read_vector_file
from isogloss.errors import ModelError

SCHEME = "vectors:"

_EQUAL = 1e-3
"""Numbers of unit vectors of one text may differ by so much: what it was encoded beside rounds it."""


class PrecomputedEncoder:
    """Looks the vectors of texts up; all of them are held in memory.

    Args:
        path: a file or folder of vectors, in the form of `vector_files`.
        name: what to call it in results; None takes the path.

    Raises:
        ModelError: it cannot be read; a vector is not finite, all zeros, or of another dimension; or a text has two
            different vectors. Says the file and row.
    """

    def __init__(self, path: str | Path, name: str | None = None) -> None:
        self.name = str(path) if name is None else name
        self._files = [read_vector_file(one) for one in find_vector_files(Path(path).expanduser())]
        sizes = {file.vectors.shape[1]: file.path for file in self._files}
        if len(sizes) > 1:
            found = " and ".join(f"{size} in {where}" for size, where in sizes.items())
            raise ModelError(f"{self.name}: vectors of {found}; a model has one dimension")
        self._vectors = np.concatenate([_checked(file) for file in self._files])
        self._row_of: dict[tuple[Side | None, str], int] = {}
        keys = [key for file in self._files for key in zip(file.sides, file.texts, strict=True)]
        for row, key in enumerate(keys):
            first = self._row_of.setdefault(key, row)
            if first != row and np.abs(self._vectors[row] - self._vectors[first]).max() > _EQUAL:
                raise ModelError(
                    f"{self._where(row)}: another vector for {key[1][:60]!r} than {self._where(first)}; a text has one,"
                    " or one as a query and one as a passage (column side)"
                )

    def describe(self) -> dict[str, Any]:
        """Say which vectors these are."""
        return {
            "name": self.name,
            "query_prompt": None,
            "passage_prompt": None,
            "max_length": None,
            "dimension": self._vectors.shape[1],
            "precision": None,
            "device": None,
            "source": "vectors",
            "files": [{"name": file.path.name, "sha256": file.sha256} for file in self._files],
        }

    def encode(
        self,
        texts: Sequence[str],
        side: Side,
        progress: Progress | None = None,
        *,
        languages: Sequence[str] | None = None,
    ) -> NDArray[np.float32]:
        """Look texts up: as texts of this side, else as texts of no side.

        Args:
            texts: the texts.
            side: queries or passages.
            progress: called once.
            languages: change nothing.

        Returns:
            float32, shape (texts, dimension), unit length, in the order of `texts`.

        Raises:
            ModelError: texts have no vector; says how many, and the first.
        """
        rows = [self._row_of.get((side, text), self._row_of.get((None, text), -1)) for text in texts]
        if missing := [text for text, row in zip(texts, rows, strict=True) if row < 0]:
            raise ModelError(
                f"{self.name}: no vector for {len(missing)} of {len(texts)} {side} texts, the first"
                f" {missing[0][:80]!r}; a text is found where it is the same to the letter: `isogloss data texts`"
                " writes those to encode"
            )
        if progress is not None:
            progress(len(texts))
        return self._vectors[np.array(rows, dtype=np.int64)]

    def _where(self, row: int) -> str:
        for file in self._files:
            if row < len(file.texts):
                return f"{file.path}: row {row + 1}"
            row -= len(file.texts)
        raise IndexError(row)


def _checked(file: VectorFile) -> NDArray[np.float32]:
    return unit_rows(file.vectors, lambda row: f"{file.path}: row {row + 1}: the vector")
