"""What the ranks of relevant candidates do not tell: the first places of each query, and who stands in front of whom.

A second pass over the scores, in the same bounded memory as the first; the same scores, bit for bit, and the same
order of ties.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isogloss.evaluation.columns import column_order
from isogloss.evaluation.measures import PEER_DEPTH, SHARE_DEPTH
from isogloss.evaluation.pool import Pool
from isogloss.evaluation.ranking import Progress
from isogloss.evaluation.scoring import BLOCK_BYTES, DistinctVectors, score_blocks

TOP_DEPTH = max(PEER_DEPTH, SHARE_DEPTH)
"""How many first places are kept for each query."""


@dataclass(frozen=True)
class SecondPass:
    """The first places of every query, and what stands before its relevant candidates in other languages.

    Attributes:
        top: (queries, depth) int32, candidate positions, best first; depth is at most the number of candidates.
        own_before: (n,) int64, for each row of `Pool.qrels` how many candidates in the query's language come before
            the relevant candidate in the whole pool.
    """

    top: NDArray[np.int32]
    own_before: NDArray[np.int64]


def second_pass(
    pool: Pool,
    queries: DistinctVectors,
    candidates: DistinctVectors,
    *,
    depth: int = TOP_DEPTH,
    block_bytes: int = BLOCK_BYTES,
    progress: Progress | None = None,
) -> SecondPass:
    """Go through the scores once more.

    Args:
        pool: Q queries, C candidates and n qrels.
        queries: the queries' vectors, `index` (Q,).
        candidates: the candidates' vectors, `index` (C,).
        depth: places to keep a query; 4 bytes each.
        block_bytes: bytes of scores held at once; changes no result.
        progress: told how many queries are done.

    Raises:
        EvaluationError: as `score_blocks`.
    """
    order = column_order(pool)  # a language is one slice of a row of scores
    column_vector, column_tie = candidates.index[order], pool.tie_position[order]
    column_of = np.empty(len(order), dtype=np.int64)
    column_of[order] = np.arange(len(order))
    starts = np.searchsorted(pool.candidate_language[order], np.arange(len(pool.languages) + 1))

    column = column_of[pool.qrels[:, 1]]
    by_vector, vector_offsets = queries.texts_by_row()
    depth = min(depth, len(order))
    top = np.empty((len(pool.query_ids), depth), dtype=np.int32)
    own_before = np.zeros(len(pool.qrels), dtype=np.int64)
    for block in score_blocks(queries, candidates, block_bytes=block_bytes):
        for vector, scores in enumerate(block.scores, start=block.start):
            row = scores[column_vector]
            askers = by_vector[vector_offsets[vector] : vector_offsets[vector + 1]]
            top[askers] = order[_first(row, column_tie, depth)]
            for query in askers.tolist():
                rows = slice(pool.offsets[query], pool.offsets[query + 1])
                language = pool.query_language[query]
                own = slice(starts[language], starts[language + 1])
                own_before[rows] = _before(row, column[rows], column_tie, own)
        if progress is not None:
            progress(vector_offsets[block.start + len(block.scores)], len(by_vector))
    return SecondPass(top, own_before)


def _first(row: NDArray[np.float32], tie: NDArray[np.int64], depth: int) -> NDArray[np.int64]:
    """The columns of the `depth` first places."""
    # All columns tied with the last place are taken, so that the tie is decided by the order of ids.
    last = np.partition(row, len(row) - depth)[len(row) - depth]
    found = np.flatnonzero(row >= last)
    return found[np.lexsort((tie[found], -row[found]))[:depth]]


def _before(
    row: NDArray[np.float32], columns: NDArray[np.int64], tie: NDArray[np.int64], own: slice
) -> NDArray[np.int64]:
    """For each column how many columns of the slice come before it."""
    ordered = np.sort(row[own])
    scores = row[columns]
    higher = np.searchsorted(ordered, scores, side="right")
    before = len(ordered) - higher
    level = higher - np.searchsorted(ordered, scores, side="left")
    for number in np.flatnonzero(level).tolist():
        tied = (row[own] == scores[number]) & (tie[own] < tie[columns[number]])
        before[number] += np.count_nonzero(tied)
    return before
