"""Cells: the items that have all of a given set of languages, sampled without listing them.

Items are put in order of their availability pattern (which languages they have). A pattern is then a
contiguous range, and a cell a union of such ranges: a handful of numbers, however many items it has.
Fully parallel data have one pattern, and need not even the order.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_ROWS_AT_ONCE = 1 << 20


class AvailabilityIndex:
    """Items in order of their availability pattern.

    Attributes:
        patterns: Shape (patterns, languages), bool: the distinct rows of `available`, in lexicographic order.
        bounds: Shape (patterns + 1,), int64: pattern k holds the places bounds[k] to bounds[k + 1] - 1.

    Args:
        available: Shape (items, languages), bool.
        columns: The columns of `available` that matter, in the order wanted; the others are not looked at.
    """

    def __init__(self, available: NDArray[np.bool_], columns: Sequence[int]) -> None:
        codes = _pattern_codes(available, columns)
        items = len(codes)
        self._order: NDArray[np.signedinteger] | None = None
        if items == 0 or (codes == codes[0]).all():
            first = np.zeros(min(items, 1), dtype=np.int64)
            counts = np.full(len(first), items, dtype=np.int64)
        else:
            _, first, inverse, counts = np.unique(
                codes, return_index=True, return_inverse=True, return_counts=True
            )
            # Stable, so items ascend inside a pattern; small integers are sorted in linear time.
            order = np.argsort(inverse.astype(np.min_scalar_type(len(first))), kind="stable")
            self._order = order.astype(np.int32) if items <= np.iinfo(np.int32).max else order
        self.patterns: NDArray[np.bool_] = available[first][:, list(columns)]
        self.bounds: NDArray[np.int64] = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)

    def ranges(self, holds: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Places of the items of the marked patterns, as (starts, stops) with neighbours merged.

        Args:
            holds: Shape (patterns,), bool.
        """
        edges = np.diff(np.concatenate(([0], holds.astype(np.int8), [0])))
        return self.bounds[np.flatnonzero(edges == 1)], self.bounds[np.flatnonzero(edges == -1)]

    def count(self, holds: NDArray[np.bool_]) -> int:
        """Number of items of the marked patterns."""
        return int(np.diff(self.bounds)[holds].sum())

    def items_at(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """The items at places of the order, int64."""
        return places if self._order is None else self._order[places].astype(np.int64)

    def items(self, holds: NDArray[np.bool_], limit: int | None = None) -> NDArray[np.int64]:
        """The items of the marked patterns in the order of places, at most `limit` of them."""
        starts, stops = self.ranges(holds)
        if limit is not None and len(starts):
            before = np.concatenate(([0], np.cumsum(stops - starts)[:-1]))
            stops = np.minimum(stops, starts + np.maximum(limit - before, 0))
        places = [np.arange(start, stop, dtype=np.int64) for start, stop in zip(starts, stops, strict=True)]
        return self.items_at(np.concatenate(places) if places else np.zeros(0, dtype=np.int64))


class CellTable:
    """Several cells of one index, drawn from together.

    The cells' items are numbered one cell after the other; a draw is a number, found among the ranges by
    bisection: O(log ranges). The memory is the number of ranges, at most cells times patterns.

    Attributes:
        sizes: Shape (cells,), int64: number of items in each cell.

    Args:
        index: The items in order of their patterns.
        holds: For each cell, which patterns belong to it: bool, shape (patterns,).
    """

    def __init__(self, index: AvailabilityIndex, holds: Sequence[NDArray[np.bool_]]) -> None:
        self._index = index
        self._holds = list(holds)
        ranges = [index.ranges(marked) for marked in holds]
        starts = np.concatenate([start for start, _ in ranges] or [np.zeros(0, dtype=np.int64)])
        lengths = np.concatenate([stop - start for start, stop in ranges] or [np.zeros(0, dtype=np.int64)])
        self.sizes: NDArray[np.int64] = np.array([(b - a).sum() for a, b in ranges], dtype=np.int64)
        self._first = np.cumsum(self.sizes) - self.sizes
        self._ends = np.cumsum(lengths)
        self._shift = starts - (self._ends - lengths)

    def draw(self, cells: NDArray[np.int64], uniforms: NDArray[np.float64]) -> NDArray[np.int64]:
        """Draw one item from each of the cells.

        Args:
            cells: Shape (n,), cells that are not empty.
            uniforms: Shape (n,), numbers in [0, 1); number u takes the item at floor(u * size) of its cell.

        Returns:
            Items, int64 of shape (n,).
        """
        numbers = self._first[cells] + (uniforms * self.sizes[cells]).astype(np.int64)
        return self._index.items_at(numbers + self._shift[np.searchsorted(self._ends, numbers, side="right")])

    def items(self, cell: int) -> NDArray[np.int64]:
        """All items of a cell, in the order that `draw` counts them."""
        return self._index.items(self._holds[cell])


def _pattern_codes(available: NDArray[np.bool_], columns: Sequence[int]) -> NDArray[np.unsignedinteger]:
    """One integer an item, in the lexicographic order of the rows; equal rows, equal integers."""
    items = len(available)
    codes = np.zeros(items, dtype=np.uint64)
    # Eight languages a byte, eight bytes a word; the first language is the most significant bit.
    for word in range(0, len(columns), 64):
        part = np.zeros((items, 8), dtype=np.uint8)
        chosen = list(columns[word : word + 64])
        for row in range(0, items, _ROWS_AT_ONCE):
            packed = np.packbits(available[row : row + _ROWS_AT_ONCE][:, chosen], axis=1)
            part[row : row + _ROWS_AT_ONCE, : packed.shape[1]] = packed
        code = part.view(">u8").ravel().astype(np.uint64)
        if word == 0:
            codes = code
        else:
            # Ranks instead of words keep the product of two small enough for one integer.
            ranks = np.unique(codes, return_inverse=True)[1].astype(np.uint64)
            values, code_ranks = np.unique(code, return_inverse=True)
            codes = ranks * np.uint64(len(values)) + code_ranks.astype(np.uint64)
    return codes
