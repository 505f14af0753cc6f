"""Scores: float32 dot products of queries and candidates, a block of queries at a time, in bounded memory.

Two things make ranks exact and repeatable. A matrix product may add in another order at another place of the
matrix, so equal vectors could get scores that differ in the last bit: bit-equal rows are therefore multiplied
once and share the result. And a product's bits may depend on its shape: every product here has the same
shape, whatever the size of the block, so block size, and with it the memory to spend, changes no bit of any
score.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isogloss.errors import EvaluationError

BLOCK_BYTES = 256 * 2**20
"""How many bytes of scores are held at once, unless told otherwise."""

_QUERY_TILE = 128
_CANDIDATE_TILE = 2048


@dataclass(frozen=True)
class DistinctVectors:
    """Bit-wise distinct vectors, and which of them belongs to each text.

    Attributes:
        rows: (D, d) float32, finite, distinct, in order of first use; negative zeros made positive.
        index: (n,) int64, for each query or candidate its row.
    """

    rows: NDArray[np.float32]
    index: NDArray[np.int64]


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
    vectors: ArrayLike, ids: Sequence[str], *, index: ArrayLike | None = None, side: str = "query"
) -> DistinctVectors:
    """Check vectors and keep each once.

    Args:
        vectors: (V, d) numbers, taken as float32. Rows that no text uses are allowed and ignored.
        ids: n ids of the queries or candidates.
        index: (n,) integers, the row of each text; where absent, vectors hold one row a text.
        side: "query" or "candidate", for messages.

    Raises:
        EvaluationError: shapes or the index do not fit, or a used vector holds an infinity or no number
            (NaN).
    """
    with np.errstate(over="ignore"):
        given = np.asarray(vectors, dtype=np.float32)
    if given.ndim != 2 or given.shape[1] == 0:
        raise EvaluationError(f"{side} vectors have shape {given.shape}; expected (texts, dimensions)")
    row_of = _checked_index(given, ids, index, side)
    used, row_of = np.unique(row_of, return_inverse=True)
    rows = given[used] + np.float32(0)  # a copy in which -0.0 is 0.0: they are equal, their bits are not
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        first = int(np.flatnonzero(~finite[row_of])[0])
        raise EvaluationError(
            f"{int((~finite).sum())} of {len(rows)} {side} vectors hold infinities or NaN, the first that of"
            f" {side} {ids[first]!r} (row {used[row_of[first]]}); check the model's precision and its"
            " input texts"
        )
    as_bytes = rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).ravel()
    _, first_use, same = np.unique(as_bytes, return_index=True, return_inverse=True)
    order = np.argsort(first_use, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return DistinctVectors(rows=rows[first_use[order]], index=place[same][row_of].astype(np.int64))


def score_blocks(
    queries: DistinctVectors, candidates: DistinctVectors, *, block_bytes: int = BLOCK_BYTES
) -> Iterator[ScoreBlock]:
    """Yield the scores of all distinct query vectors, block by block.

    Args:
        queries: Q distinct query vectors.
        candidates: D distinct candidate vectors.
        block_bytes: bytes of scores in a block; at least one query is scored, whatever its size. The least
            efficient sizes are those under 128 queries' scores, as each product serves that many.

    Raises:
        EvaluationError: the dimensions differ, `block_bytes` is not positive, or a score is beyond float32.
    """
    if queries.rows.shape[1] != candidates.rows.shape[1]:
        raise EvaluationError(
            f"query vectors have {queries.rows.shape[1]} dimensions, candidate vectors"
            f" {candidates.rows.shape[1]}; encode both with the same model"
        )
    if block_bytes < 1:
        raise EvaluationError(f"block_bytes is {block_bytes}; give a positive number of bytes")
    total, width = len(queries.rows), len(candidates.rows)
    height = min(max(1, block_bytes // (4 * width)), total)
    if height > _QUERY_TILE:
        height -= height % _QUERY_TILE
    buffer = np.empty((height, width), dtype=np.float32)
    for start in range(0, total, height):
        stop = min(start + height, total)
        scores = buffer[: stop - start]
        _fill(scores, start, queries.rows, candidates.rows)
        if not np.isfinite(scores).all():
            raise EvaluationError("a score is beyond float32; normalise the vectors to unit length")
        yield ScoreBlock(start, scores)


def _fill(
    scores: NDArray[np.float32], start: int, queries: NDArray[np.float32], candidates: NDArray[np.float32]
) -> None:
    """Write the products of `queries[start:start + len(scores)]` and all candidates into `scores`."""
    stop = start + len(scores)
    for query_tile in range(start - start % _QUERY_TILE, stop, _QUERY_TILE):
        above, below = max(start, query_tile), min(stop, query_tile + _QUERY_TILE)
        left = _tile(queries, query_tile, _QUERY_TILE)
        for candidate_tile in range(0, len(candidates), _CANDIDATE_TILE):
            right = _tile(candidates, candidate_tile, _CANDIDATE_TILE)
            with np.errstate(over="ignore", invalid="ignore"):
                product = left @ right.T
            wanted = product[above - query_tile : below - query_tile, : len(candidates) - candidate_tile]
            scores[above - start : below - start, candidate_tile : candidate_tile + wanted.shape[1]] = wanted


def _tile(rows: NDArray[np.float32], start: int, height: int) -> NDArray[np.float32]:
    """`height` rows from `start`, filled up with zeros at the end."""
    tile = rows[start : start + height]
    if len(tile) == height:
        return tile
    padded = np.zeros((height, rows.shape[1]), dtype=np.float32)
    padded[: len(tile)] = tile
    return padded


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
