import json
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.errors import EvaluationError
from isogloss.evaluation import MEASURES, evaluate_vectors, results_of
from tests.evaluation.benchmarks import (
    SmallBenchmark,
    integer_vectors,
    random_benchmark,
    slow_evaluation,
    slow_macro_average,
)


@pytest.fixture
def by_hand():
    """Three queries, four candidates whose vectors are unit vectors: a query's vector is its scores.

              de-1 de-2 en-1 en-2   relevant     whole list (ties by id)    ranks in the pool, in the language
    d  (de)    3    5    3    1     de-1 en-1    de-2 de-1 en-1 en-2        de-1 2, 2    en-1 3, 1
    e  (en)    0    2    2    2     de-2 en-2    de-2 en-1 en-2 de-1        de-2 1, 1    en-2 3, 2
    f  (en)    9    0    4    0     en-1         de-1 en-1 de-2 en-2        en-1 2, 1
    """
    benchmark = SmallBenchmark(
        query_ids=["d", "e", "f"],
        query_languages=["de", "en", "en"],
        candidate_ids=["de-1", "de-2", "en-1", "en-2"],
        candidate_languages=["de", "de", "en", "en"],
        qrels=np.array([[0, 0], [0, 2], [1, 1], [1, 3], [2, 2]]),
        languages=("de", "en"),
    )
    scores = np.array([[3, 5, 3, 1], [0, 2, 2, 2], [9, 0, 4, 0]], dtype=np.float32)
    return benchmark, scores, np.eye(4, dtype=np.float32)


def test_ranks_by_hand(by_hand):
    ranks = evaluate_vectors(*by_hand).ranks
    assert ranks.pool_rank.tolist() == [2, 3, 1, 3, 2]
    assert ranks.language_rank.tolist() == [2, 1, 1, 2, 1]


def test_figures_by_hand(by_hand):
    figures = results_of(evaluate_vectors(*by_hand))
    mono, cross, multi = (figures["settings"][setting] for setting in ("mono", "cross", "multi"))
    # mono: d 1/2; e 1/2, f 1. Language means 1/2 and 3/4.
    assert mono["map"] == {"mean": 0.625, "by_language": {"de": 0.5, "en": 0.75}}
    assert mono["recall@1"] == {"mean": 0.25, "by_language": {"de": 0.0, "en": 0.5}}
    assert mono["recall@10"] == {"mean": 1.0, "by_language": {"de": 1.0, "en": 1.0}}
    # cross: d finds en-1 first of the English, e finds de-2 first of the German; f has no German answer.
    assert cross["map"] == {
        "mean": 1.0,
        "by_language": {"de": 1.0, "en": 1.0},
        "by_pair": {"de->en": 1.0, "en->de": 1.0},
    }
    # multi: d (1/2 + 2/3) / 2 = 7/12; e (1/1 + 2/3) / 2 = 5/6, f 1/2, together 2/3; mean 15/24.
    assert multi["map"]["by_language"] == pytest.approx({"de": 7 / 12, "en": 2 / 3}, abs=1e-15)
    assert multi["map"]["mean"] == pytest.approx(0.625, abs=1e-15)
    # recall@1: d 0; e 1 of 2, f 0, together 1/4; mean 1/8.
    assert multi["recall@1"] == {"mean": 0.125, "by_language": {"de": 0.0, "en": 0.25}}
    # rank distance: d 3 - 2; e 3 - 1; f has one relevant candidate and is left out.
    assert figures["language_bias"]["rank_distance"] == {"mean": 1.5, "by_language": {"de": 1.0, "en": 2.0}}
    counts = figures["counts"]
    assert {key: counts[key] for key in ("mono", "cross", "multi", "rank_distance")} == {
        "mono": {"queries": 3, "left_out": 0, "by_language": {"de": 1, "en": 2}},
        "cross": {
            "queries": 2,
            "left_out": 1,
            "by_language": {"de": 1, "en": 1},
            "by_pair": {"de->en": 1, "en->de": 1},
        },
        "multi": {"queries": 3, "left_out": 0, "by_language": {"de": 1, "en": 2}},
        "rank_distance": {"queries": 2, "left_out": 1, "by_language": {"de": 1, "en": 1}},
    }


def assert_equals_slow(benchmark, evaluation, scores):
    ranks, values, distances = slow_evaluation(benchmark, scores)
    found = zip(evaluation.ranks.pool_rank.tolist(), evaluation.ranks.language_rank.tolist(), strict=True)
    assert dict(zip(map(tuple, evaluation.pool.qrels.tolist()), found, strict=True)) == ranks
    measured = evaluation.rank_distance
    assert dict(zip(measured.query.tolist(), measured.values.tolist(), strict=True)) == distances
    mean, by_language = slow_macro_average(
        benchmark, {(query, None): (value,) for query, value in distances.items()}, 0, pairs=False
    )
    assert measured.summary.mean == pytest.approx(mean, abs=1e-12)
    assert measured.summary.by_language == pytest.approx(by_language, abs=1e-12)
    for setting, fast in evaluation.settings.items():
        languages = [None if at < 0 else benchmark.languages[at] for at in fast.candidate_language.tolist()]
        keys = list(zip(fast.query.tolist(), languages, strict=True))
        assert len(keys) == len(set(keys))
        for column, measure in enumerate(MEASURES):
            slow = {key: value[column] for key, value in values[setting].items()}
            assert dict(zip(keys, fast.values[measure].tolist(), strict=True)) == pytest.approx(
                slow, abs=1e-12
            )
            pairs = setting == "cross"
            mean, parts = slow_macro_average(benchmark, values[setting], column, pairs=pairs)
            summary = fast.summaries[measure]
            assert summary.mean == pytest.approx(mean, abs=1e-12)
            if pairs:
                named = {f"{source}->{target}": value for (source, target), value in parts.items()}
                assert summary.by_pair == pytest.approx(named, abs=1e-12)
                for language, value in summary.by_language.items():
                    own = [part for (source, _), part in parts.items() if source == language]
                    assert value == pytest.approx(np.mean(own), abs=1e-12)
                assert set(summary.by_language) == {source for source, _ in parts}
            else:
                assert summary.by_pair is None
                assert summary.by_language == pytest.approx(parts, abs=1e-12)


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    languages=st.integers(1, 4),
    queries=st.integers(1, 15),
    candidates=st.integers(1, 40),
    relevant=st.integers(1, 60),
    dimensions=st.integers(1, 5),
    memory_budget=st.sampled_from([1e-9, 2.0]),
)
def test_equals_the_slow_twin(seed, languages, queries, candidates, relevant, dimensions, memory_budget):
    benchmark = random_benchmark(
        seed,
        languages=("ar", "de", "en", "zh")[:languages],
        queries=queries,
        candidates=candidates,
        relevant=relevant,
    )
    query_vectors = integer_vectors(seed + 1, queries, dimensions)
    candidate_vectors = integer_vectors(seed + 2, candidates, dimensions)
    evaluation = evaluate_vectors(benchmark, query_vectors, candidate_vectors, memory_budget=memory_budget)
    assert_equals_slow(benchmark, evaluation, query_vectors @ candidate_vectors.T)


def test_repeated_texts_share_vectors_through_an_index():
    benchmark = random_benchmark(5, queries=9, candidates=30, relevant=40)
    distinct = integer_vectors(6, 7)
    draw = np.random.default_rng(7)
    query_index, candidate_index = draw.integers(0, 7, 9), draw.integers(0, 7, 30)
    indexed = evaluate_vectors(
        benchmark, distinct, distinct, query_index=query_index, candidate_index=candidate_index
    )
    written_out = evaluate_vectors(benchmark, distinct[query_index], distinct[candidate_index])
    assert results_of(indexed)["settings"] == results_of(written_out)["settings"]
    assert_equals_slow(benchmark, indexed, (distinct @ distinct.T)[query_index][:, candidate_index])


def test_one_vector_for_all_texts_scores_like_the_order_of_ids():
    benchmark = random_benchmark(11, queries=60, candidates=40, relevant=200)
    draw = np.random.default_rng(12)
    same = draw.standard_normal(96).astype(np.float32)
    constant = evaluate_vectors(benchmark, np.tile(same, (60, 1)), np.tile(same, (40, 1)))
    assert_equals_slow(benchmark, constant, np.zeros((60, 40)))
    # What comes of it on paper, for the whole pool: a relevant candidate's rank is the place of its id.
    place = {identifier: rank for rank, identifier in enumerate(sorted(benchmark.candidate_ids), start=1)}
    multi = constant.settings["multi"]
    for query, value in zip(multi.query.tolist(), multi.values["map"].tolist(), strict=True):
        ranks = sorted(place[benchmark.candidate_ids[c]] for q, c in benchmark.qrels.tolist() if q == query)
        expected = sum(Fraction(found, rank) for found, rank in enumerate(ranks, start=1)) / len(ranks)
        assert value == pytest.approx(float(expected), abs=1e-12)
    # Chance: with relevant candidates spread over ids at random, mean AP is far from 1.
    assert 0.05 < multi.summaries["map"].mean < 0.3


def test_block_size_changes_no_bit():
    benchmark = random_benchmark(21, queries=300, candidates=2500, relevant=900)
    draw = np.random.default_rng(22)
    queries = draw.standard_normal((300, 48)).astype(np.float32)
    candidates = draw.standard_normal((2500, 48)).astype(np.float32)
    whole = results_of(evaluate_vectors(benchmark, queries, candidates))
    for memory_budget in (1e-9, 0.005, 0.01):
        parts = results_of(evaluate_vectors(benchmark, queries, candidates, memory_budget=memory_budget))
        for key in ("settings", "language_bias", "counts"):
            assert json.dumps(parts[key]) == json.dumps(whole[key])


def test_memory_is_bounded():
    benchmark = random_benchmark(31, queries=2000, candidates=4000, relevant=100)
    queries, candidates = integer_vectors(32, 2000, 8, 9), integer_vectors(33, 4000, 8, 9)
    evaluate_vectors(benchmark, queries[:2000], candidates)  # what is imported or cached on first use
    tracemalloc.start()
    try:
        evaluate_vectors(benchmark, queries, candidates, memory_budget=1e-3)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The scores and the products of one tile, 8 MiB each.
    assert peak < 20 * 2**20 < 2000 * 4000 * 4


def test_progress_counts_queries_to_the_end():
    benchmark = random_benchmark(41, queries=12, candidates=20)
    seen = []
    evaluate_vectors(
        benchmark,
        integer_vectors(1, 3),
        integer_vectors(2, 20),
        query_index=np.arange(12) % 3,
        progress=lambda done, total: seen.append((done, total)),
        memory_budget=1e-9,
    )
    assert [total for _, total in seen] == [12] * len(seen)
    assert len(seen) > 1
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert seen[-1] == (12, 12)


def test_one_language_has_no_cross():
    benchmark = random_benchmark(51, languages=("en",))
    evaluation = evaluate_vectors(benchmark, integer_vectors(1, 12), integer_vectors(2, 20))
    figures = results_of(evaluation)
    for measure in MEASURES:
        assert figures["settings"]["cross"][measure] == {"mean": None, "by_language": {}, "by_pair": {}}
        assert figures["settings"]["mono"][measure] == figures["settings"]["multi"][measure]
    assert figures["counts"]["cross"]["queries"] == 0
    assert figures["counts"]["cross"]["left_out"] == 12
    assert "NaN" not in json.dumps(figures)


def test_single_answers_have_no_rank_distance():
    benchmark = SmallBenchmark(
        ["q"], ["en"], ["a", "b"], ["de", "en"], np.array([[0, 0]]), ("de", "en", "fr")
    )
    figures = results_of(evaluate_vectors(benchmark, np.ones((1, 2)), np.ones((2, 2))))
    assert figures["language_bias"]["rank_distance"] == {"mean": None, "by_language": {}}
    assert figures["language_bias"]["score_gap"] == {"mean": None, "by_language": {}}
    assert figures["counts"]["rank_distance"]["left_out"] == 1
    assert figures["settings"]["mono"]["map"]["mean"] is None
    assert figures["settings"]["cross"]["map"]["by_pair"] == {"en->de": 1.0}


def test_parallel_ids_must_fit():
    benchmark = random_benchmark(61)
    benchmark.query_parallel_ids.append("one too many")
    with pytest.raises(EvaluationError, match="13 parallel ids for 12 queries"):
        evaluate_vectors(benchmark, integer_vectors(1, 12), integer_vectors(2, 20))
