"""MinHash: signatures whose agreement estimates the Jaccard similarity of sets (Broder 1997), and its bands.

The Jaccard similarity of two texts is the share of their shingles that both have, of those that either has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isogloss.cleaning.characters import TextArray
from isogloss.cleaning.hashing import mixed, ranges

# As many 32-bit hashes at once as the second-level cache holds.
_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Banding:
    """How signatures are cut into bands: two texts are compared where they agree in all rows of some band.

    Texts of similarity s meet with probability 1 - (1 - s^rows)^bands.

    Attributes:
        bands: how many.
        rows: values of the signature a band.
    """

    bands: int
    rows: int

    @property
    def size(self) -> int:
        """Values of a signature."""
        return self.bands * self.rows

    def meeting(self, similarity: float) -> float:
        """The probability that two texts of a similarity meet in some band."""
        return float(1 - (1 - similarity**self.rows) ** self.bands)


def signatures(shingles: TextArray, size: int) -> NDArray[np.uint32]:
    """The signatures of texts.

    Args:
        shingles: as `hashing.shingles` gives them.
        size: values a signature.

    Returns:
        uint32 of shape (texts, size); that of a text without shingles is the highest value throughout.
    """
    result = np.full((len(shingles), size), np.iinfo(np.uint32).max, np.uint32)
    filled = np.flatnonzero(shingles.lengths)
    if not len(filled):
        return result
    factors, offsets = _functions(size)
    lengths = shingles.lengths[filled]
    parts = np.cumsum(lengths) // _AT_ONCE
    for part in np.split(filled, np.flatnonzero(np.diff(parts)) + 1):
        hashes = shingles.values[shingles.starts[part[0]] : shingles.starts[part[-1] + 1]].astype(np.uint32)
        starts = shingles.starts[part] - shingles.starts[part[0]]
        values = np.empty_like(hashes)
        minima = np.empty((size, len(part)), np.uint32)
        for number in range(size):
            np.multiply(hashes, factors[number], out=values)
            values += offsets[number]
            np.minimum.reduceat(values, starts, out=minima[number])
        result[part] = minima.T
    return result


def band_keys(signature: NDArray[np.uint32], banding: Banding) -> NDArray[np.uint64]:
    """A key for each band of each signature, uint64 of shape (texts, bands)."""
    rows = signature.reshape(len(signature), banding.bands, banding.rows)
    keys = np.broadcast_to(np.arange(banding.bands, dtype=np.uint64), rows.shape[:2])
    for row in range(banding.rows):
        keys = mixed(keys) ^ rows[:, :, row]
    return mixed(keys)


def jaccard(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    """The similarity of two sets of shingles, given sorted and without repetition; 0 where both are empty."""
    common = len(np.intersect1d(one, other, assume_unique=True))
    either = len(one) + len(other) - common
    return common / either if either else 0.0


@dataclass(frozen=True)
class KeyTable:
    """Which places have a key: many keys looked up at once.

    Attributes:
        keys: sorted, uint64 of shape (entries,); a key may come several times.
        places: the place of each entry, int64 of shape (entries,).
    """

    keys: NDArray[np.uint64]
    places: NDArray[np.int64]
    seen: NDArray[np.bool_]

    @classmethod
    def of(cls, keys: NDArray[np.uint64], places: NDArray[np.int64]) -> KeyTable:
        """A table of keys and their places."""
        order = np.argsort(keys, kind="stable")
        # Most keys that are looked up are not there, which one look at a few bits of them tells.
        bits = min(max(len(keys).bit_length() + 4, 10), 24)
        seen = np.zeros(1 << bits, np.bool_)
        seen[keys & np.uint64(len(seen) - 1)] = True
        return cls(keys[order], places[order], seen)

    def find(self, wanted: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Look keys up.

        Returns:
            For each pair of a wanted key and an entry that has it: the position in `wanted`, and the entry's place.
        """
        possible = np.flatnonzero(self.seen[wanted & np.uint64(len(self.seen) - 1)])
        first = np.searchsorted(self.keys, wanted[possible], "left")
        last = np.searchsorted(self.keys, wanted[possible], "right")
        found = last > first
        counts = (last - first)[found]
        return np.repeat(possible[found], counts), self.places[ranges(first[found], counts)]


def _functions(size: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Odd factors and offsets of the hash functions h -> factor * h + offset."""
    factors = mixed(np.arange(size, dtype=np.uint64) + np.uint64(1)).astype(np.uint32) | np.uint32(1)
    offsets = mixed(np.arange(size, dtype=np.uint64) + np.uint64(1 << 40)).astype(np.uint32)
    return factors, offsets
