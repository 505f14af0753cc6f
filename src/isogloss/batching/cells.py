"""Cells: the items that have all of a given set of languages, sampled without listing them.

Items are thought of in order of their availability pattern (which languages they have). A pattern is then a
contiguous range of places, and a cell a union of such ranges: a handful of numbers, however many items it has.
The order is not written out: which item is at a place is found by searching one block of items.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from isogloss.items import Availability

# Bytes of pattern numbers looked at together.
_AT_ONCE = 1 << 22


class AvailabilityIndex:
    """Items in order of their availability pattern, items of a pattern in their own.

    Attributes:
        patterns: Shape (patterns, languages), bool: the distinct patterns over the columns, in lexicographic
            order.
        bounds: Shape (patterns + 1,), int64: pattern k holds the places bounds[k] to bounds[k + 1] - 1.

    Args:
        availability: The items' patterns over all languages; what is memory-mapped stays so.
        columns: The columns of the patterns that matter, in the order wanted; the others are not looked at.
    """

    def __init__(self, availability: Availability, columns: Sequence[int]) -> None:
        merged, self._merged_code = availability.merged(list(columns))
        self.patterns: NDArray[np.bool_] = merged.patterns
        # Plain arrays over the same memory, which index faster.
        self._codes = np.asarray(merged.codes)
        self._starts: NDArray[np.signedinteger] | None = None
        self._order: NDArray[np.signedinteger] | None = None
        if len(self.patterns) <= 1:
            sizes = np.full(len(self.patterns), merged.items, dtype=np.int64)
        elif merged.starts is not None:
            sizes = merged.sizes()
            self._starts = np.asarray(merged.starts).reshape(-1)
        else:
            codes = self._code(self._codes.reshape(-1)[: merged.items])
            sizes = np.bincount(codes, minlength=len(self.patterns))
            # Stable, so items ascend inside a pattern; small integers are sorted in linear time.
            order = np.argsort(codes, kind="stable")
            self._order = order.astype(np.int32) if merged.items < 2**31 else order
        self.bounds: NDArray[np.int64] = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)

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
        if self._order is not None:
            return self._order[places].astype(np.int64)
        if self._starts is None or not len(places):
            return places
        together = max(1, _AT_ONCE // self._codes.shape[1])
        parts = [self._found(places[start : start + together]) for start in range(0, len(places), together)]
        return np.concatenate(parts) if len(parts) != 1 else parts[0]

    def items(self, holds: NDArray[np.bool_], limit: int | None = None) -> NDArray[np.int64]:
        """The items of the marked patterns in the order of places, at most `limit` of them."""
        left = self.count(holds) if limit is None else limit
        parts = [np.zeros(0, dtype=np.int64)]
        for pattern in np.flatnonzero(holds).tolist():
            start = int(self.bounds[pattern])
            stop = min(int(self.bounds[pattern + 1]), start + left)
            if start < stop:
                parts.append(self._listed(pattern, start, stop))
                left -= stop - start
        return np.concatenate(parts)

    def _code(self, codes: NDArray[np.unsignedinteger]) -> NDArray[np.unsignedinteger]:
        """Patterns over the columns from those over all languages."""
        return codes if self._merged_code is None else self._merged_code.take(codes)

    def _found(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """The items at places, each by searching the block it is in."""
        assert self._starts is not None
        # Of the type of the starts, which would be copied whole otherwise.
        wanted = places.astype(self._starts.dtype)
        # The last start at or below a place: runs without items, which share a start with the next, are passed.
        runs = np.searchsorted(self._starts, wanted, side="right") - 1
        patterns, blocks = np.divmod(runs, len(self._codes))
        rank = (wanted - self._starts[runs]).astype(np.int64)
        codes = self._code(self._codes[blocks])
        bits = np.packbits(codes == patterns.astype(codes.dtype)[:, None], axis=1, bitorder="little")
        # The word of 64 items that holds the one with this rank, then the place in it.
        words = bits.view("<u8")
        ends = np.cumsum(np.bitwise_count(words), axis=1, dtype=np.int64)
        word = (ends <= rank[:, None]).sum(axis=1)
        row = np.arange(len(places))
        rank -= np.where(word > 0, ends[row, word - 1], 0)
        inside = np.unpackbits(words[row, word].view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")
        place = (np.cumsum(inside, axis=1, dtype=np.int64) <= rank[:, None]).sum(axis=1)
        found: NDArray[np.int64] = blocks * self._codes.shape[1] + word * 64 + place
        return found

    def _listed(self, pattern: int, start: int, stop: int) -> NDArray[np.int64]:
        """The items of one pattern at the places from start to stop - 1: found one by one, or by a scan if less."""
        if self._starts is None:
            return self.items_at(np.arange(start, stop, dtype=np.int64))
        count, size = self._codes.shape
        ends = np.array([start, stop - 1], dtype=self._starts.dtype)
        first, last = np.searchsorted(self._starts, ends, side="right") - 1 - pattern * count
        if stop - start <= last - first:
            return self.items_at(np.arange(start, stop, dtype=np.int64))
        parts = []
        together = max(1, _AT_ONCE // size)
        for block in range(first, last + 1, together):
            codes = self._code(self._codes[block : min(block + together, last + 1)].reshape(-1))
            parts.append(np.flatnonzero(codes == pattern) + block * size)
        skipped = start - int(self._starts[pattern * count + first])
        return np.concatenate(parts)[skipped : skipped + stop - start]


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
