"""Exact ranks of relevant candidates, in the whole pool and among the candidates of their language.

For 1024 queries at a time, the scores of all candidates are written to one slab of memory after the other, and the
scores above those of the relevant candidates counted while they are in the processor's caches. What the relevant
candidates score has to be known beforehand: it is foretold by a product of their vectors alone. Where the score that
the slab holds turns out to be another, if only in its last bit, those queries are counted once more.
"""

from __future__ import annotations

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
    tile_of,
    worker_threads,
)

Progress = Callable[[int, int], None]
"""Called with the number of queries done and the number of all queries."""

MEMORY_BUDGET = 2.0
"""Gigabytes for scores and their comparison, unless told otherwise."""

_GIGABYTE = 10**9
_TILE_BYTES = 4 * QUERY_TILE * CANDIDATE_TILE
_PAD_BYTES = 64 * QUERY_TILE
# Of few candidates all scores are held at once, so that nothing has to be foretold; of many, as much as caches hold.
_TILES_OF_FEW = 16
_TILES_OF_MANY = 4
# What is compared in one call, so many pieces' worth of flags at most, stays in a core's cache.
_THRESHOLDS_AT_ONCE = 128
_FEWEST_ROWS = 8
_WHOLE = 1024
_TASKS_A_THREAD = 4
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
            and some 50 bytes a candidate; at least 30 MB are used, and never more than 200 MB. Changes no result.
        progress: told how many queries are done, first that none is.

    Raises:
        EvaluationError: the dimensions differ, the budget is not positive, or a score is beyond float32.
    """
    within_float32 = check_scores(queries, candidates)
    if not memory_budget > 0:
        raise EvaluationError(f"memory_budget is {memory_budget}; give a positive number of gigabytes")
    threads = worker_threads() if len(candidates.index) >= _WORTH_THREADS else 1
    # Each thread holds flags and, where vectors are shared, the scores of a piece.
    spare = memory_budget * _GIGABYTE - threads * 6 * _THRESHOLDS_AT_ONCE * LONGEST_PIECE
    tiles = -(-len(candidates.rows) // CANDIDATE_TILE)
    within_budget = max(1, int(spare // (_TILE_BYTES + _PAD_BYTES)))
    if tiles > min(_TILES_OF_FEW, within_budget):
        tiles = max(1, min(_TILES_OF_MANY, within_budget - 1))  # one more is needed to foretell in
    width = tiles * CANDIDATE_TILE
    first = first_of_vector(pool, candidates)
    slabs = slabs_of(pool, candidates, first, width)
    pairs = _Pairs.of(pool, queries, candidates, first)
    queries_until = np.concatenate([[0], np.cumsum(np.bincount(queries.index))]).tolist()
    # Rows of a slab end in a pad: at distances of a power of two they would displace each other from the cache.
    room = np.empty((QUERY_TILE, width + _PAD_BYTES // (4 * QUERY_TILE)), dtype=np.float32)

    def count_tile(start: int, low: int, high: int) -> bool:
        """Count for the pairs of a query tile; say whether all scores were as foretold, and put right those not."""
        vector, row = pairs.vector[low:high], pairs.row[low:high]
        pairs.before[low:high] = pairs.before_in_language[low:high] = 0
        found = np.empty(high - low, dtype=np.float32)
        for slab in slabs:
            tiles_there = -(-(slab.stop - slab.start) // CANDIDATE_TILE)
            scores = room[:, : tiles_there * CANDIDATE_TILE]
            fill_scores(scores, queries, candidates, start, slab.start, within_float32=within_float32)
            here = np.flatnonzero((slab.start <= row) & (row < slab.stop))
            found[here] = scores[vector[here] - start, row[here] - slab.start]
            if len(slabs) == 1:
                pairs.score[low:high] = found
            _count(pairs, room, slab, start, (low, high), executor, threads)
        as_foretold = bool((found == pairs.score[low:high]).all())
        pairs.score[low:high] = found
        return as_foretold

    if progress is not None:
        progress(0, len(queries.index))
    with ThreadPoolExecutor(threads) as executor:
        for start in range(0, len(queries.rows), QUERY_TILE):
            stop = min(start + QUERY_TILE, len(queries.rows))
            low, high = np.searchsorted(pairs.vector, [start, stop]).tolist()
            if low < high:
                if len(slabs) > 1:
                    vector, row = pairs.vector[low:high] - start, pairs.row[low:high]
                    pairs.score[low:high] = _foretold(queries, candidates, start, vector, row)
                if not count_tile(start, low, high):
                    count_tile(start, low, high)
            if progress is not None:
                progress(queries_until[stop], len(queries.index))
    ranks = np.empty((2, len(pool.qrels)), dtype=np.int64)
    ranks[:, pairs.number] = (pairs.before + 1, pairs.before_in_language + 1)
    return Ranks(*ranks)


def _foretold(
    queries: DistinctVectors,
    candidates: DistinctVectors,
    start: int,
    vector: NDArray[np.int64],
    row: NDArray[np.int64],
) -> NDArray[np.float32]:
    """What pairs of a query tile and candidate rows will score, (n,) float32.

    The product has the shape of all others, but the candidates stand at other places in it; libraries give the same
    bits all the same, as a rule.
    """
    rows, place = np.unique(row, return_inverse=True)
    scores = np.empty(len(row), dtype=np.float32)
    left = tile_of(queries.rows, start, QUERY_TILE)
    for low in range(0, len(rows), CANDIDATE_TILE):
        those = rows[low : low + CANDIDATE_TILE]
        right = tile_of(candidates.rows[those], 0, CANDIDATE_TILE)
        with np.errstate(over="ignore", invalid="ignore"):
            product = left @ right.T
        here = np.flatnonzero((low <= place) & (place < low + CANDIDATE_TILE))
        scores[here] = product[vector[here], place[here] - low]
    return scores


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
    def of(
        cls, pool: Pool, queries: DistinctVectors, candidates: DistinctVectors, first: NDArray[np.bool_]
    ) -> _Pairs:
        vector = queries.index[pool.qrels[:, 0]]
        number = np.argsort(vector, kind="stable")
        candidate = pool.qrels[number, 1]
        return cls(
            number=number,
            vector=vector[number],
            row=candidates.index[candidate],
            first=first[candidate],
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
    most = int(np.bincount(pairs.vector[low:high] - start).max())
    height = max(_FEWEST_ROWS, _THRESHOLDS_AT_ONCE // most)
    blocks = range(start, int(pairs.vector[high - 1]) + 1, height)
    share = -(-len(blocks) // (threads * _TASKS_A_THREAD))

    def count(some: range) -> None:
        room = np.empty(_THRESHOLDS_AT_ONCE * (LONGEST_PIECE + _WHOLE), dtype=np.bool_)
        for block in some:
            first, last = (low + np.searchsorted(pairs.vector[low:high], [block, block + height])).tolist()
            if first == last:
                continue
            rows = scores[block - start : block - start + height]
            for piece in slab.pieces:
                part = rows[:, piece.start : piece.stop]
                if piece.gather is not None:
                    part = np.take(rows, piece.gather, axis=1)
                if piece.language < 0:
                    for pair in range(first, last):
                        of_query = part[pairs.vector[pair] - block]
                        _count_languages(pairs, pair, of_query, piece, room, slab.start)
                else:
                    _count_language(pairs, slice(first, last), part, block, piece, room)

    tasks = [blocks[begin : begin + share] for begin in range(0, len(blocks), share)]
    # Without threads where they do not pay.
    for _ in map(count, tasks) if threads == 1 else executor.map(count, tasks):
        pass


def _count_language(
    pairs: _Pairs,
    those: slice,
    part: NDArray[np.float32],
    block: int,
    piece: Piece,
    room: NDArray[np.bool_],
) -> None:
    """Count a piece of one language for the pairs of some query vectors.

    One comparison a score: `>=` for candidates of smaller ids, `>` for the others. `s >= t` is `s > t'` with
    `t'` the next smaller number, so that pairs whose ids lie beyond the piece take one call together.
    """
    score, vector = pairs.score[those], pairs.vector[those]
    row, slot = vector - block, np.arange(len(vector)) - np.searchsorted(vector, vector)
    cuts = np.searchsorted(piece.tie, pairs.tie[those])
    threshold = np.full((slot.max() + 1, len(part), 1), np.inf, dtype=np.float32)
    threshold[slot, row, 0] = np.where(cuts == len(piece), np.nextafter(score, np.float32(-np.inf)), score)
    split = np.flatnonzero((cuts > 0) & (cuts < len(piece)))
    width = -(-len(piece) // _WHOLE) * _WHOLE
    together = max(1, _THRESHOLDS_AT_ONCE // len(part))
    before = np.empty(threshold.shape[:2], dtype=np.int64)
    for low in range(0, len(threshold), together):
        some = threshold[low : low + together]
        flags = room[: some.size * width].reshape(len(some), len(part), width)
        np.greater(part, some, out=flags[:, :, : len(piece)])
        flags[:, :, len(piece) :] = False
        for pair in split[(slot[split] >= low) & (slot[split] < low + together)].tolist():
            cut = cuts[pair]
            np.greater_equal(part[row[pair], :cut], score[pair], out=flags[slot[pair] - low, row[pair], :cut])
        # Flags are bytes: they are added up eight at a time, no more than 128 to a byte.
        sums = flags.view(np.uint64).reshape(-1, _WHOLE // 8).sum(axis=1).view(np.uint8)
        before[low : low + together] = sums.reshape(*some.shape[:2], -1).sum(axis=2, dtype=np.int64)
    pairs.before[those] += before[slot, row]
    pairs.before_in_language[those] += before[slot, row] * (pairs.language[those] == piece.language)


def _count_languages(
    pairs: _Pairs,
    pair: int,
    part: NDArray[np.float32],
    piece: Piece,
    room: NDArray[np.bool_],
    slab_start: int,
) -> None:
    """Count a piece of several short languages for a pair; a tie, which is rare, takes a second look."""
    flags = room[: len(part)]
    score, language = pairs.score[pair], pairs.language[pair]
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
    own = slice(piece.bounds[language], piece.bounds[language + 1])
    pairs.before_in_language[pair] += np.count_nonzero(flags[own])
