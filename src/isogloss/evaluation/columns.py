"""In which order candidates are counted, and in which pieces.

Candidates stand language by language, and within a language by ascending id. A piece holds one language, so
nearly always all its ids are smaller than that of a relevant candidate, or all are larger: one comparison with
every score, `>=` or `>`, settles the rank, ties included.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isogloss.evaluation.pool import Pool
from isogloss.evaluation.scoring import CANDIDATE_TILE, DistinctVectors, distinct_vectors

LONGEST_PIECE = CANDIDATE_TILE
"""Scores of a query that are compared at once."""


@dataclass(frozen=True)
class Piece:
    """Some candidates of one language, by id, whose scores lie in one tile.

    Attributes:
        start: the first score, counted from the tile's first.
        stop: behind the last.
        gather: (m,) int64, the scores of the candidates where they are not the scores `start` to `stop`, each
            once: where candidates share a vector.
        tie: (m,) int64, the candidates' `Pool.tie_position`.
        language: their language.
    """

    start: int
    stop: int
    gather: NDArray[np.int64] | None
    tie: NDArray[np.int64]
    language: int

    def __len__(self) -> int:
        return len(self.tie)


@dataclass(frozen=True)
class Columns:
    """The distinct candidate vectors of one tile, and the candidates they serve.

    Attributes:
        start: the first row.
        pieces: every candidate of these rows once.
    """

    start: int
    pieces: tuple[Piece, ...]


def column_order(pool: Pool) -> NDArray[np.int64]:
    """(C,) the candidates by language, then by id."""
    return np.lexsort((pool.tie_position, pool.candidate_language))


def distinct_sides(
    pool: Pool,
    query_vectors: ArrayLike,
    candidate_vectors: ArrayLike,
    *,
    query_index: ArrayLike | None,
    candidate_index: ArrayLike | None,
) -> tuple[DistinctVectors, DistinctVectors]:
    """The vectors of queries and candidates as all that ranks takes them, so that all see the same scores, bit for bit.

    Raises:
        EvaluationError: as `distinct_vectors`.
    """
    return (
        distinct_vectors(query_vectors, pool.query_ids, index=query_index, side="query"),
        distinct_vectors(
            candidate_vectors,
            pool.candidate_ids,
            index=candidate_index,
            side="candidate",
            order=column_order(pool),
        ),
    )


def first_of_vector(pool: Pool, candidates: DistinctVectors) -> NDArray[np.bool_]:
    """(C,) whether a candidate is the first with its vector; nowhere if vectors stand in another order."""
    order = column_order(pool)
    first = np.unique(candidates.index[order], return_index=True)[1]
    found = np.zeros(len(order), dtype=np.bool_)
    if (np.diff(first) > 0).all():
        found[order[first]] = True
    return found


def columns_of(pool: Pool, candidates: DistinctVectors) -> list[Columns]:
    """Cut the distinct candidate vectors into tiles.

    Args:
        pool: C candidates.
        candidates: their vectors. Counting is fastest where they are in the order of `column_order`.
    """
    order = column_order(pool)
    row = candidates.index[order]
    alone = first_of_vector(pool, candidates)[order]
    by_row = np.argsort(row, kind="stable")
    starts = range(0, len(candidates.rows), CANDIDATE_TILE)
    cuts = np.searchsorted(row[by_row], [*starts, len(candidates.rows)]).tolist()
    tiles = []
    for start, low, high in zip(starts, cuts[:-1], cuts[1:], strict=True):
        places = np.sort(by_row[low:high])
        pieces = [
            piece
            for in_place in (True, False)
            for piece in _pieces(pool, order, row, places[alone[places] == in_place], start, in_place)
        ]
        tiles.append(Columns(start, tuple(pieces)))
    return tiles


def _pieces(
    pool: Pool,
    order: NDArray[np.int64],
    row: NDArray[np.int64],
    places: NDArray[np.int64],
    start: int,
    in_place: bool,
) -> Iterator[Piece]:
    """Cut places in the order of columns into pieces; `in_place` where their scores follow each other."""
    language = pool.candidate_language[order[places]]
    tie = pool.tie_position[order[places]]
    scores = row[places] - start
    for low, high in _cuts(np.searchsorted(language, np.arange(len(pool.languages) + 1)).tolist()):
        yield Piece(
            start=int(scores[low]) if in_place else 0,
            stop=int(scores[high - 1]) + 1 if in_place else 0,
            gather=None if in_place else scores[low:high],
            tie=tie[low:high],
            language=int(language[low]),
        )


def _cuts(starts: list[int]) -> Iterator[tuple[int, int]]:
    """Ranges that hold one language each, none of them empty or too long."""
    for begin, end in itertools.pairwise(starts):
        for low in range(begin, end, LONGEST_PIECE):
            yield low, min(low + LONGEST_PIECE, end)
