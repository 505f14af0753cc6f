from dataclasses import replace

import numpy as np
import pytest

from isogloss.errors import EvaluationError
from isogloss.evaluation import pool_of
from tests.evaluation.benchmarks import SmallBenchmark, random_benchmark


@pytest.fixture
def benchmark():
    return SmallBenchmark(
        query_ids=["q1", "q2"],
        query_languages=["de", "en"],
        candidate_ids=["b", "c", "a"],
        candidate_languages=["de", "en", "en"],
        qrels=np.array([[1, 1], [0, 2], [0, 0]]),
        languages=("de", "en"),
    )


def test_ties_go_by_id_and_positions_stay(benchmark):
    pool = pool_of(benchmark)
    assert pool.tie_order.tolist() == [2, 0, 1]
    assert pool.tie_position.tolist() == [1, 2, 0]
    assert pool.candidate_language.tolist() == [0, 1, 1]
    assert pool.qrels.tolist() == [[0, 0], [0, 2], [1, 1]]
    assert pool.offsets.tolist() == [0, 2, 3]


def test_queries_without_relevant_candidates_have_empty_slices():
    benchmark = random_benchmark(1, queries=30, relevant=8)
    pool = pool_of(benchmark)
    for query in range(30):
        part = pool.qrels[pool.offsets[query] : pool.offsets[query + 1]]
        assert (part[:, 0] == query).all()
    assert pool.offsets[-1] == len(benchmark.qrels)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"query_ids": [], "query_languages": []}, "small: no queries"),
        ({"candidate_ids": [], "candidate_languages": []}, "small: no candidates"),
        ({"qrels": np.zeros((0, 2), dtype=np.int64)}, "no relevant candidate for any query"),
        ({"qrels": np.array([[0, 0, 1]])}, r"int64 of shape \(1, 3\)"),
        ({"qrels": np.array([[0.0, 1.0]])}, "float64"),
        ({"qrels": np.array([[0, 0], [0, 3]])}, r"row 1 is \(0, 3\), outside the 2 queries and 3 candidates"),
        ({"qrels": np.array([[-1, 0]])}, r"row 0 is \(-1, 0\)"),
        ({"qrels": np.array([[1, 2], [0, 0], [1, 2]])}, "candidate 'a' twice for query 'q2'"),
        ({"candidate_ids": ["a", "b", "a"]}, "candidate id 'a' occurs 2 times"),
        ({"query_ids": ["q", "q"]}, "query id 'q' occurs 2 times"),
        ({"query_languages": ["de"]}, "2 query ids but 1 query languages"),
        ({"candidate_languages": ["de", "en", "fr"]}, "candidate 'a' has language 'fr'"),
    ],
)
def test_bad_benchmarks_are_named(benchmark, change, message):
    with pytest.raises(EvaluationError, match=message):
        pool_of(replace(benchmark, **change))
