"""Fixed-width rows that may be more than fit in memory: kept in a buffer, spilled to files by the top bits of a key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A buffer of this many bytes is spilled; what never fills one stays in memory, and no file is made.
_BUFFER_BYTES = 1 << 25
# Rows are read back a part at a time: a sixty-fourth of them, so some hundred megabytes of a few hundred million.
_PART_BITS = 6


class SpilledRows:
    """Rows gathered in any order and read back part by part, in the order of the top bits of their keys.

    All rows of one key are in one part, and the keys of a part are all lower than those of the next one: what is
    done key by key, or in the order of keys, needs one part in memory and no sort of the whole.

    Args:
        folder: A folder for the files, which are removed with it by whoever made it.
        name: How the files begin.
        dtype: A structured type whose first field is an unsigned 64-bit number, the key's top bits.
    """

    def __init__(self, folder: Path, name: str, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self._paths = [folder / f"{name}-{part}.rows" for part in range(1 << _PART_BITS)]
        self._pending: list[NDArray[Any]] = []
        self._bytes = 0
        self._rows = 0
        self._spilled = False

    def add(self, rows: NDArray[Any]) -> None:
        """Add rows of `dtype`, shape (rows,)."""
        self._pending.append(rows)
        self._bytes += rows.nbytes
        self._rows += len(rows)
        if self._bytes >= _BUFFER_BYTES:
            self._spill()

    def parts(self) -> Iterator[NDArray[Any]]:
        """The rows in parts, sorted by the first field within a part as well; may be gone through again."""
        if not self._spilled:
            rows = self._buffered()
            yield rows[np.argsort(rows[self._key], kind="stable")]
            return
        if self._pending:
            self._spill()
        for path in self._paths:
            if path.exists():
                rows = np.fromfile(path, self.dtype)
                yield rows[np.argsort(rows[self._key], kind="stable")]

    def __len__(self) -> int:
        """The number of rows."""
        return self._rows

    @property
    def _key(self) -> str:
        assert self.dtype.names is not None
        return self.dtype.names[0]

    def _buffered(self) -> NDArray[Any]:
        return np.concatenate(self._pending) if self._pending else np.empty(0, self.dtype)

    def _spill(self) -> None:
        rows = self._buffered()
        numbers = (rows[self._key] >> np.uint64(64 - _PART_BITS)).astype(np.int64)
        rows = rows[np.argsort(numbers, kind="stable")]
        ends = np.cumsum(np.bincount(numbers, minlength=len(self._paths)))
        start = 0
        for path, end in zip(self._paths, ends.tolist(), strict=True):
            if end > start:
                with path.open("ab") as file:
                    rows[start:end].tofile(file)
            start = end
        self._pending, self._bytes, self._spilled = [], 0, True
