"""Exact ranks of relevant candidates, in the whole pool and among the candidates of their language.

For 512 queries at a time, the scores of all candidates are written to a slab of memory, the relevant
candidates' scores are read there, and the scores above them counted. Where the memory budget is too small for
a slab of all candidates, narrower slabs are filled twice: once to read, once to count.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isogloss.errors import EvaluationError
from isogloss.evaluation.columns import LONGEST_PIECE, Piece, Slab, first_of_vector, slabs_of
from isogloss.evaluation.pool import Pool
from isogloss.evaluation.scoring import (
    CANDIDATE_TILE,
    QUERY_TILE,
    DistinctVectors,
    check_scores,
    fill_scores,
)

Progress = Callable[[int, int], None]
"""Called with the number of queries done and the number of all queries."""

MEMORY_BUDGET = 2.0
"""Gigabytes for scores and their comparison, unless told otherwise."""

_GIGABYTE = 10**9
_TILE_BYTES = 4 * QUERY_TILE * CANDIDATE_TILE
_MOST_THREADS = 8
_ROWS_A_TASK = 16
_PAIRS_AT_ONCE = 4
# Threads that each do only some microseconds' work between two turns of the interpreter hinder each other.
_WORTH_THREADS = 32768


@dataclass(frozen=True)
class Ranks:
    """The ranks of each row of `Pool.qrels`, from 1.

    A rank is 1 plus the number of candidates with a higher score, or with the same score and a smaller id.

    Attributes:
        pool_rank: (n,) int64, among all candidates.
        language_rank: (n,) int64, among the candidates of the relevant candidate's language.
    """

    pool_rank: NDArray[np.int64]
    language_rank: NDArray[np.int64]


def rank_relevant(
    pool: Pool,
    queries: DistinctVectors,
    candidates: DistinctVectors,
    *,
    memory_budget: float = MEMORY_BUDGET,
    progress: Progress | None = None,
) -> Ranks:
    """Rank every relevant candidate by counting those before it; nothing is sorted.

    Args:
        pool: Q queries, C candidates and n qrels.
        queries: the queries' vectors, `index` (Q,).
        candidates: the candidates' vectors, `index` (C,), best in the order of `column_order`.
        memory_budget: gigabytes (10^9 bytes) of scores and their comparison held at once, beside the vectors
            and some 50 bytes a candidate; at least 10 MB are used. 2048 bytes a distinct candidate vector
            are enough for the full speed; with less, the time grows up to twofold. Changes no result.
        progress: told how many queries are done, first that none is.

    Raises:
        EvaluationError: the dimensions differ, the budget is not positive, or a score is beyond float32.
    """
    within_float32 = check_scores(queries, candidates)
    if not memory_budget > 0:
        raise EvaluationError(f"memory_budget is {memory_budget}; give a positive number of gigabytes")
    threads = _threads() if len(candidates.index) >= _WORTH_THREADS else 1
    # Each thread holds flags of a piece and, where vectors are shared, its scores.
    spare = memory_budget * _GIGABYTE - threads * 10 * min(LONGEST_PIECE, len(candidates.index))
    tiles = min(max(1, int(spare // _TILE_BYTES)), -(-len(candidates.rows) // CANDIDATE_TILE))
    slabs = slabs_of(pool, candidates, tiles * CANDIDATE_TILE)
    pairs = _Pairs.of(pool, queries, candidates)
    queries_until = np.concatenate([[0], np.cumsum(np.bincount(queries.index))]).tolist()
    slab_scores = np.empty((QUERY_TILE, tiles * CANDIDATE_TILE), dtype=np.float32)

    def fill(slab: Slab, start: int) -> None:
        tiles_there = -(-(slab.stop - slab.start) // CANDIDATE_TILE)
        scores = slab_scores[:, : tiles_there * CANDIDATE_TILE]
        fill_scores(scores, queries, candidates, start, slab.start, within_float32=within_float32)

    if progress is not None:
        progress(0, len(queries.index))
    with ThreadPoolExecutor(threads) as executor:
        for start in range(0, len(queries.rows), QUERY_TILE):
            stop = min(start + QUERY_TILE, len(queries.rows))
            low, high = np.searchsorted(pairs.vector, [start, stop]).tolist()
            vector, row = pairs.vector[low:high], pairs.row[low:high]
            filled = None
            for slab in slabs:
                here = np.flatnonzero((row >= slab.start) & (row < slab.stop))
                if here.size:
                    fill(slab, start)
                    filled = slab
                    pairs.score[low + here] = slab_scores[vector[here] - start, row[here] - slab.start]
            if filled is not None:
                # The slab that is filled already comes first.
                for slab in sorted(slabs, key=lambda slab: slab is not filled):
                    if slab is not filled:
                        fill(slab, start)
                    _count(pairs, slab_scores, slab, start, (low, high), executor, threads)
            if progress is not None:
                progress(queries_until[stop], len(queries.index))
    ranks = np.empty((2, len(pool.qrels)), dtype=np.int64)
    ranks[:, pairs.number] = (pairs.before + 1, pairs.before_in_language + 1)
    return Ranks(*ranks)


@dataclass(frozen=True)
class _Pairs:
    """Queries and relevant candidates, by the query's vector: n numbers each, the last three filled later.

    `number` is the row of the qrels; `vector` and `row` are the rows of the query's and the candidate's
    vector; `first` says whether the candidate is the first of its vector, as `first_of_vector` does.
    """

    number: NDArray[np.int64]
    vector: NDArray[np.int64]
    row: NDArray[np.int64]
    first: NDArray[np.bool_]
    language: NDArray[np.int64]
    tie: NDArray[np.int64]
    score: NDArray[np.float32]
    before: NDArray[np.int64]
    before_in_language: NDArray[np.int64]

    @classmethod
    def of(cls, pool: Pool, queries: DistinctVectors, candidates: DistinctVectors) -> _Pairs:
        vector = queries.index[pool.qrels[:, 0]]
        number = np.argsort(vector, kind="stable")
        candidate = pool.qrels[number, 1]
        return cls(
            number=number,
            vector=vector[number],
            row=candidates.index[candidate],
            first=first_of_vector(pool, candidates)[candidate],
            language=pool.candidate_language[candidate],
            tie=pool.tie_position[candidate],
            score=np.empty(len(number), dtype=np.float32),
            before=np.zeros(len(number), dtype=np.int64),
            before_in_language=np.zeros(len(number), dtype=np.int64),
        )


def _count(
    pairs: _Pairs,
    scores: NDArray[np.float32],
    slab: Slab,
    start: int,
    of_tile: tuple[int, int],
    executor: ThreadPoolExecutor,
    threads: int,
) -> None:
    """Add to every pair of the tile the slab's candidates that come before its own."""
    low, high = of_tile
    changes = np.flatnonzero(np.diff(pairs.vector[low:high])) + low + 1
    ranges = list(zip([low, *changes.tolist()], [*changes.tolist(), high], strict=True))
    tasks = [ranges[first : first + _ROWS_A_TASK] for first in range(0, len(ranges), _ROWS_A_TASK)]

    def count(task: list[tuple[int, int]]) -> None:
        longest = max(map(len, slab.pieces)) + 1024
        flags = np.empty(_PAIRS_AT_ONCE * longest, dtype=np.bool_)
        gathered = [len(piece) for piece in slab.pieces if piece.gather is not None]
        room = np.empty(max(gathered, default=0), dtype=np.float32)
        for first, last in task:
            row = scores[pairs.vector[first] - start]
            for piece in slab.pieces:
                if piece.gather is None:
                    part = row[piece.start : piece.stop]
                else:
                    part = np.take(row, piece.gather, out=room[: len(piece)], mode="clip")
                if piece.language < 0:
                    _count_languages(pairs, first, last, part, piece, flags, slab.start)
                else:
                    for group in range(first, last, _PAIRS_AT_ONCE):
                        until = min(group + _PAIRS_AT_ONCE, last)
                        _count_language(pairs, group, until, part, piece, flags)

    if threads == 1:
        for task in tasks:
            count(task)
    else:
        for _ in executor.map(count, tasks):
            pass


def _count_language(
    pairs: _Pairs, first: int, last: int, part: NDArray[np.float32], piece: Piece, room: NDArray[np.bool_]
) -> None:
    """Count a piece of one language for at most `_PAIRS_AT_ONCE` pairs of one query vector.

    One comparison a score: `>=` for candidates of smaller ids, `>` for the others. `s >= t` is `s > t'` with
    `t'` the next smaller number, so that pairs whose ids lie beyond the piece take one call together.
    """
    # In whole rows of 1024, to be added up as bytes, eight at a time.
    width = -(-len(part) // 1024) * 1024
    flags = room[: (last - first) * width].reshape(last - first, width)
    score = pairs.score[first:last]
    cuts = np.searchsorted(piece.tie, pairs.tie[first:last])
    threshold = np.where(cuts == len(part), np.nextafter(score, np.float32(-np.inf)), score)
    np.greater(part, threshold[:, None], out=flags[:, : len(part)])
    flags[:, len(part) :] = False
    for pair in np.flatnonzero((cuts > 0) & (cuts < len(part))).tolist():
        cut = cuts[pair]
        np.greater_equal(part[:cut], score[pair], out=flags[pair, :cut])
    of_bytes = flags.view(np.uint64).reshape(last - first, 128, -1).sum(axis=1).view(np.uint8)
    before = of_bytes.reshape(last - first, -1).sum(axis=1, dtype=np.int64)
    pairs.before[first:last] += before
    pairs.before_in_language[first:last] += before * (pairs.language[first:last] == piece.language)


def _count_languages(
    pairs: _Pairs,
    first: int,
    last: int,
    part: NDArray[np.float32],
    piece: Piece,
    flags: NDArray[np.bool_],
    slab_start: int,
) -> None:
    """Count a piece of several short languages; a tie, which is rare, takes a second look."""
    flags = flags[: len(part)]
    for pair in range(first, last):
        score, language = pairs.score[pair], pairs.language[pair]
        own = slice(piece.bounds[language], piece.bounds[language + 1])
        row = pairs.row[pair] - slab_start
        itself = piece.gather is None and pairs.first[pair] and piece.start <= row < piece.stop
        np.greater_equal(part, score, out=flags)
        level = np.count_nonzero(flags)
        np.greater(part, score, out=flags)
        before = np.count_nonzero(flags)
        if level - before > itself:
            flags |= (part == score) & (piece.tie < pairs.tie[pair])
            before = np.count_nonzero(flags)
        pairs.before[pair] += before
        pairs.before_in_language[pair] += np.count_nonzero(flags[own])


def _threads() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST_THREADS)
