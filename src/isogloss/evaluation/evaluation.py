"""A benchmark's vectors in, every figure out: one pass over the scores serves all settings."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isogloss.errors import EvaluationError
from isogloss.evaluation.columns import distinct_sides
from isogloss.evaluation.language_bias import BiasScores, bias_of_ranks, bias_of_second_pass
from isogloss.evaluation.language_shares import LanguageShares, language_shares, pool_recall
from isogloss.evaluation.measures.language_share import SHARE_DISTANCE
from isogloss.evaluation.measures.pool_recall import POOL_RECALL
from isogloss.evaluation.pool import Benchmark, Pool, pool_of
from isogloss.evaluation.ranking import MEMORY_BUDGET, Progress, Ranks, rank_relevant
from isogloss.evaluation.scoring import DistinctVectors
from isogloss.evaluation.second_pass import SecondPass, second_pass
from isogloss.evaluation.settings import Counts, Setting, SettingScores, Summary, score_settings

_PAIRS_AT_ONCE = 4096


@dataclass(frozen=True)
class Evaluation:
    """All figures of one model on one benchmark.

    Attributes:
        name: the benchmark's name.
        checksum: the benchmark's checksum.
        pool: its ids, languages and qrels.
        parallel_ids: for each query the id it shares with its translations, where the benchmark gives it.
        ranks: the two ranks of every relevant candidate.
        scores: (n,) float32, the score of every relevant candidate, up to rounding in another order of sums.
        settings: per-query values and macro-averages of mono, cross and multi.
        language_bias: the measures of language bias that every query has a value of, by key, those that were measured.
        pool_recall: by pair of languages, and on how many queries it stands.
        language_shares: which languages fill the first places; None without the second pass.
        second: the first places themselves; None without the second pass.
        seconds: how long the ranking took.
        second_seconds: how long the second pass took; 0 without it.
    """

    name: str
    checksum: str
    pool: Pool
    parallel_ids: tuple[str, ...] | None
    ranks: Ranks
    scores: NDArray[np.float32]
    settings: Mapping[Setting, SettingScores]
    language_bias: Mapping[str, BiasScores]
    pool_recall: tuple[Summary, Counts]
    language_shares: LanguageShares | None
    second: SecondPass | None
    seconds: float
    second_seconds: float

    @property
    def rank_distance(self) -> BiasScores:
        """The rank distances, as `language_bias` holds them."""
        return self.language_bias["rank_distance"]

    def bias_summaries(self) -> dict[str, tuple[Summary, Counts]]:
        """The summary and the counts of every measure of language bias that was measured, by key."""
        found = {key: (scores.summary, scores.counts) for key, scores in self.language_bias.items()}
        found[POOL_RECALL.key] = self.pool_recall
        if self.language_shares is not None:
            found[SHARE_DISTANCE.key] = (self.language_shares.distance, self.language_shares.counts)
        return found


def evaluate_vectors(
    benchmark: Benchmark,
    query_vectors: ArrayLike,
    candidate_vectors: ArrayLike,
    *,
    query_index: ArrayLike | None = None,
    candidate_index: ArrayLike | None = None,
    progress: Progress | None = None,
    memory_budget: float = MEMORY_BUDGET,
    second: bool = True,
    second_progress: Progress | None = None,
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
        memory_budget: gigabytes of scores held at once, as for `rank_relevant` and `second_pass`; changes no figure.
        second: go through the scores a second time, for the measures of bias that need more than the ranks of
            relevant candidates (`second_pass`).
        second_progress: likewise called in the second pass.

    Raises:
        EvaluationError: the benchmark is empty or inconsistent, shapes do not fit, or vectors are not finite.
    """
    began = time.perf_counter()
    pool = pool_of(benchmark)
    queries, candidates = distinct_sides(
        pool, query_vectors, candidate_vectors, query_index=query_index, candidate_index=candidate_index
    )
    ranks = rank_relevant(pool, queries, candidates, memory_budget=memory_budget, progress=progress)
    settings = score_settings(pool, ranks)
    scores = _relevant_scores(pool, queries, candidates)
    bias = bias_of_ranks(pool, ranks, scores)
    ranked = time.perf_counter()
    passed = shares = None
    if second:
        passed = second_pass(
            pool, queries, candidates, block_bytes=max(int(memory_budget * 1e9), 1), progress=second_progress
        )
        bias |= bias_of_second_pass(pool, ranks, passed)
        shares = language_shares(pool, passed)
    return Evaluation(
        name=benchmark.name,
        checksum=benchmark.checksum,
        pool=pool,
        parallel_ids=_parallel_ids(benchmark),
        ranks=ranks,
        scores=scores,
        settings=settings,
        language_bias=bias,
        pool_recall=pool_recall(pool, ranks),
        language_shares=shares,
        second=passed,
        seconds=ranked - began,
        second_seconds=time.perf_counter() - ranked if second else 0.0,
    )


def _relevant_scores(
    pool: Pool, queries: DistinctVectors, candidates: DistinctVectors
) -> NDArray[np.float32]:
    """The score of each of the qrels, a bounded number at a time."""
    scores = np.empty(len(pool.qrels), dtype=np.float32)
    for start in range(0, len(scores), _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        left = queries.rows[queries.index[pool.qrels[part, 0]]]
        right = candidates.rows[candidates.index[pool.qrels[part, 1]]]
        scores[part] = np.einsum("ij,ij->i", left, right)
    return scores


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
