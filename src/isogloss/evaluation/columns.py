"""In which order candidates are counted, and in which pieces.

Candidates stand language by language, and within a language by ascending id. Of a piece that holds one
language, the candidates whose id is smaller than that of a relevant candidate are therefore the first ones:
one comparison with every score, `>=` before that place and `>` after it, settles the rank, ties included.
Languages of few candidates share a piece, as a comparison of few numbers takes as long as its call.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isogloss.evaluation.pool import Pool
from isogloss.evaluation.scoring import CANDIDATE_TILE, DistinctVectors, distinct_vectors

LONGEST_PIECE = 8192
"""Scores of a query, of one language, that are compared at once."""

_LONGEST_SHARED = 32768
_OWN_PIECE = 4096


@dataclass(frozen=True)
class Piece:
    """Some candidates, by language and id, whose scores lie in one slab.

    Attributes:
        start: the first score, counted from the slab's first.
        stop: behind the last.
        gather: (m,) int64, the scores of the candidates where they are not the scores `start` to `stop`, each
            once: where candidates share a vector.
        tie: (m,) int64, the candidates' `Pool.tie_position`.
        bounds: where each language begins among the m candidates, and m.
        language: the only language, or -1.
    """

    start: int
    stop: int
    gather: NDArray[np.int64] | None
    tie: NDArray[np.int64]
    bounds: list[int]
    language: int

    def __len__(self) -> int:
        return len(self.tie)


@dataclass(frozen=True)
class Slab:
    """Consecutive distinct candidate vectors whose scores are held at once, and the candidates they serve.

    Attributes:
        start: the first row.
        stop: behind the last.
        pieces: every candidate of these rows once.
    """

    start: int
    stop: int
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


def slabs_of(pool: Pool, candidates: DistinctVectors, first: NDArray[np.bool_], width: int) -> list[Slab]:
    """Cut the distinct candidate vectors into slabs.

    Args:
        pool: C candidates.
        candidates: their vectors. Counting is fastest where they are in the order of `column_order`.
        first: (C,) what `first_of_vector` says.
        width: rows a slab, a multiple of `CANDIDATE_TILE`.
    """
    assert width % CANDIDATE_TILE == 0
    order = column_order(pool)
    row = candidates.index[order]
    alone = first[order]
    by_row = np.argsort(row, kind="stable")
    cuts = np.searchsorted(row[by_row], np.arange(0, len(candidates.rows) + width, width))
    slabs = []
    for number, (low, high) in enumerate(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)):
        start = number * width
        places = np.sort(by_row[low:high])
        pieces = [
            piece
            for in_place in (True, False)
            for piece in _pieces(pool, order, row, places[alone[places] == in_place], start, in_place)
        ]
        slabs.append(Slab(start, min(start + width, len(candidates.rows)), tuple(pieces)))
    return slabs


def _pieces(
    pool: Pool,
    order: NDArray[np.int64],
    row: NDArray[np.int64],
    places: NDArray[np.int64],
    slab_start: int,
    in_place: bool,
) -> Iterator[Piece]:
    """Cut places in the order of columns into pieces; `in_place` where their scores follow each other."""
    language = pool.candidate_language[order[places]]
    tie = pool.tie_position[order[places]]
    scores = row[places] - slab_start
    starts = np.searchsorted(language, np.arange(len(pool.languages) + 1))
    for low, high in _cuts(starts.tolist()):
        bounds = np.clip(starts, low, high) - low
        first, last = int(language[low]), int(language[high - 1])
        yield Piece(
            start=int(scores[low]) if in_place else 0,
            stop=int(scores[high - 1]) + 1 if in_place else 0,
            gather=None if in_place else scores[low:high],
            tie=tie[low:high],
            bounds=bounds.tolist(),
            language=first if first == last else -1,
        )


def _cuts(starts: list[int]) -> Iterator[tuple[int, int]]:
    """Ranges that keep a long language to itself and put neighbouring short ones together."""
    low = 0
    for begin, end in itertools.pairwise(starts):
        long = end - begin >= _OWN_PIECE
        if low < begin and (long or end - low > _LONGEST_SHARED):
            yield low, begin
            low = begin
        while long and low < end:
            yield low, min(low + LONGEST_PIECE, end)
            low = min(low + LONGEST_PIECE, end)
    if low < starts[-1]:
        yield low, starts[-1]
