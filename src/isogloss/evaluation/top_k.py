"""Exact top k over more candidates than memory holds: block after block is ranked and merged into the best so far.

The order is that of all of isogloss: higher score first, then ascending candidate id (`isogloss.evaluation.pool`). A
block that comes later may hold an id that is smaller, so where scores are equal the ids themselves are compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isogloss.errors import EvaluationError
from isogloss.evaluation.scoring import DistinctVectors, distinct_vectors, score_blocks

TOP_K_BLOCK_BYTES = 64 * 2**20
"""How many bytes of scores are held at once, unless told otherwise."""


@dataclass(frozen=True)
class RankedList:
    """One query's best candidates.

    Attributes:
        ids: at most k, in rank order.
        scores: float32, one an id, falling or equal.
    """

    ids: list[str]
    scores: NDArray[np.float32]


def top_k(
    query_ids: Sequence[str],
    query_vectors: ArrayLike,
    blocks: Iterable[tuple[Sequence[str], ArrayLike]],
    k: int,
    *,
    query_index: ArrayLike | None = None,
    block_bytes: int = TOP_K_BLOCK_BYTES,
    progress: Callable[[int], None] | None = None,
) -> list[RankedList]:
    """Find every query's k best candidates by dot product in float32.

    Memory holds one block, its scores against some of the queries, and k ids and scores a query. How candidates are
    spread over blocks changes no list, as far as a matrix product gives equal vectors the same bits wherever they
    stand: inside a block that is made sure of, between blocks the products at least have the same shape (see
    `isogloss.evaluation.scoring`).

    Args:
        query_ids: Q ids, for messages.
        query_vectors: (Q, d) float32, or (V, d) vectors of distinct texts with `query_index`.
        blocks: pairs of n candidate ids and their vectors, (n, d) float32; ids are unique over all blocks.
        k: how many, at least 1.
        query_index: (Q,) integers, each query's row of `query_vectors`.
        block_bytes: bytes of scores held at once, at least those of one query against one block.
        progress: called after each block with the candidates in it.

    Returns:
        Q lists, shorter than k where there are fewer candidates.

    Raises:
        EvaluationError: shapes do not fit, vectors are not finite, k is below 1, or an id is in a list twice.
    """
    if k < 1:
        raise EvaluationError(f"top {k}: the depth must be at least 1")
    if not len(query_ids):
        return []
    queries = distinct_vectors(query_vectors, query_ids, index=query_index, side="query")
    best = _Best(len(queries.rows), k)
    for ids, vectors in blocks:
        if len(ids):
            _merge_block(best, queries, ids, vectors, block_bytes)
        if progress is not None:
            progress(len(ids))
    lists = [best.list(row) for row in range(len(queries.rows))]
    for ranked in lists:
        if len(set(ranked.ids)) != len(ranked.ids):
            twice = Counter(ranked.ids).most_common(1)[0][0]
            raise EvaluationError(f"candidate id {twice!r} comes twice in the corpus; ids must be unique")
    return [lists[row] for row in queries.index.tolist()]


class _Best:
    """The best so far: for each query k scores, -inf where there is none yet, and k ids."""

    def __init__(self, queries: int, k: int) -> None:
        self.k = k
        self.scores = np.full((queries, k), -np.inf, dtype=np.float32)
        self.ids = np.full((queries, k), None, dtype=object)

    def list(self, row: int) -> RankedList:
        there = int(np.isfinite(self.scores[row]).sum())
        return RankedList(self.ids[row, :there].tolist(), self.scores[row, :there].copy())


def _merge_block(
    best: _Best, queries: DistinctVectors, ids: Sequence[str], vectors: ArrayLike, block_bytes: int
) -> None:
    # In the order of their ids, so that of two equal scores in a block the one further left comes first.
    order = sorted(range(len(ids)), key=ids.__getitem__)
    given = distinct_vectors(vectors, ids, side="candidate")
    column_ids = np.array([ids[place] for place in order], dtype=object)
    column_vector = given.index[order]
    all_distinct = len(given.rows) == len(ids)
    candidates = DistinctVectors(given.rows[column_vector], np.arange(len(ids))) if all_distinct else given
    # A half of the budget for the scores, a half for the same in the order of the columns.
    for block in score_blocks(queries, candidates, block_bytes=max(1, block_bytes // 2)):
        scores = block.scores if all_distinct else block.scores[:, column_vector]
        _merge_scores(best, block.start, scores, column_ids)


def _merge_scores(
    best: _Best, start: int, scores: NDArray[np.float32], column_ids: NDArray[np.object_]
) -> None:
    """Merge the scores of consecutive queries against a block; equal scores stand in the order of ids."""
    last = best.scores[start : start + len(scores), -1]
    # A score equal to the last one may belong to a smaller id.
    good = scores >= last[:, None]
    for row in np.flatnonzero(np.count_nonzero(good, axis=1) > best.k).tolist():
        good[row] = _first_k(scores[row], best.k)
    rows, columns = np.nonzero(good)
    if not len(rows):
        return
    found = scores[rows, columns]
    order = np.lexsort((columns, -found, rows))
    rows, columns, found = rows[order], columns[order], found[order]
    touched, first, counts = np.unique(rows, return_index=True, return_counts=True)
    new_scores = np.full((len(touched), counts.max()), -np.inf, dtype=np.float32)
    new_ids = np.full(new_scores.shape, None, dtype=object)
    line = np.repeat(np.arange(len(touched)), counts)
    place = np.arange(len(rows)) - np.repeat(first, counts)
    new_scores[line, place], new_ids[line, place] = found, column_ids[columns]
    _merge_lists(best, start + touched, new_scores, new_ids)


def _first_k(scores: NDArray[np.float32], k: int) -> NDArray[np.bool_]:
    """Mark the k highest of more than k scores; of equal ones those further left."""
    kth = np.partition(scores, len(scores) - k)[len(scores) - k]
    above: NDArray[np.bool_] = np.greater(scores, kth)
    level = np.flatnonzero(scores == kth)[: k - np.count_nonzero(above)]
    above[level] = True
    return above


def _merge_lists(
    best: _Best, rows: NDArray[np.int64], new_scores: NDArray[np.float32], new_ids: NDArray[np.object_]
) -> None:
    """Merge new lists into the best; both are in rank order, and -inf fills them up."""
    k = best.k
    scores = np.concatenate([best.scores[rows], new_scores], axis=1)
    ids = np.concatenate([best.ids[rows], new_ids], axis=1)
    order = np.argsort(-scores, axis=1, kind="stable")
    sorted_scores = np.take_along_axis(scores, order, axis=1)
    # Of an old and a new score that are equal, the old one now stands first, whatever its id. Such a step from old to
    # new matters where its score is among the first k.
    after = sorted_scores[:, 1:]
    level = (after == sorted_scores[:, :-1]) & (after >= sorted_scores[:, k - 1 : k]) & np.isfinite(after)
    mixed = (level & (order[:, :-1] < k) & (order[:, 1:] >= k)).any(axis=1)
    best.scores[rows] = sorted_scores[:, :k]
    best.ids[rows] = np.take_along_axis(ids, order[:, :k], axis=1)
    for number in np.flatnonzero(mixed).tolist():
        there = np.flatnonzero(np.isfinite(scores[number])).tolist()
        there.sort(key=lambda column: (-scores[number, column], ids[number, column]))
        best.ids[rows[number], : len(there[:k])] = ids[number, there[:k]]
