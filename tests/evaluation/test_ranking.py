import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.errors import EvaluationError
from isogloss.evaluation import (
    columns,
    counting,
    distinct_vectors,
    pool_of,
    rank_relevant,
    ranking,
    score_blocks,
)
from isogloss.evaluation.columns import column_order
from tests.evaluation.benchmarks import SmallBenchmark, integer_vectors, random_benchmark


def slow_ranks(pool, scores):
    """Ranks from sorted lists, query by query."""
    pool_rank, language_rank = [], []
    for query, candidate in pool.qrels.tolist():
        order = np.lexsort((pool.tie_position, -scores[query]))
        inside = order[pool.candidate_language[order] == pool.candidate_language[candidate]]
        pool_rank.append(order.tolist().index(candidate) + 1)
        language_rank.append(inside.tolist().index(candidate) + 1)
    return pool_rank, language_rank


def distinct_of(pool, query_vectors, candidate_vectors, *, ordered=True):
    order = column_order(pool) if ordered else None
    return (
        distinct_vectors(query_vectors, pool.query_ids),
        distinct_vectors(candidate_vectors, pool.candidate_ids, side="candidate", order=order),
    )


def assert_ranks(pool, ranks, scores):
    assert (ranks.pool_rank.tolist(), ranks.language_rank.tolist()) == slow_ranks(pool, scores)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    languages=st.integers(1, 4),
    candidates=st.integers(1, 120),
    relevant=st.integers(1, 150),
    dimensions=st.integers(1, 4),
    longest=st.integers(1, 50),
    together=st.integers(1, 200),
    slots=st.integers(1, 4),
    threads=st.integers(1, 3),
    ordered=st.booleans(),
)
def test_equals_sorted_lists_however_candidates_are_cut(
    seed, languages, candidates, relevant, dimensions, longest, together, slots, threads, ordered
):
    benchmark = random_benchmark(
        seed, languages=("ar", "de", "en", "zh")[:languages], candidates=candidates, relevant=relevant
    )
    pool = pool_of(benchmark)
    query_vectors = integer_vectors(seed + 1, len(benchmark.query_ids), dimensions)
    candidate_vectors = integer_vectors(seed + 2, candidates, dimensions)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "LONGEST_PIECE", longest)
        patch.setattr(counting, "LONGEST_PIECE", longest)
        patch.setattr(counting, "_FLAGS_AT_ONCE", together)
        patch.setattr(counting, "_MOST_SLOTS", slots)
        patch.setattr(ranking, "worker_threads", lambda: threads)
        ranks = rank_relevant(pool, *distinct_of(pool, query_vectors, candidate_vectors, ordered=ordered))
    assert_ranks(pool, ranks, query_vectors @ candidate_vectors.T)


@pytest.mark.parametrize("languages", [("de",), ("ar", "de", "en")])
@pytest.mark.parametrize("memory_budget", [1e-9, 0.015, 2.0])
def test_equals_sorted_lists_of_the_scores_of_run_files(languages, memory_budget):
    """Real numbers, several slabs and query tiles, some vectors shared: bit for bit the scores of `score_blocks`."""
    benchmark = random_benchmark(3, languages=languages, queries=1300, candidates=5000, relevant=1500)
    pool = pool_of(benchmark)
    draw = np.random.default_rng(4)
    query_vectors = draw.standard_normal((1300, 24)).astype(np.float32)
    candidate_vectors = draw.standard_normal((5000, 24)).astype(np.float32)
    candidate_vectors[draw.integers(5000, size=300)] = candidate_vectors[draw.integers(5000, size=300)]
    candidate_vectors[17] = candidate_vectors[pool.qrels[0, 1]]
    queries, candidates = distinct_of(pool, query_vectors, candidate_vectors)
    assert len(candidates.rows) < 5000
    scores = np.concatenate([block.scores.copy() for block in score_blocks(queries, candidates)])
    ranks = rank_relevant(pool, queries, candidates, memory_budget=memory_budget)
    assert_ranks(pool, ranks, scores[queries.index][:, candidates.index])


@pytest.mark.parametrize("wrong", [0.0, 1e-7, -1e-7, 0.5, -np.inf, np.nan])
def test_scores_foretold_wrongly_change_no_rank(wrong):
    benchmark = random_benchmark(3, queries=1300, candidates=5000, relevant=1500)
    pool = pool_of(benchmark)
    draw = np.random.default_rng(4)
    queries, candidates = distinct_of(
        pool, draw.standard_normal((1300, 24)), draw.standard_normal((5000, 24))
    )
    scores = np.concatenate([block.scores.copy() for block in score_blocks(queries, candidates)])
    foretell, foretold = ranking._foretold, []

    def wrongly(*given):
        foretold.append(foretell(*given))
        some = draw.integers(len(foretold[-1]), size=3)
        foretold[-1][some] += np.float32(wrong)
        return foretold[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "_foretold", wrongly)
        ranks = rank_relevant(pool, queries, candidates, memory_budget=1e-9)
    assert len(foretold) == 2
    assert_ranks(pool, ranks, scores[queries.index][:, candidates.index])


def test_all_vectors_equal():
    benchmark = random_benchmark(5, queries=9, candidates=3000, relevant=60)
    pool = pool_of(benchmark)
    vectors = distinct_of(pool, np.ones((9, 3)), np.ones((3000, 3)))
    for memory_budget in (1e-9, 2.0):
        ranks = rank_relevant(pool, *vectors, memory_budget=memory_budget)
        assert (ranks.pool_rank == pool.tie_position[pool.qrels[:, 1]] + 1).all()


def test_scores_of_zero_and_below_tie_too():
    benchmark = SmallBenchmark(
        query_ids=["q"],
        query_languages=["de"],
        candidate_ids=["e", "d", "c", "b", "a"],
        candidate_languages=["de"] * 5,
        qrels=np.array([[0, 0], [0, 2], [0, 3]]),
        languages=("de",),
    )
    pool = pool_of(benchmark)
    vectors = np.array([[0, 1], [1e-45, 0], [0, -3], [-2, 5], [0, 7]])  # scores 0, 1e-45, 0, -2, 0
    ranks = rank_relevant(pool, *distinct_of(pool, [[1, 0]], vectors))
    assert ranks.pool_rank.tolist() == [4, 3, 5]


@pytest.mark.parametrize("memory_budget", [0.02, 0.05])
def test_the_memory_budget_is_kept(memory_budget):
    benchmark = random_benchmark(31, queries=1100, candidates=40_000, relevant=300)
    pool = pool_of(benchmark)
    draw = np.random.default_rng(1)
    vectors = distinct_of(pool, draw.standard_normal((1100, 8)), draw.standard_normal((40_000, 8)))
    small = random_benchmark(32)
    rank_relevant(pool_of(small), *distinct_of(pool_of(small), np.ones((12, 2)), np.ones((20, 2))))
    tracemalloc.start()
    try:
        rank_relevant(pool, *vectors, memory_budget=memory_budget)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    bookkeeping = 100 * len(pool.candidate_ids)
    assert peak < memory_budget * 1e9 + bookkeeping < 512 * 40_000 * 4


def test_distinct_vectors_hold_one_copy():
    vectors = np.random.default_rng(2).standard_normal((20_000, 100)).astype(np.float32)
    vectors[5000:] = vectors[:15_000]
    ids = [str(number) for number in range(len(vectors))]
    tracemalloc.start()
    try:
        kept = distinct_vectors(vectors, ids)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(kept.rows) == 15_000
    assert peak < vectors.nbytes + 5e6


@pytest.mark.parametrize("memory_budget", [0, -1, float("nan")])
def test_a_budget_of_nothing(memory_budget):
    pool = pool_of(random_benchmark(1))
    vectors = distinct_of(pool, integer_vectors(1, 12), integer_vectors(2, 20))
    with pytest.raises(EvaluationError, match=r"memory_budget is .* positive number of gigabytes"):
        rank_relevant(pool, *vectors, memory_budget=memory_budget)


def test_scores_beyond_float32():
    pool = pool_of(random_benchmark(1))
    vectors = distinct_of(pool, np.full((12, 2), 1e30), np.full((20, 2), 1e30))
    with pytest.raises(EvaluationError, match="beyond float32"):
        rank_relevant(pool, *vectors)


@given(lengths=st.lists(st.integers(0, 40), min_size=1, max_size=6), longest=st.integers(1, 30))
def test_cuts_cover_everything_once(lengths, longest):
    starts = np.concatenate([[0], np.cumsum(lengths)]).tolist()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "LONGEST_PIECE", longest)
        cuts = list(columns._cuts(starts))
    assert [place for low, high in cuts for place in range(low, high)] == list(range(starts[-1]))
    assert all(0 < high - low <= longest for low, high in cuts)
