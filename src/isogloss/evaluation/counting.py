"""How many scores of a tile come before those of relevant candidates.

All numbers of a tile are compared with the thresholds of their queries in few calls of numpy, whose flags, a byte each,
are added up eight at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from isogloss.evaluation.columns import LONGEST_PIECE, Columns, Piece

_Number = TypeVar("_Number", np.float32, np.int64)

# Flags of one comparison: they and the scores compared stay in a core's cache.
_FLAGS_AT_ONCE = 2**18
_MOST_SLOTS = 32
# numpy copies rows shorter than its buffer together before it compares them, at four times the cost.
_NUMPY_BUFFER = 256

MOST_BYTES = 16 * _FLAGS_AT_ONCE
"""What counting holds at most beside the scores and the thresholds: flags, and scores that are not in place."""


@dataclass(frozen=True)
class Thresholds:
    """Relevant candidates of the queries of a tile, laid out in lines of as many slots as most queries fill.

    A query with more relevant candidates has several lines; an empty slot is never reached.

    Attributes:
        row: (lines,) int64, the queries' rows of scores, ascending.
        in_place: whether the rows are all from 0 on, one line each.
        place: (n,) int64, each pair's place in the flattened (slots, lines).
        score: (slots, lines) float32, what the relevant candidate scores.
        below: (slots, lines) float32, the next smaller number.
        tie: (slots, lines) int64, its `Pool.tie_position`; -1 in an empty slot.
        language: (slots, lines) int64, its language; -1 in an empty slot.
    """

    row: NDArray[np.int64]
    in_place: bool
    place: NDArray[np.int64]
    score: NDArray[np.float32]
    below: NDArray[np.float32]
    tie: NDArray[np.int64]
    language: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        row: NDArray[np.int64],
        score: NDArray[np.float32],
        tie: NDArray[np.int64],
        language: NDArray[np.int64],
    ) -> Thresholds:
        """Lay out n > 0 pairs, given by ascending row."""
        rows, first, counts = np.unique(row, return_index=True, return_counts=True)
        slots = min(_MOST_SLOTS, max(1, round(len(row) / len(rows))))
        lines_of_row = -(-counts // slots)
        first_line = np.cumsum(lines_of_row) - lines_of_row
        nth = np.arange(len(row)) - np.repeat(first, counts)
        lines = int(lines_of_row.sum())
        place = nth % slots * lines + np.repeat(first_line, counts) + nth // slots
        line_row = np.repeat(rows, lines_of_row)

        def laid_out(values: NDArray[_Number], empty: float) -> NDArray[_Number]:
            grid = np.full(slots * lines, empty, dtype=values.dtype)
            grid[place] = values
            return grid.reshape(slots, lines)

        return cls(
            row=line_row,
            in_place=bool((line_row == np.arange(lines)).all()),
            place=place,
            score=laid_out(score, np.inf),
            below=laid_out(np.nextafter(score, np.float32(-np.inf)), np.inf),
            tie=laid_out(tie, -1),
            language=laid_out(language, -1),
        )

    def nothing(self) -> NDArray[np.int64]:
        """Counts to add to: (2, slots, lines) zeros."""
        return np.zeros((2, *self.score.shape), dtype=np.int64)

    def of_pairs(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """(2, n) the counts of each pair."""
        return counts.reshape(2, -1)[:, self.place]


def count_before(thresholds: Thresholds, columns: Columns, scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Count the candidates of a tile that come before each relevant candidate.

    Args:
        thresholds: what the relevant candidates score, bit for bit as the tiles do.
        columns: the tile's candidates.
        scores: (queries, candidates) of the tile.

    Returns:
        (2, slots, lines): among all candidates, and among those of the relevant candidate's language.
    """
    before = thresholds.nothing()
    old = np.setbufsize(_NUMPY_BUFFER)  # of this thread
    try:
        for piece in columns.pieces:
            found = _count_piece(thresholds, piece, scores)
            before[0] += found
            before[1] += found * (thresholds.language == piece.language)
    finally:
        np.setbufsize(old)
    return before


def _count_piece(thresholds: Thresholds, piece: Piece, scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Compare each score once: `>=` for candidates of smaller ids, written as `>` of the next smaller number.

    Where smaller and larger ids meet in the piece, scores equal to the relevant one are looked at once more.
    """
    beyond = thresholds.tie > piece.tie[-1]
    least = np.where(beyond, thresholds.below, thresholds.score)[:, :, None]
    slots, lines = beyond.shape
    words = -(-len(piece) // 8)
    height = max(1, _FLAGS_AT_ONCE // (slots * LONGEST_PIECE))
    room = np.empty((slots, height, 8 * words), dtype=np.bool_)
    room[:, :, len(piece) :] = False
    sums = np.empty((slots, lines), dtype=np.uint64)  # at most 128 flags in each of eight bytes
    before = np.zeros((slots, lines), dtype=np.int64)
    line, slot = np.nonzero((~beyond & (thresholds.tie > piece.tie[0])).T)
    cuts = np.searchsorted(line, range(0, lines + height, height)).tolist()
    for block, low in enumerate(range(0, lines, height)):
        some = slice(low, min(low + height, lines))
        rows = scores[some] if thresholds.in_place else scores[thresholds.row[some]]
        part = (
            rows[:, piece.start : piece.stop] if piece.gather is None else np.take(rows, piece.gather, axis=1)
        )
        flags = room[:, : len(part)]
        np.greater(part, least[:, some], out=flags[:, :, : len(piece)])
        np.add.reduce(flags.view(np.uint64), axis=2, out=sums[:, some])
        split = slice(cuts[block], cuts[block + 1])
        if split.start < split.stop:
            where = slot[split], line[split]
            pair, column = np.nonzero(part[where[1] - low] == thresholds.score[where][:, None])
            pair = pair[piece.tie[column] < thresholds.tie[where][pair]]
            before[where] = np.bincount(pair, minlength=len(where[0]))
    before += _bytes_added(sums)
    return before


def _bytes_added(sums: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The sum of each number's eight bytes: first of neighbours, then by a product whose top collects all four."""
    odd = np.uint64(0x00FF00FF00FF00FF)
    pairs = (sums & odd) + (sums >> np.uint64(8) & odd)
    return (pairs * np.uint64(0x0001000100010001) >> np.uint64(48)).astype(np.int64)
