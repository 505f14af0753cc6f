"""Exact ranks of relevant candidates, in the whole pool and among the candidates of their language.

A rank is counted: how many scores are above that of the relevant candidate. What the relevant candidates score has to
be known beforehand. Of a small pool, all scores of 1024 queries are therefore held at once. Of a large one, each
thread multiplies a tile and counts it while it is in the caches; what the relevant candidates score is foretold by a
product of their vectors alone. Where the score that a tile holds turns out to be another, if only in its last bit,
the tile's queries are counted once more.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isogloss.errors import EvaluationError
from isogloss.evaluation.columns import Columns, columns_of
from isogloss.evaluation.counting import MOST_BYTES, Thresholds, count_before
from isogloss.evaluation.pool import Pool
from isogloss.evaluation.scoring import (
    CANDIDATE_TILE,
    QUERY_TILE,
    DistinctVectors,
    check_scores,
    multiply_tile,
    one_thread_a_product,
    tile_of,
    worker_threads,
)

Progress = Callable[[int, int], None]
"""Called with the number of queries done and the number of all queries."""

MEMORY_BUDGET = 2.0
"""Gigabytes for scores and their comparison, unless told otherwise."""

_GIGABYTE = 10**9
# Rows of a tile end in a pad: at distances of a power of two they would displace each other from the cache.
_PAD = 16
_TILE_BYTES = 4 * QUERY_TILE * (CANDIDATE_TILE + _PAD)
# So many tiles at most are held at once, so that nothing has to be foretold.
_TILES_HELD = 32


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
            and some 50 bytes a candidate; at least 15 MB are used, and never more than 300 MB. Changes no result.
        progress: told how many queries are done, first that none is.

    Raises:
        EvaluationError: the dimensions differ, the budget is not positive, or a score is beyond float32.
    """
    within_float32 = check_scores(queries, candidates)
    if not memory_budget > 0:
        raise EvaluationError(f"memory_budget is {memory_budget}; give a positive number of gigabytes")
    columns = columns_of(pool, candidates)
    # One tile is for what is foretold, or for a product's copy.
    affordable = memory_budget * _GIGABYTE - _TILE_BYTES
    threads = max(1, min(worker_threads(), len(columns), int(affordable // (_TILE_BYTES + MOST_BYTES))))
    spare = int((affordable - threads * MOST_BYTES) // _TILE_BYTES)
    held = len(columns) <= min(_TILES_HELD, spare)
    rooms = np.empty((len(columns) if held else threads, QUERY_TILE, CANDIDATE_TILE + _PAD), dtype=np.float32)
    rooms = rooms[:, :, :CANDIDATE_TILE]
    pairs = _Pairs.of(pool, queries, candidates)
    queries_until = np.concatenate([[0], np.cumsum(np.bincount(queries.index))]).tolist()
    before = np.zeros((2, len(pool.qrels)), dtype=np.int64)
    if progress is not None:
        progress(0, len(queries.index))
    with one_thread_a_product(), ThreadPoolExecutor(threads) as executor:
        for start in range(0, len(queries.rows), QUERY_TILE):
            stop = min(start + QUERY_TILE, len(queries.rows))
            those = pairs.between(start, stop)
            if len(those.number):
                tile = _Tile(tile_of(queries.rows, start, QUERY_TILE), candidates, columns, within_float32)
                count = _count_held if held else _count_foretold
                before[:, those.number] = count(tile, those, rooms, executor)
            if progress is not None:
                progress(queries_until[stop], len(queries.index))
    return Ranks(*(before + 1))


@dataclass(frozen=True)
class _Pairs:
    """Queries and relevant candidates, by the query's vector: n numbers each.

    `number` is the row of the qrels; `vector` and `row` are the rows of the query's and the candidate's vector.
    """

    number: NDArray[np.int64]
    vector: NDArray[np.int64]
    row: NDArray[np.int64]
    language: NDArray[np.int64]
    tie: NDArray[np.int64]

    @classmethod
    def of(cls, pool: Pool, queries: DistinctVectors, candidates: DistinctVectors) -> _Pairs:
        vector = queries.index[pool.qrels[:, 0]]
        number = np.argsort(vector, kind="stable")
        candidate = pool.qrels[number, 1]
        return cls(
            number=number,
            vector=vector[number],
            row=candidates.index[candidate],
            language=pool.candidate_language[candidate],
            tie=pool.tie_position[candidate],
        )

    def between(self, start: int, stop: int) -> _Pairs:
        """The pairs of some query vectors, which are counted from `start`."""
        low, high = np.searchsorted(self.vector, [start, stop]).tolist()
        some = slice(low, high)
        return _Pairs(
            self.number[some], self.vector[some] - start, self.row[some], self.language[some], self.tie[some]
        )

    def thresholds(self, scores: NDArray[np.float32]) -> Thresholds:
        return Thresholds.of(self.vector, scores, self.tie, self.language)


@dataclass(frozen=True)
class _Tile:
    """1024 queries, `left`, and all candidates."""

    left: NDArray[np.float32]
    candidates: DistinctVectors
    columns: list[Columns]
    within_float32: bool

    def multiply(self, some: Columns, room: NDArray[np.float32]) -> None:
        multiply_tile(self.left, self.candidates, some.start, room, within_float32=self.within_float32)


def _count_held(
    tile: _Tile, pairs: _Pairs, rooms: NDArray[np.float32], executor: Executor
) -> NDArray[np.int64]:
    """Multiply all, look up what the relevant candidates score, count all."""
    for _ in executor.map(tile.multiply, tile.columns, rooms):
        pass
    place, column = np.divmod(pairs.row, CANDIDATE_TILE)
    thresholds = pairs.thresholds(rooms[place, pairs.vector, column])
    counts = executor.map(lambda some, room: count_before(thresholds, some, room), tile.columns, rooms)
    return thresholds.of_pairs(sum(counts, start=thresholds.nothing()))


def _count_foretold(
    tile: _Tile, pairs: _Pairs, rooms: NDArray[np.float32], executor: Executor
) -> NDArray[np.int64]:
    """Foretell what the relevant candidates score, then multiply and count tile after tile."""
    found = _foretold(tile.left, tile.candidates, pairs.vector, pairs.row, executor)
    by_row = np.argsort(pairs.row, kind="stable")
    cuts = np.searchsorted(
        pairs.row[by_row], [some.start for some in tile.columns] + [len(tile.candidates.rows)]
    )

    def count(room: NDArray[np.float32]) -> NDArray[np.int64]:
        before = thresholds.nothing()
        for number in remaining:
            some = tile.columns[number]
            tile.multiply(some, room)
            here = by_row[cuts[number] : cuts[number + 1]]
            found[here] = room[pairs.vector[here], pairs.row[here] - some.start]
            before += count_before(thresholds, some, room)
        return before

    as_foretold = False
    while not as_foretold:
        foretold = found.copy()
        thresholds = pairs.thresholds(foretold)
        remaining = iter(range(len(tile.columns)))  # each thread takes the next
        before = sum(executor.map(count, rooms), start=thresholds.nothing())
        as_foretold = bool((found == foretold).all())
    return thresholds.of_pairs(before)


def _foretold(
    left: NDArray[np.float32],
    candidates: DistinctVectors,
    vector: NDArray[np.int64],
    row: NDArray[np.int64],
    executor: Executor,
) -> NDArray[np.float32]:
    """What pairs of query vectors of `left` and candidate rows will score, (n,) float32.

    The product has the shape of all others, but the candidates stand at other places in it; libraries give the same
    bits all the same, as a rule.
    """
    rows, place = np.unique(row, return_inverse=True)
    scores = np.empty(len(row), dtype=np.float32)

    def foretell(low: int) -> None:
        those = rows[low : low + CANDIDATE_TILE]
        right = tile_of(candidates.rows[those], 0, CANDIDATE_TILE)
        with np.errstate(over="ignore", invalid="ignore"):
            product = left @ right.T
        here = np.flatnonzero((low <= place) & (place < low + CANDIDATE_TILE))
        scores[here] = product[vector[here], place[here] - low]

    for _ in executor.map(foretell, range(0, len(rows), CANDIDATE_TILE)):
        pass
    return scores
