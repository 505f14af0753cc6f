"""Which item exists in which languages: a pattern number an item, and how many items of a pattern come before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# A block is what is searched to find an item, so it should be small; the counts take patterns x blocks numbers,
# so there should be few. With four items a pattern and more in a block, the counts take a byte an item at most.
SMALLEST_BLOCK = 512
_ITEMS_A_PATTERN = 4
# With more patterns than these, blocks are too long to be searched for every item of a batch.
MOST_PATTERNS = 4096

_ITEMS_AT_ONCE = 1 << 20


@dataclass(frozen=True, eq=False)
class Availability:
    """Items by their availability pattern, the set of languages that an item exists in.

    A place is a number in the order of the items by pattern, then by item. `starts` makes places findable
    without the order written out: place p lies in the run (pattern, block) with the last start at or below p, and
    is the (p - start)-th item of that pattern in that block.

    Attributes:
        items: Number of items.
        patterns: Shape (patterns, languages), bool: the patterns that occur, in lexicographic order.
        codes: Shape (blocks, items a block), unsigned: the pattern of each item; the end of the last block is 0.
        starts: Shape (patterns, blocks), int32 or int64: the place of the first item of a pattern at or after the
            start of a block. None where there are more than `MOST_PATTERNS` patterns.
    """

    items: int
    patterns: NDArray[np.bool_]
    codes: NDArray[np.unsignedinteger]
    starts: NDArray[np.signedinteger] | None

    @classmethod
    def of(cls, available: NDArray[np.bool_]) -> Availability:
        """Number the patterns of items.

        Args:
            available: Shape (items, languages), bool; may be memory-mapped.
        """
        return cls._of(lambda part: np.asarray(available[part]), *available.shape)

    @classmethod
    def of_rows(cls, rows: NDArray[np.integer]) -> Availability:
        """Number the patterns of items that are in a language where their row is 0 or more.

        Args:
            rows: Shape (items, languages), signed; may be memory-mapped.
        """
        return cls._of(lambda part: np.asarray(rows[part]) >= 0, *rows.shape)

    @classmethod
    def _of(cls, read: Callable[[slice], NDArray[np.bool_]], items: int, languages: int) -> Availability:
        parts = [
            slice(start, min(start + _ITEMS_AT_ONCE, items)) for start in range(0, items, _ITEMS_AT_ONCE)
        ]
        words = _words(np.zeros((0, languages), np.bool_))
        for part in parts:
            words = np.union1d(words, _words(read(part)))
        count = len(words)
        block = block_size(count)
        codes = np.zeros((-(-items // block), block), np.min_scalar_type(max(count - 1, 0)))
        flat = codes.reshape(-1)
        counts = np.zeros((count, len(codes)), np.int64) if count <= MOST_PATTERNS else None
        for part in parts:
            flat[part] = np.searchsorted(words, _words(read(part)))
            if counts is not None:
                first, last = part.start // block, -(-part.stop // block)
                # The counts of a part are those of whole blocks, because a block's length divides a part's.
                places = flat[part].astype(np.int64) * (last - first)
                places += np.arange(part.stop - part.start) // block
                found = np.bincount(places, minlength=count * (last - first))
                counts[:, first:last] = found.reshape(count, last - first)
        return cls(items, _bits(words, languages), codes, None if counts is None else _starts(counts, items))

    def __len__(self) -> int:
        """The number of items."""
        return self.items

    @property
    def languages(self) -> int:
        """The number of languages."""
        return int(self.patterns.shape[1])

    def sizes(self) -> NDArray[np.int64]:
        """The number of items of each pattern, int64 of shape (patterns,)."""
        if self.starts is None:
            return np.bincount(self.codes.reshape(-1)[: self.items], minlength=len(self.patterns))
        if not self.items:
            return np.zeros(0, np.int64)
        return np.diff(np.append(self.starts[:, 0], self.items)).astype(np.int64)

    def rows(self) -> NDArray[np.bool_]:
        """All items written out: bool of shape (items, languages)."""
        rows: NDArray[np.bool_] = np.asarray(self.patterns)[self.codes.reshape(-1)[: self.items]]
        return rows

    def misfit(self, languages: int) -> str | None:
        """The array whose type or shape cannot be that of items in so many languages, None where all fit."""
        count = self.patterns.shape[0] if self.patterns.ndim else 0
        block = block_size(count)
        blocks = -(-self.items // block)
        wanted = {"patterns": ("b", (count, languages)), "codes": ("u", (blocks, block))}
        if self.starts is not None or count <= MOST_PATTERNS:
            wanted["starts"] = ("i", (count, blocks))
        for name, (kind, shape) in wanted.items():
            array = getattr(self, name)
            if array is None or array.dtype.kind != kind or array.shape != shape:
                return name
        return "starts" if self.starts is not None and (self.sizes() < 0).any() else None

    def difference(self, other: Availability) -> str | None:
        """Which of the arrays is not the other's, None where all are the same."""
        if self.items != other.items:
            return "items"
        for name in ("patterns", "codes", "starts"):
            mine, others = getattr(self, name), getattr(other, name)
            same = mine is others if mine is None or others is None else np.array_equal(mine, others)
            if not same:
                return name
        return None

    def merged(self, columns: list[int]) -> tuple[Availability, NDArray[np.unsignedinteger] | None]:
        """The patterns over some of the languages; patterns that these do not tell apart become one.

        The codes stay those of all languages, because they alone grow with the items.

        Args:
            columns: Columns of `patterns`, in the order wanted.

        Returns:
            The patterns over `columns` with their starts, and for each pattern of this object which of those it
            is: shape (patterns,); None where the codes serve as they are.
        """
        words, of_pattern = np.unique(_words(np.asarray(self.patterns)[:, columns]), return_inverse=True)
        patterns = _bits(words, len(columns))
        count = len(words)
        if np.array_equal(of_pattern, np.arange(count)):
            return Availability(self.items, patterns, self.codes, self.starts), None
        starts = None
        if self.starts is not None:
            starts = np.zeros((count, len(self.codes)), self.starts.dtype)
            for pattern, merged in enumerate(of_pattern):
                starts[merged] += self.starts[pattern] - self.starts[pattern, 0]
            sizes = np.bincount(of_pattern, weights=self.sizes(), minlength=count).astype(np.int64)
            starts += (np.cumsum(sizes) - sizes).astype(starts.dtype)[:, None]
        return (
            Availability(self.items, patterns, self.codes, starts),
            of_pattern.astype(np.min_scalar_type(max(count - 1, 0))),
        )


def block_size(patterns: int) -> int:
    """The number of items in a block: a power of two."""
    wanted = _ITEMS_A_PATTERN * min(patterns, MOST_PATTERNS)
    return max(SMALLEST_BLOCK, 1 << max(wanted - 1, 0).bit_length())


def _starts(counts: NDArray[np.int64], items: int) -> NDArray[np.signedinteger]:
    """Places of the runs from the number of items in each: shape (patterns, blocks)."""
    ends = np.cumsum(counts.reshape(-1))
    starts = ends.reshape(counts.shape) - counts
    return starts.astype(np.int32 if items < 2**31 else np.int64)


def _words(available: NDArray[np.bool_]) -> NDArray[np.generic]:
    """One word an item in the lexicographic order of the rows: the first language is the most significant bit."""
    packed = np.packbits(available, axis=1)
    padded = np.zeros((len(packed), max(-(-packed.shape[1] // 8), 1) * 8), np.uint8)
    padded[:, : packed.shape[1]] = packed
    if padded.shape[1] == 8:
        return padded.view(">u8").reshape(-1).astype(np.uint64)
    # Byte strings of one length compare as numbers of as many digits do.
    return padded.view(f"S{padded.shape[1]}").reshape(-1)


def _bits(words: NDArray[np.generic], languages: int) -> NDArray[np.bool_]:
    """The rows that `_words` made words of."""
    plain = words.astype(">u8") if words.dtype.kind == "u" else words
    width = plain.dtype.itemsize
    packed = np.ascontiguousarray(plain).view(np.uint8).reshape(len(words), width)
    return np.unpackbits(packed, axis=1)[:, :languages].astype(np.bool_)
