"""A benchmark's vectors in, every figure out: one pass over the scores serves all settings."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from numpy.typing import ArrayLike

from isogloss.errors import EvaluationError
from isogloss.evaluation.columns import column_order
from isogloss.evaluation.language_bias import RankDistances, rank_distances
from isogloss.evaluation.pool import Benchmark, Pool, pool_of
from isogloss.evaluation.ranking import MEMORY_BUDGET, Progress, Ranks, rank_relevant
from isogloss.evaluation.scoring import distinct_vectors
from isogloss.evaluation.settings import Setting, SettingScores, score_settings


@dataclass(frozen=True)
class Evaluation:
    """All figures of one model on one benchmark.

    Attributes:
        name: the benchmark's name.
        checksum: the benchmark's checksum.
        pool: its ids, languages and qrels.
        parallel_ids: for each query the id it shares with its translations, where the benchmark gives it.
        ranks: the two ranks of every relevant candidate.
        settings: per-query values and macro-averages of mono, cross and multi.
        rank_distance: language bias.
        seconds: how long the ranking took.
    """

    name: str
    checksum: str
    pool: Pool
    parallel_ids: tuple[str, ...] | None
    ranks: Ranks
    settings: Mapping[Setting, SettingScores]
    rank_distance: RankDistances
    seconds: float


def evaluate_vectors(
    benchmark: Benchmark,
    query_vectors: ArrayLike,
    candidate_vectors: ArrayLike,
    *,
    query_index: ArrayLike | None = None,
    candidate_index: ArrayLike | None = None,
    progress: Progress | None = None,
    memory_budget: float = MEMORY_BUDGET,
) -> Evaluation:
    """Rank every relevant candidate exactly and measure mono, cross, multi and language bias.

    The score is the dot product in float32: give vectors of unit length for the cosine. Ties go by ascending
    candidate id; texts with equal vectors tie exactly.

    Args:
        benchmark: Q queries and C candidates. Where it has `query_parallel_ids` (Q of them), they are kept.
        query_vectors: (Q, d) float32, or (V, d) vectors of distinct texts with `query_index`.
        candidate_vectors: (C, d) float32, or vectors of distinct texts with `candidate_index`.
        query_index: (Q,) integers, each query's row of `query_vectors`.
        candidate_index: (C,) integers, each candidate's row of `candidate_vectors`.
        progress: called with the queries done and the number of all queries, after each block.
        memory_budget: gigabytes of scores held at once, as for `rank_relevant`; changes no figure.

    Raises:
        EvaluationError: the benchmark is empty or inconsistent, shapes do not fit, or vectors are not finite.
    """
    began = time.perf_counter()
    pool = pool_of(benchmark)
    queries = distinct_vectors(query_vectors, pool.query_ids, index=query_index, side="query")
    candidates = distinct_vectors(
        candidate_vectors,
        pool.candidate_ids,
        index=candidate_index,
        side="candidate",
        order=column_order(pool),
    )
    ranks = rank_relevant(pool, queries, candidates, memory_budget=memory_budget, progress=progress)
    return Evaluation(
        name=benchmark.name,
        checksum=benchmark.checksum,
        pool=pool,
        parallel_ids=_parallel_ids(benchmark),
        ranks=ranks,
        settings=score_settings(pool, ranks),
        rank_distance=rank_distances(pool, ranks),
        seconds=time.perf_counter() - began,
    )


def _parallel_ids(benchmark: Benchmark) -> tuple[str, ...] | None:
    given = getattr(benchmark, "query_parallel_ids", None)
    if given is None:
        return None
    parallel_ids = tuple(given)
    if len(parallel_ids) != len(benchmark.query_ids):
        raise EvaluationError(
            f"{benchmark.name}: {len(parallel_ids)} parallel ids for {len(benchmark.query_ids)} queries;"
            " give one each"
        )
    return parallel_ids
