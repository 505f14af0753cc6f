"""Hashes of texts, words and runs, for many texts at once.

All hashes are of 64 bits and depend on nothing but the text: the same on every machine and in every run.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from isogloss.cleaning.characters import CHARACTERS, DENSE, SPACELESS, TextArray, flags_of, starts_of, sums

_BASE = np.uint64(0x9E3779B97F4A7C15)
_SPACE = 32
WORD_SHINGLE, DENSE_SHINGLE = 4, 2


def mixed(values: NDArray[np.unsignedinteger]) -> NDArray[np.uint64]:
    """Spread values over 64 bits (the finaliser of SplitMix64, a bijection)."""
    hashes = values.astype(np.uint64)
    hashes += _BASE
    hashes ^= hashes >> np.uint64(30)
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    hashes ^= hashes >> np.uint64(27)
    hashes *= np.uint64(0x94D049BB133111EB)
    hashes ^= hashes >> np.uint64(31)
    return hashes


@lru_cache(maxsize=1)
def _mixed_characters() -> NDArray[np.uint64]:
    return mixed(np.arange(CHARACTERS, dtype=np.uint64))


def _spread(values: NDArray[np.unsignedinteger]) -> NDArray[np.uint64]:
    """`mixed`, looked up where the values are characters in the form in which they are compared."""
    return _mixed_characters()[values] if values.dtype == np.uint32 else mixed(values)


def run_hashes(values: TextArray) -> NDArray[np.uint64]:
    """A hash of each text's whole run of values, uint64 of shape (texts,); 0 for a text without any."""
    hashes = np.zeros(len(values), np.uint64)
    filled = np.flatnonzero(values.lengths)
    if len(filled):
        starts = values.starts[:-1]
        places = np.arange(len(values.values)) - np.repeat(starts, values.lengths)
        powers = _powers(int(values.lengths.max()))
        sums = np.add.reduceat(_spread(values.values) * powers[places], starts[filled])
        hashes[filled] = mixed(sums + values.lengths[filled].astype(np.uint64))
    return hashes


def units(characters: TextArray) -> TextArray:
    """The words of texts as hashes; a character of a script without spaces is a unit of its own.

    Args:
        characters: as `comparable_characters` gives them.

    Returns:
        uint64 hashes, the texts in their order.
    """
    codes = characters.values
    if not len(codes):
        return TextArray(np.empty(0, np.uint64), np.zeros(len(characters) + 1, np.int64))
    alone = (flags_of(codes) & SPACELESS) != 0
    space = codes == _SPACE
    first = np.zeros(len(codes), np.bool_)
    first[characters.starts[:-1][characters.lengths > 0]] = True
    begins = first | alone
    begins[1:] |= space[:-1] | alone[:-1]
    begins &= ~space
    places = np.flatnonzero(begins)
    # A space belongs to the word before it; taken out, words end where the next begins.
    without = TextArray(codes[~space], np.append(places - np.cumsum(space)[places], np.count_nonzero(~space)))
    return TextArray(run_hashes(without), starts_of(sums(begins, characters.starts)))


def shingles(characters: TextArray) -> TextArray:
    """Hashes of all runs of four characters, or of two where most are of a dense script.

    A shorter text is one run. A run that comes twice is there twice.

    Returns:
        uint64 hashes, the texts in their order.
    """
    dense = (flags_of(characters.values) & DENSE) != 0
    mostly = 2 * sums(dense, characters.starts) > characters.lengths
    sizes = np.where(mostly, DENSE_SHINGLE, WORD_SHINGLE)
    counts = np.where(characters.lengths > 0, np.maximum(characters.lengths - sizes + 1, 1), 0)
    starts = starts_of(counts)
    values = _spread(characters.values)
    hashes = np.empty(int(starts[-1]), np.uint64)
    for size in np.unique(sizes).tolist():
        whole = (sizes == size) & (characters.lengths >= size)
        runs = windows(values, size)
        taken = ranges(characters.starts[:-1][whole], counts[whole])
        hashes[ranges(starts[:-1][whole], counts[whole])] = runs[taken]
    for number in np.flatnonzero((characters.lengths > 0) & (characters.lengths < sizes)).tolist():
        text = values[characters.starts[number] : characters.starts[number + 1]]
        hashes[starts[number]] = (text * _powers(len(text))).sum() + np.uint64(len(text))
    return TextArray(mixed(hashes), starts)


def windows(values: NDArray[np.uint64], size: int) -> NDArray[np.uint64]:
    """Hashes of all runs of `size` values; shape (values - size + 1,), empty where there are fewer values."""
    count = len(values) - size + 1
    if count <= 0:
        return np.empty(0, np.uint64)
    hashes = np.zeros(count, np.uint64)
    for place, power in enumerate(_powers(size)):
        hashes += values[place : place + count] * power
    return hashes


def ranges(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers start, start + 1, ... of several ranges, one range after the other."""
    offsets = starts_of(counts)
    return np.arange(int(offsets[-1])) + np.repeat(starts - offsets[:-1], counts)


def _powers(count: int) -> NDArray[np.uint64]:
    powers = np.full(count, _BASE | np.uint64(1), np.uint64)
    if count:
        powers[0] = 1
    return np.multiply.accumulate(powers)
