import tracemalloc

import numpy as np
import pytest

from isogloss.evaluation import distinct_vectors, evaluate_vectors, pool_of, second_pass
from tests.evaluation.benchmarks import integer_vectors, random_benchmark, slow_ranking


@pytest.mark.parametrize("largest", [0, 1, 9])
def test_first_places_and_who_stands_before(largest):
    """With many ties (largest 0: all), whatever the block."""
    benchmark = random_benchmark(1, queries=30, candidates=70, relevant=120)
    queries, candidates = integer_vectors(2, 30, 3, largest), integer_vectors(3, 70, 3, largest)
    pool, scores = pool_of(benchmark), queries @ candidates.T
    sides = (
        distinct_vectors(queries, pool.query_ids),
        distinct_vectors(candidates, pool.candidate_ids, side="candidate"),
    )
    for block_bytes, depth in ((1, 100), (900, 7), (2**20, 1)):
        found = second_pass(pool, *sides, depth=depth, block_bytes=block_bytes)
        for query in range(30):
            ranking = slow_ranking(benchmark, scores[query])
            assert found.top[query].tolist() == ranking[:depth]
            for row in range(pool.offsets[query], pool.offsets[query + 1]):
                before = ranking[: ranking.index(pool.qrels[row, 1])]
                own = benchmark.query_languages[query]
                assert found.own_before[row] == sum(benchmark.candidate_languages[c] == own for c in before)


def test_memory_is_bounded_and_progress_goes_to_the_end():
    benchmark = random_benchmark(31, queries=2000, candidates=4000, relevant=100)
    queries, candidates = integer_vectors(32, 2000, 8, 9), integer_vectors(33, 4000, 8, 9)
    evaluate_vectors(benchmark, queries, candidates)  # what is imported or cached on first use
    pool = pool_of(benchmark)
    sides = (
        distinct_vectors(queries, pool.query_ids),
        distinct_vectors(candidates, pool.candidate_ids, side="candidate"),
    )
    seen = []
    tracemalloc.start()
    try:
        second_pass(pool, *sides, block_bytes=2**20, progress=lambda done, total: seen.append((done, total)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # A block and the products of one tile, 8 MiB of them.
    assert peak < 12 * 2**20 < 2000 * 4000 * 4
    assert seen[-1] == (2000, 2000)
    assert len(seen) > 10


def test_top_positions_are_small_integers():
    benchmark = random_benchmark(4)
    evaluation = evaluate_vectors(benchmark, integer_vectors(1, 12), integer_vectors(2, 20))
    assert evaluation.second.top.dtype == np.int32
    assert evaluation.second.top.shape == (12, 20)
