"""Vectors on disk that only grow: what is written once is never touched, so readers need no lock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isogloss.errors import DataError, OutputError

_AT_ONCE = 65_536
"""Vectors copied at once."""


class VectorFile:
    """Vectors of one dimension in a file, float32, one after another.

    A vector counts once its position is written down elsewhere, in a transaction; what a killed writer left behind it
    is written over by the next.

    Args:
        path: the file; made where it is not there.
        dimension: numbers a vector.
    """

    def __init__(self, path: Path, dimension: int) -> None:
        self.path = path
        self.dimension = dimension

    def write(self, position: int, vectors: NDArray[np.float32]) -> None:
        """Put vectors, shape (vectors, dimension), at a position and all after it, and wait for the disk.

        Raises:
            OutputError: the file cannot be written.
        """
        try:
            with self.path.open("r+b" if self.path.exists() else "w+b") as file:
                file.seek(position * self.dimension * 4)
                file.write(np.ascontiguousarray(vectors, dtype="<f4").tobytes())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise OutputError(f"{self.path}: cannot write: {error.strerror or error}") from error

    def read(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Read the vectors at positions, float32, shape (positions, dimension).

        Raises:
            DataError: the file is shorter than it should be.
        """
        if not len(positions):
            return np.empty((0, self.dimension), np.float32)
        count = int(positions.max()) + 1
        found = np.empty((len(positions), self.dimension), np.float32)
        for start in range(0, len(positions), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            # Mapped anew each time, so that what was copied need not stay in memory beside its copy.
            found[part] = self._mapped(count)[positions[part]]
        return found

    def copy_to(self, other: VectorFile, positions: NDArray[np.int64]) -> None:
        """Write the vectors at positions into another file, from its start, in that order."""
        for start, vectors in self._batches(positions):
            other.write(start, vectors)

    def _batches(self, positions: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        for start in range(0, len(positions), _AT_ONCE):
            yield start, self.read(positions[start : start + _AT_ONCE])

    def _mapped(self, count: int) -> NDArray[np.float32]:
        needed = count * self.dimension * 4
        try:
            there = self.path.stat().st_size
        except OSError as error:
            raise DataError(
                f"{self.path}: cannot read: {error.strerror or error}; make the index anew"
            ) from error
        if there < needed:
            raise DataError(
                f"{self.path}: has {there:,} bytes where the index needs {needed:,}: it was cut off; make the index"
                " anew"
            )
        return np.memmap(self.path, dtype="<f4", mode="r", shape=(count, self.dimension))
