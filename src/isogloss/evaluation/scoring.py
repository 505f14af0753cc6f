"""Scores: float32 dot products of queries and candidates, a block of queries at a time, in bounded memory.

Two things make ranks exact and repeatable. A matrix product may add in another order at another place of the
matrix, so equal vectors could get scores that differ in the last bit: bit-equal rows are therefore multiplied
once and share the result. And a product's bits may depend on its shape and on its threads: every product here
has the same shape and one thread, whatever the size of the block and the number of cores, so neither these nor
the memory to spend change a bit of any score. The shape is large enough for the rate of one large product.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import ThreadpoolController

from isogloss.errors import EvaluationError

BLOCK_BYTES = 256 * 2**20
"""How many bytes of scores `score_blocks` holds at once, unless told otherwise."""

QUERY_TILE = 1024
CANDIDATE_TILE = 1024
"""The shape of every product. Much smaller ones are slower: 128 x 2048 reaches three quarters of this one's rate."""

_ROWS_AT_ONCE = 2048
_MOST_THREADS = 16
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class DistinctVectors:
    """Bit-wise distinct vectors, and which of them belongs to each text.

    Attributes:
        rows: (D, d) float32, finite, distinct, in order of first use; negative zeros made positive.
        index: (n,) int64, for each query or candidate its row.
    """

    rows: NDArray[np.float32]
    index: NDArray[np.int64]

    def texts_by_row(self) -> tuple[NDArray[np.int64], list[int]]:
        """The texts in the order of their rows, (n,) int64, and where each row's begin there, and n."""
        texts = np.argsort(self.index, kind="stable")
        return texts, np.searchsorted(self.index[texts], np.arange(len(self.rows) + 1)).tolist()


@dataclass(frozen=True)
class ScoreBlock:
    """Scores of consecutive distinct query vectors.

    Attributes:
        start: the first row of the query `DistinctVectors`.
        scores: (rows, D) float32 against every distinct candidate vector; valid until the next block is asked
            for.
    """

    start: int
    scores: NDArray[np.float32]


def distinct_vectors(
    vectors: ArrayLike,
    ids: Sequence[str],
    *,
    index: ArrayLike | None = None,
    side: str = "query",
    order: NDArray[np.int64] | None = None,
) -> DistinctVectors:
    """Check vectors and keep each once.

    Beside the vectors given, one copy of those in use is held.

    Args:
        vectors: (V, d) numbers, taken as float32. Rows that no text uses are allowed and ignored.
        ids: n ids of the queries or candidates.
        index: (n,) integers, the row of each text; where absent, vectors hold one row a text.
        side: "query" or "candidate", for messages.
        order: (n,) the texts in the order in which their first use counts; as they stand where absent.

    Raises:
        EvaluationError: shapes or the index do not fit, or a used vector holds an infinity or no number
            (NaN).
    """
    with np.errstate(over="ignore"):
        given = np.asarray(vectors, dtype=np.float32)
    if given.ndim != 2 or given.shape[1] == 0:
        raise EvaluationError(f"{side} vectors have shape {given.shape}; expected (texts, dimensions)")
    row_of = _checked_index(given, ids, index, side)
    used, first_use = np.unique(row_of if order is None else row_of[order], return_index=True)
    used = used[np.argsort(first_use, kind="stable")]
    place = np.empty(len(given), dtype=np.int64)
    place[used] = np.arange(len(used))
    rows, finite, hashes = _taken(given, used)
    if not finite.all():
        first = int(np.flatnonzero(~finite[place[row_of]])[0])
        raise EvaluationError(
            f"{int((~finite).sum())} of {len(rows)} {side} vectors hold infinities or NaN, the first that of"
            f" {side} {ids[first]!r} (row {row_of[first]}); check the model's precision and its"
            " input texts"
        )
    twin = _first_twins(rows, hashes)
    kept = twin == np.arange(len(rows))
    _close_gaps(rows, np.flatnonzero(kept))
    return DistinctVectors(
        rows=rows[: np.count_nonzero(kept)], index=(np.cumsum(kept) - 1)[twin][place[row_of]]
    )


def check_scores(queries: DistinctVectors, candidates: DistinctVectors) -> bool:
    """Check that vectors can be multiplied; say whether every score is within float32 for certain.

    Raises:
        EvaluationError: the dimensions differ.
    """
    if queries.rows.shape[1] != candidates.rows.shape[1]:
        raise EvaluationError(
            f"query vectors have {queries.rows.shape[1]} dimensions, candidate vectors"
            f" {candidates.rows.shape[1]}; encode both with the same model"
        )
    left, right = (max(float(side.rows.max()), -float(side.rows.min())) for side in (queries, candidates))
    return bool(left * right * queries.rows.shape[1] < _LARGEST / 2)


@contextmanager
def one_thread_a_product() -> Iterator[None]:
    """Give each matrix product inside one thread, whatever numpy's library would take.

    Tiles multiplied side by side need not wait for each other, and each stays in the caches of the core that goes on
    to read it; a library's own threads wait busily after a product, on the cores that should read it. The setting
    holds for the whole process until the end of the block.
    """
    with _thread_pools().limit(limits=1, user_api="blas"):
        yield


@functools.cache
def _thread_pools() -> ThreadpoolController:
    return ThreadpoolController()


def multiply_tile(
    left: NDArray[np.float32],
    candidates: DistinctVectors,
    start: int,
    out: NDArray[np.float32],
    *,
    within_float32: bool,
) -> None:
    """Write the scores of one tile; the only product there is.

    Args:
        left: (QUERY_TILE, d) queries.
        candidates: distinct candidate vectors.
        start: the first row of `candidates`, a multiple of `CANDIDATE_TILE`.
        out: (QUERY_TILE, CANDIDATE_TILE), its rows contiguous; zeros where there are no vectors left.
        within_float32: what `check_scores` said; the scores are looked through where it is False.

    Raises:
        EvaluationError: a score is beyond float32.
    """
    right = tile_of(candidates.rows, start, CANDIDATE_TILE)
    with np.errstate(over="ignore", invalid="ignore"):
        np.matmul(left, right.T, out=out)
    if not within_float32 and not np.isfinite(out).all():
        raise EvaluationError("a score is beyond float32; normalise the vectors to unit length")


def fill_scores(
    scores: NDArray[np.float32],
    queries: DistinctVectors,
    candidates: DistinctVectors,
    query_start: int,
    *,
    within_float32: bool,
) -> None:
    """Write the products of the next rows of queries and all candidates into an array.

    Args:
        scores: (queries, D) to be filled, its rows contiguous.
        queries: distinct query vectors.
        candidates: D distinct candidate vectors.
        query_start: the row of `queries` that `scores` begins with.
        within_float32: as `multiply_tile`.

    Raises:
        EvaluationError: a score is beyond float32.
    """
    query_stop = query_start + len(scores)
    with one_thread_a_product(), ThreadPoolExecutor(worker_threads()) as executor:
        for query_tile in range(query_start - query_start % QUERY_TILE, query_stop, QUERY_TILE):
            above, below = max(query_start, query_tile), min(query_stop, query_tile + QUERY_TILE)
            left = tile_of(queries.rows, query_tile, QUERY_TILE)
            rows = scores[above - query_start : below - query_start]
            within = slice(above - query_tile, below - query_tile)
            fill = functools.partial(_fill, left, candidates, rows, within, within_float32)
            for _ in executor.map(fill, range(0, scores.shape[1], CANDIDATE_TILE)):
                pass


def _fill(
    left: NDArray[np.float32],
    candidates: DistinctVectors,
    rows: NDArray[np.float32],
    within: slice,
    within_float32: bool,
    start: int,
) -> None:
    wanted = rows[:, start : start + CANDIDATE_TILE]
    whole = wanted.shape == (QUERY_TILE, CANDIDATE_TILE)
    out = wanted if whole else np.empty((QUERY_TILE, CANDIDATE_TILE), dtype=np.float32)
    multiply_tile(left, candidates, start, out, within_float32=within_float32)
    if not whole:
        wanted[...] = out[within, : wanted.shape[1]]


def score_blocks(
    queries: DistinctVectors, candidates: DistinctVectors, *, block_bytes: int = BLOCK_BYTES
) -> Iterator[ScoreBlock]:
    """Yield the scores of all distinct query vectors, block by block.

    Args:
        queries: Q distinct query vectors.
        candidates: D distinct candidate vectors.
        block_bytes: bytes of scores in a block; at least one query is scored, whatever its size. The least
            efficient sizes are those under 1024 queries' scores, as each product serves that many.

    Raises:
        EvaluationError: the dimensions differ, `block_bytes` is not positive, or a score is beyond float32.
    """
    within_float32 = check_scores(queries, candidates)
    if block_bytes < 1:
        raise EvaluationError(f"block_bytes is {block_bytes}; give a positive number of bytes")
    total, width = len(queries.rows), len(candidates.rows)
    height = min(max(1, block_bytes // (4 * width)), total)
    if height > QUERY_TILE:
        height -= height % QUERY_TILE
    buffer = np.empty((height, width), dtype=np.float32)
    for start in range(0, total, height):
        scores = buffer[: min(height, total - start)]
        fill_scores(scores, queries, candidates, start, within_float32=within_float32)
        yield ScoreBlock(start, scores)


def tile_of(rows: NDArray[np.float32], start: int, height: int) -> NDArray[np.float32]:
    """`height` rows from `start`, filled up with zeros at the end: (height, d)."""
    tile = rows[start : start + height]
    if len(tile) == height:
        return tile
    padded = np.zeros((height, rows.shape[1]), dtype=np.float32)
    padded[: len(tile)] = tile
    return padded


def worker_threads() -> int:
    """How many threads are worth starting for work that leaves the interpreter's lock alone."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST_THREADS)


def _taken(
    given: NDArray[np.float32], used: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.uint64]]:
    """Copy rows; say of each whether it is finite, and hash its bits."""
    odd = np.random.default_rng(0).integers(2**63, size=given.shape[1], dtype=np.uint64) * 2 + 1
    multipliers: NDArray[np.uint64] = np.asarray(odd, dtype=np.uint64)
    rows = np.empty((len(used), given.shape[1]), dtype=np.float32)
    finite = np.empty(len(used), dtype=np.bool_)
    hashes = np.empty(len(used), dtype=np.uint64)

    def take(start: int) -> None:
        some = slice(start, start + _ROWS_AT_ONCE)
        part = rows[some]
        np.take(given, used[some], axis=0, out=part, mode="clip")
        part += np.float32(0)  # -0.0 becomes 0.0: they are equal, their bits are not
        finite[some] = np.isfinite(part).all(axis=1)
        hashes[some] = _hashes(part, multipliers)

    starts = range(0, len(used), _ROWS_AT_ONCE)
    with ThreadPoolExecutor(worker_threads()) as executor:
        for _ in map(take, starts) if len(starts) == 1 else executor.map(take, starts):
            pass
    return rows, finite, hashes


def _hashes(rows: NDArray[np.float32], multipliers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Of each row's bits a sum with fixed random odd multipliers, modulo 2^64."""
    return np.asarray((rows.view(np.uint32) * multipliers).sum(axis=1))


def _first_twins(rows: NDArray[np.float32], hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """For each row the first row with the same bits. Only rows of equal hashes are compared."""
    _, first, group = np.unique(hashes, return_index=True, return_inverse=True)
    twin = first[group].astype(np.int64)
    later = np.flatnonzero(twin != np.arange(len(rows)))
    for start in range(0, len(later), _ROWS_AT_ONCE):
        some = later[start : start + _ROWS_AT_ONCE]
        if (rows[some] != rows[twin[some]]).any():  # different rows, one hash: compare them all
            as_bytes = rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).ravel()
            _, first, group = np.unique(as_bytes, return_index=True, return_inverse=True)
            return first[group].astype(np.int64)
    return twin


def _close_gaps(rows: NDArray[np.float32], kept: NDArray[np.int64]) -> None:
    """Move the kept rows, ascending, to the front."""
    if len(kept) == len(rows):
        return
    for start in range(0, len(kept), _ROWS_AT_ONCE):
        some = kept[start : start + _ROWS_AT_ONCE]
        rows[start : start + len(some)] = rows[some]


def _checked_index(
    vectors: NDArray[np.float32], ids: Sequence[str], index: ArrayLike | None, side: str
) -> NDArray[np.int64]:
    if index is None:
        if len(vectors) != len(ids):
            raise EvaluationError(
                f"{len(vectors)} {side} vectors for {len(ids)} {side} ids; give one each, or {side}_index"
            )
        return np.arange(len(ids), dtype=np.int64)
    row_of = np.asarray(index)
    if row_of.shape != (len(ids),) or not np.issubdtype(row_of.dtype, np.integer):
        raise EvaluationError(
            f"{side}_index is {row_of.dtype} of shape {row_of.shape}; expected {len(ids)} integers,"
            f" one a {side}"
        )
    outside = np.flatnonzero((row_of < 0) | (row_of >= len(vectors)))
    if outside.size:
        first = int(outside[0])
        raise EvaluationError(
            f"{side}_index sends {ids[first]!r} to row {row_of[first]}, but there are {len(vectors)}"
            f" {side} vectors"
        )
    return row_of.astype(np.int64)
