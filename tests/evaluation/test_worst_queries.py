import numpy as np

from isogloss.evaluation import evaluate_vectors
from isogloss.evaluation.worst_queries import worst_queries
from tests.evaluation.benchmarks import SmallBenchmark, integer_vectors, random_benchmark


def benchmark(**changes):
    values = {
        "query_ids": ["q1", "q2", "q3"],
        "query_languages": ["de", "en", "de"],
        "candidate_ids": ["a", "b", "c", "d"],
        "candidate_languages": ["de", "en", "de", "en"],
        "qrels": np.array([[0, 0], [0, 1], [1, 0], [1, 1], [2, 2], [2, 3]]),
        "languages": ("de", "en"),
        "query_parallel_ids": ["one", "one", "two"],
    }
    return SmallBenchmark(**{**values, **changes})


# q1 ranks a b d c; q2 ranks c d b a; q3 ranks c a b d.
QUERIES = np.eye(3)
CANDIDATES = np.array([[4, 1, 3], [3, 2, 2], [1, 4, 4], [2, 3, 1]])


def test_the_worst_translation_of_each_question():
    found = worst_queries(evaluate_vectors(benchmark(), QUERIES, CANDIDATES))
    assert [(one.query, one.rank_distance, one.answers, one.first) for one in found] == [
        (1, 1, ((1, 3), (0, 4)), 2),
        (2, 3, ((2, 1), (3, 4)), 2),
    ]
    assert [round(one.average_precision, 3) for one in found] == [round((1 / 3 + 2 / 4) / 2, 3), 0.75]
    assert worst_queries(evaluate_vectors(benchmark(), QUERIES, CANDIDATES), 1) == found[:1]


def test_without_parallel_ids_every_query_counts():
    evaluation = evaluate_vectors(benchmark(query_parallel_ids=None), QUERIES, CANDIDATES, second=False)
    assert [(one.query, one.first) for one in worst_queries(evaluation)] == [(1, None), (2, None), (0, None)]


def test_answers_in_one_language_are_passed_over_unless_there_are_no_others():
    one = benchmark(qrels=np.array([[0, 0], [0, 1], [1, 3], [2, 3]]))
    assert [found.query for found in worst_queries(evaluate_vectors(one, QUERIES, CANDIDATES))] == [0]
    none = benchmark(qrels=np.array([[0, 0], [1, 3], [2, 3]]))
    found = worst_queries(evaluate_vectors(none, QUERIES, CANDIDATES))
    assert sorted(one.query for one in found) == [1, 2]


def test_random_queries_are_in_order():
    evaluation = evaluate_vectors(random_benchmark(2), integer_vectors(1, 12), integer_vectors(2, 20))
    values = [one.average_precision for one in worst_queries(evaluation)]
    assert values == sorted(values)
