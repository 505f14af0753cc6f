import numpy as np
import pytest

from isogloss.evaluation import pool_of
from isogloss.evaluation.score_histogram import KINDS, score_histogram
from tests.evaluation.benchmarks import integer_vectors, random_benchmark


def histogram_of(benchmark, asked, answers, **how):
    positions = (np.arange(len(benchmark.query_ids)), np.arange(len(benchmark.candidate_ids)))
    return score_histogram(pool_of(benchmark), asked, answers, *positions, **how)


@pytest.mark.parametrize("seed", range(5))
def test_counts_equal_those_of_every_score_by_itself(seed):
    benchmark = random_benchmark(seed)
    queries, candidates = integer_vectors(seed, 12, largest=3), integer_vectors(seed + 9, 20, largest=3)
    found = histogram_of(benchmark, queries, candidates, bins=7)
    relevant = set(map(tuple, benchmark.qrels.tolist()))
    scores = {kind: [] for kind in KINDS}
    for query, asked in enumerate(benchmark.query_languages):
        for candidate, language in enumerate(benchmark.candidate_languages):
            kind = 2 * ((query, candidate) not in relevant) + (asked != language)
            scores[KINDS[kind]].append(float(queries[query] @ candidates[candidate]))
    for kind in KINDS:
        assert found.counts[kind].tolist() == np.histogram(scores[kind], found.edges)[0].tolist()
        assert found.counts[kind].sum() == len(scores[kind])
        assert found.shares(kind).sum() == pytest.approx(1 if scores[kind] else 0)


def test_constant_scores_and_a_draw_of_queries():
    benchmark = random_benchmark(1)
    found = histogram_of(benchmark, np.ones((12, 2)), np.ones((20, 2)), queries=5)
    assert found.queries == 5
    assert sum(int(counts.sum()) for counts in found.counts.values()) == 5 * 20
    assert (np.diff(found.edges) > 0).all()
