"""From places in ranked lists to the negatives of each version: what one language found is carried to the others.

A near miss is a passage in one language, but its item is there in others too: that item is a near miss of
the item that asks, and that item's passage in another language is one there. So places of one item's lists, whichever
of its languages asked and whichever was searched, are brought together by the item that they belong to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogloss.mining.block import Block
from isogloss.mining.rules import limits
from isogloss.mining.searching import Listed

CHOOSING = {
    "not in the language": "the near miss has no version in the language",
    "there already": "among the version's own negatives already",
    "margin in the language": "above a margin for the language's own query",
}
"""Why a near miss of an item is no negative of one of its versions."""


@dataclass(frozen=True)
class Chosen:
    """The negatives of a block of n versions, at most `count` each, the first the best.

    Attributes:
        candidate: (n, count) int64, -1 where there is none.
        score: (n, count) float32, with the version's own query.
        rank: (n, count) int32, the best place in any list.
        query_language: (n, count) int16, whose query found it there.
        passage_language: (n, count) int16, among which language's candidates.
        at_home: (n, count) bool, whether it is also in the version's own list of its own language.
        positive: (n,) float32, what the version's own passage scores.
    """

    candidate: NDArray[np.int64]
    score: NDArray[np.float32]
    rank: NDArray[np.int32]
    query_language: NDArray[np.int16]
    passage_language: NDArray[np.int16]
    at_home: NDArray[np.bool_]
    positive: NDArray[np.float32]


@dataclass(frozen=True)
class _Misses:
    """Near misses: n rows, each a version (or at first an asker) and a candidate (or at first a unit)."""

    asker: NDArray[np.int64]
    found: NDArray[np.int64]
    rank: NDArray[np.int64]
    lists: NDArray[np.int64]
    path: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.asker)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> _Misses:
        return _Misses(*(getattr(self, name)[rows] for name in ("asker", "found", "rank", "lists", "path")))

    def merged(self) -> _Misses:
        """Each (asker, found) once: its best rank, the path to it, and the lists of all."""
        order = np.lexsort((self.path, self.rank, self.found, self.asker))
        ordered = self.take(order)
        new = np.ones(len(ordered), np.bool_)
        new[1:] = (np.diff(ordered.asker) != 0) | (np.diff(ordered.found) != 0)
        starts = np.flatnonzero(new)
        lists = np.add.reduceat(ordered.lists, starts) if len(starts) else ordered.lists
        best = ordered.take(starts)
        return _Misses(best.asker, best.found, best.rank, lists, best.path)


def choose(
    block: Block, listed: Listed, keys: NDArray[np.uint64], existing: list[NDArray[np.uint64]] | None
) -> tuple[Chosen, dict[str, int]]:
    """Choose each version's negatives.

    Args:
        block: n versions.
        listed: what the rules left of their lists.
        keys: (n,) uint64, for random draws, one a version.
        existing: the keys of each version's own negatives, where these are kept.

    Returns:
        The negatives, and how many near misses each of `CHOOSING` took away, of those that were looked at.
    """
    misses, removed = _carried(block, listed)
    if existing is not None:
        theirs = np.repeat(np.arange(len(block)), [len(one) for one in existing])
        there = _is_pair(
            misses.asker, block.candidates.key[misses.found], theirs, np.concatenate([*existing, _NO_KEYS])
        )
        removed["there already"] = int(np.count_nonzero(there))
        misses = misses.take(~there)
    misses = misses.take(_order(block, misses, keys))
    rows, places, scores, too_high = _first_allowed(block, misses)
    removed["margin in the language"] = too_high
    return _chosen(block, misses.take(rows), places, scores, listed), removed


_NO_KEYS = np.empty(0, np.uint64)


def _carried(block: Block, listed: Listed) -> tuple[_Misses, dict[str, int]]:
    """Near misses by version and candidate; what one of an item's languages found, all of them get."""
    candidates, columns = block.candidates, len(block.candidates.starts) - 1
    items = len(candidates.of_item)
    if block.settings.search == "within":
        # Each version keeps what it found itself: it is an asker of its own.
        asker_of_version = np.arange(len(block))
    else:
        asker_of_version = np.unique(block.item, return_inverse=True)[1]
    version_of = np.full((asker_of_version.max() + 1, columns), -1, np.int64)
    version_of[asker_of_version, block.language] = np.arange(len(block))
    # A passage stands for its item; a text that is only a negative stands for itself, with numbers after the items.
    owner = candidates.owner[listed.candidate]
    found = _Misses(
        asker=asker_of_version[listed.query],
        found=np.where(owner >= 0, owner, items + listed.candidate),
        rank=listed.rank,
        lists=np.ones(len(owner), np.int64),
        path=block.language[listed.query] * columns + listed.language,
    ).merged()
    parts, lost = [], 0
    for column in range(columns):
        version = version_of[found.asker, column]
        there = np.flatnonzero(version >= 0)
        unit = found.found[there]
        target = np.where(unit < items, candidates.of_item[np.minimum(unit, items - 1), column], unit - items)
        fits = (target >= candidates.starts[column]) & (target < candidates.starts[column + 1])
        lost += int(np.count_nonzero(~fits))
        part = found.take(there[fits])
        parts.append(_Misses(version[there[fits]], target[fits], part.rank, part.lists, part.path))
    every = _Misses(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("asker", "found", "rank", "lists", "path")
        )
    )
    return every.merged(), {"not in the language": lost}


def _order(block: Block, misses: _Misses, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The rows version by version, the best first: by best rank, then by the number of lists; or as drawn."""
    if block.settings.pick == "first":
        return np.lexsort((misses.found, -misses.lists, misses.rank, misses.asker))
    # The draw depends on the version and the text, not on what else is in the corpus.
    draws = _scrambled(keys[misses.asker] ^ block.candidates.key[misses.found])
    return np.lexsort((misses.found, draws, misses.asker))


def _first_allowed(
    block: Block, misses: _Misses
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], int]:
    """Of each version the first `count` that its own query does not score too high; later ones are not looked at.

    Returns:
        Their rows, their places from 0 and their scores, and how many were refused before the last of them.
    """
    count = block.settings.count
    starts = np.searchsorted(misses.asker, np.arange(len(block)))
    stops = np.searchsorted(misses.asker, np.arange(len(block)), side="right")
    limit = np.minimum(*limits(block.own_positive, block.settings))
    have = np.zeros(len(block), np.int64)
    rows: list[NDArray[np.int64]] = []
    places: list[NDArray[np.int64]] = []
    scores: list[NDArray[np.float64]] = []
    refused = 0
    while len(short := np.flatnonzero((have < count) & (starts < stops))):
        length = np.minimum(stops[short] - starts[short], 2 * count)
        version = np.repeat(short, length)
        first = np.cumsum(length) - length
        row = np.arange(length.sum()) - np.repeat(first, length) + starts[version]
        score = block.scores(version, misses.found[row])
        good = score <= limit[version]
        # How many good ones of the same version stand before each.
        before: NDArray[np.int64] = np.cumsum(good) - good
        before += have[version] - np.repeat(before[first], length)
        refused += int(np.count_nonzero(~good & (before < count)))
        good &= before < count
        rows.append(row[good])
        places.append(before[good])
        scores.append(score[good])
        have += np.bincount(version[good], minlength=len(block))
        starts[short] += length
    return (
        np.concatenate([*rows, np.empty(0, np.int64)]),
        np.concatenate([*places, np.empty(0, np.int64)]),
        np.concatenate([*scores, np.empty(0)]),
        refused,
    )


def _chosen(
    block: Block, misses: _Misses, places: NDArray[np.int64], scores: NDArray[np.float64], listed: Listed
) -> Chosen:
    shape = (len(block), block.settings.count)
    columns = len(block.candidates.starts) - 1
    at = (misses.asker, places)
    home = listed.part(listed.language == block.language[listed.query])
    values = {
        "candidate": (np.int64, -1, misses.found),
        "score": (np.float32, np.nan, scores),
        "rank": (np.int32, 0, misses.rank),
        "query_language": (np.int16, -1, misses.path // columns),
        "passage_language": (np.int16, -1, misses.path % columns),
        "at_home": (np.bool_, False, _is_pair(misses.asker, misses.found, home.query, home.candidate)),
    }
    filled: dict[str, NDArray[Any]] = {}
    for name, (kind, empty, value) in values.items():
        filled[name] = np.full(shape, empty, kind)
        filled[name][at] = value
    return Chosen(**filled, positive=block.own_positive.astype(np.float32))


def _is_pair(
    left: NDArray[np.int64],
    right: NDArray[np.generic],
    among_left: NDArray[np.int64],
    among: NDArray[np.generic],
) -> NDArray[np.bool_]:
    """Whether each (left, right) is one of the pairs (among_left, among)."""
    _, number = np.unique(np.concatenate([right, among]), return_inverse=True)
    base = len(number) + 1
    return np.isin(left * base + number[: len(left)], among_left * base + number[len(left) :])


def _scrambled(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Well-mixed words (the finaliser of SplitMix64, Steele et al. 2014)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
