"""Exact ranks of relevant candidates, in the whole pool and among the candidates of their language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isogloss.evaluation.pool import Pool
from isogloss.evaluation.scoring import BLOCK_BYTES, DistinctVectors, score_blocks

Progress = Callable[[int, int], None]
"""Called with the number of queries done and the number of all queries."""


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
    block_bytes: int = BLOCK_BYTES,
    progress: Progress | None = None,
) -> Ranks:
    """Rank every relevant candidate by counting those before it; nothing is sorted.

    Args:
        pool: Q queries, C candidates and n qrels.
        queries: the queries' vectors, `index` (Q,).
        candidates: the candidates' vectors, `index` (C,).
        block_bytes: bytes of scores held at once; changes no result.
        progress: told how many queries are done.

    Raises:
        EvaluationError: as `score_blocks`.
    """
    # Columns language by language, so that a language is one slice of a row of scores.
    order = np.argsort(pool.candidate_language, kind="stable")
    column_vector = candidates.index[order]
    column_tie = pool.tie_position[order]
    column_of = np.empty(len(order), dtype=np.int64)
    column_of[order] = np.arange(len(order))
    starts = np.searchsorted(pool.candidate_language[order], np.arange(len(pool.languages) + 1)).tolist()

    columns = column_of[pool.qrels[:, 1]].tolist()
    languages = pool.candidate_language[pool.qrels[:, 1]].tolist()
    offsets = pool.offsets.tolist()
    by_vector = np.argsort(queries.index, kind="stable")
    vector_offsets = np.searchsorted(queries.index[by_vector], np.arange(len(queries.rows) + 1)).tolist()
    pool_rank = np.zeros(len(pool.qrels), dtype=np.int64)
    language_rank = np.zeros(len(pool.qrels), dtype=np.int64)
    above = np.empty(len(order), dtype=np.bool_)
    level = np.empty(len(order), dtype=np.bool_)
    for block in score_blocks(queries, candidates, block_bytes=block_bytes):
        for vector, scores in enumerate(block.scores, start=block.start):
            row = scores[column_vector]
            for query in by_vector[vector_offsets[vector] : vector_offsets[vector + 1]].tolist():
                for pair in range(offsets[query], offsets[query + 1]):
                    column = columns[pair]
                    low, high = starts[languages[pair]], starts[languages[pair] + 1]
                    np.greater(row, row[column], out=above)
                    np.equal(row, row[column], out=level)
                    before, before_in_language = np.count_nonzero(above), np.count_nonzero(above[low:high])
                    if np.count_nonzero(level) > 1:
                        level &= column_tie < column_tie[column]
                        before += np.count_nonzero(level)
                        before_in_language += np.count_nonzero(level[low:high])
                    pool_rank[pair] = before + 1
                    language_rank[pair] = before_in_language + 1
        if progress is not None:
            progress(vector_offsets[block.start + len(block.scores)], len(by_vector))
    return Ranks(pool_rank, language_rank)
