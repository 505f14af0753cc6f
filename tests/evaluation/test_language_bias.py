"""Every measure of language bias against sorted lists, looked through one candidate at a time."""

from collections import Counter, defaultdict
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.evaluation import BIAS_DEFINITIONS, evaluate_vectors, results_of
from tests.evaluation.benchmarks import SmallBenchmark, integer_vectors, random_benchmark, slow_ranking
from tests.evaluation.measures.test_peer import slow_peer


def slow_bias(benchmark, scores):
    """{measure: {query: value}}, from whole sorted lists."""
    relevant_of = defaultdict(set)
    for query, candidate in benchmark.qrels.tolist():
        relevant_of[query].add(candidate)
    language = benchmark.candidate_languages
    bias = {definition.key: {} for definition in BIAS_DEFINITIONS if definition.per_query}
    for query, relevant in relevant_of.items():
        own = benchmark.query_languages[query]
        ranking = slow_ranking(benchmark, scores[query])
        rank = {candidate: place for place, candidate in enumerate(ranking, start=1)}
        if len(relevant) > 1:
            bias["rank_distance"][query] = max(rank[c] for c in relevant) - min(rank[c] for c in relevant)
            bias["max@r"][query] = max(rank[c] for c in relevant)
        for key, level in (
            ("peer", relevant),
            ("peer_irrelevant@100", [c for c in ranking[:100] if c not in relevant]),
        ):
            counts = Counter(language[c] for c in level)
            if len(counts) > 1 and max(counts.values()) > 1:
                bias[key][query] = slow_peer([(rank[c], language[c]) for c in level])
        bias["own_share@10"][query] = fmean(language[c] == own for c in ranking[:10])
        for key, side in (("own_preference", True), ("foreign_preference", False)):
            wrong = [c for c in ranking if c not in relevant and (language[c] == own) == side]
            right = [c for c in relevant if (language[c] == own) != side]
            if wrong and right:
                bias[key][query] = fmean(rank[w] < rank[r] for w in wrong for r in right)
        groups = [
            [scores[query][c] for c in relevant if (language[c] == own) == side] for side in (True, False)
        ]
        if all(groups):
            bias["score_gap"][query] = fmean(map(float, groups[0])) - fmean(map(float, groups[1]))
    return bias


def slow_means(benchmark, values):
    parts = defaultdict(list)
    for query, value in values.items():
        parts[benchmark.query_languages[query]].append(value)
    return {language: fmean(part) for language, part in parts.items()}


def slow_shares(benchmark, scores):
    """{query language: {candidate language: share of the first ten}}."""
    top = defaultdict(list)
    for query in sorted({query for query, _ in benchmark.qrels.tolist()}):
        first = [benchmark.candidate_languages[c] for c in slow_ranking(benchmark, scores[query])[:10]]
        top[benchmark.query_languages[query]].append(first)
    return {
        language: {
            one: fmean(fmean(x == one for x in first) for first in lists) for one in benchmark.languages
        }
        for language, lists in top.items()
    }


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    languages=st.integers(1, 4),
    queries=st.integers(1, 12),
    candidates=st.integers(1, 130),
    relevant=st.integers(1, 60),
    dimensions=st.integers(1, 5),
    block_bytes=st.sampled_from([1, 600, 2**20]),
)
def test_equals_the_slow_twin(seed, languages, queries, candidates, relevant, dimensions, block_bytes):
    benchmark = random_benchmark(
        seed,
        languages=("ar", "de", "en", "zh")[:languages],
        queries=queries,
        candidates=candidates,
        relevant=relevant,
    )
    query_vectors = integer_vectors(seed + 1, queries, dimensions)
    candidate_vectors = integer_vectors(seed + 2, candidates, dimensions)
    scores = query_vectors @ candidate_vectors.T
    evaluation = evaluate_vectors(
        benchmark, query_vectors, candidate_vectors, memory_budget=1e-9 * block_bytes
    )
    slow = slow_bias(benchmark, scores)
    assert slow.keys() == evaluation.language_bias.keys()
    figures = results_of(evaluation)
    for key, measured in evaluation.language_bias.items():
        found = dict(zip(measured.query.tolist(), measured.values.tolist(), strict=True))
        assert found == pytest.approx(slow[key], abs=1e-9), key
        means = slow_means(benchmark, slow[key])
        assert figures["language_bias"][key]["by_language"] == pytest.approx(means, abs=1e-9)
        assert figures["language_bias"][key]["mean"] == (
            pytest.approx(fmean(means.values()), abs=1e-9) if means else None
        )
        counts = figures["counts"][key]
        assert (counts["queries"], counts["left_out"]) == (len(found), queries - len(found))
        bound = next(one for one in BIAS_DEFINITIONS if one.key == key)
        if key != "score_gap":  # the vectors are not of unit length
            assert all(bound.low <= value for value in found.values())
            assert bound.high is None or all(value <= bound.high for value in found.values())
    shares = slow_shares(benchmark, scores)
    assert figures["language_shares"]["top"].keys() == shares.keys()
    for language, row in shares.items():
        assert figures["language_shares"]["top"][language] == pytest.approx(row, abs=1e-12)
        right = figures["language_shares"]["relevant"][language]
        distance = sum(abs(row[one] - right[one]) for one in row) / 2
        found = figures["language_bias"]["share_distance@10"]["by_language"][language]
        assert found == pytest.approx(distance, abs=1e-12)


@pytest.fixture
def by_hand():
    """One German and one English query, six candidates; a query's vector is its scores.

              de-1 de-2 de-3 en-1 en-2 en-3   relevant       order
    d  (de)    .9   .8   .1   .7   .6   .2    de-1 en-2      de-1 de-2 en-1 en-2 en-3 de-3
    e  (en)    .3   .4   .5   .2   .9   .8    de-1 en-2      en-2 en-3 de-3 de-2 de-1 en-1
    """
    benchmark = SmallBenchmark(
        query_ids=["d", "e"],
        query_languages=["de", "en"],
        candidate_ids=["de-1", "de-2", "de-3", "en-1", "en-2", "en-3"],
        candidate_languages=["de", "de", "de", "en", "en", "en"],
        qrels=np.array([[0, 0], [0, 4], [1, 0], [1, 4]]),
        languages=("de", "en"),
    )
    scores = np.array([[0.9, 0.8, 0.1, 0.7, 0.6, 0.2], [0.3, 0.4, 0.5, 0.2, 0.9, 0.8]], dtype=np.float32)
    return evaluate_vectors(benchmark, scores, np.eye(6, dtype=np.float32))


def test_figures_by_hand(by_hand):
    bias = {key: measured.values.tolist() for key, measured in by_hand.language_bias.items()}
    # d: relevant on 1 and 4; e: on 1 and 5.
    assert bias["rank_distance"] == [3, 4]
    assert bias["max@r"] == [4, 5]
    # One relevant candidate in each language: the test says nothing.
    assert bias["peer"] == []
    # d: of the irrelevant German ones, de-2 stands before en-2, de-3 does not; e: en-3 before de-1, en-1 not.
    assert bias["own_preference"] == [0.5, 0.5]
    assert bias["foreign_preference"] == [0, 0]
    assert bias["own_share@10"] == [0.5, 0.5]
    assert bias["score_gap"] == pytest.approx([0.9 - 0.6, 0.9 - 0.3], abs=1e-6)
    # d: irrelevant de-2 en-1 en-3 de-3 on 2 3 5 6, means 4 and 4. e: en-3 de-3 de-2 en-1 on 2 3 4 6, likewise.
    assert bias["peer_irrelevant@100"] == pytest.approx([1, 1])
    assert by_hand.language_shares.top == {"de": {"de": 0.5, "en": 0.5}, "en": {"de": 0.5, "en": 0.5}}
    assert by_hand.language_shares.distance.mean == 0


def parallel_benchmark(items=80, languages=("ar", "de", "en", "zh"), passages=2):
    """Items asked and answered in every language, `passages` right answers each; ids say nothing of languages."""
    draw = np.random.default_rng(5)
    query_languages = [language for language in languages for _ in range(items)]
    candidate_languages = [language for language in languages for _ in range(items * passages)]
    item_of = [item for _ in languages for item in range(items) for _ in range(passages)]
    qrels = [
        (query, candidate)
        for query in range(len(query_languages))
        for candidate, item in enumerate(item_of)
        if item == query % items
    ]
    return SmallBenchmark(
        query_ids=[f"q{number}" for number in range(len(query_languages))],
        query_languages=query_languages,
        candidate_ids=[f"c{number:05d}" for number in draw.permutation(len(candidate_languages))],
        candidate_languages=candidate_languages,
        qrels=np.array(qrels),
        languages=languages,
    )


@pytest.mark.parametrize("kind", ["constant", "random"])
def test_models_that_know_nothing_score_like_chance(kind):
    benchmark = parallel_benchmark()
    draw = np.random.default_rng(1)
    queries, candidates = len(benchmark.query_ids), len(benchmark.candidate_ids)
    query_vectors, candidate_vectors = draw.standard_normal((2, candidates, 32)).astype(np.float32)
    if kind == "constant":
        query_vectors, candidate_vectors = (np.ones((n, 8), dtype=np.float32) for n in (queries, candidates))
    figures = results_of(evaluate_vectors(benchmark, query_vectors[:queries], candidate_vectors))
    bias = {key: summary["mean"] for key, summary in figures["language_bias"].items()}
    # Eight relevant candidates of 640 at random places: the expected highest rank is 8/9 of 641, the distance 7/9.
    assert bias["max@r"] == pytest.approx(641 * 8 / 9, rel=0.05)
    assert bias["rank_distance"] == pytest.approx(641 * 7 / 9, rel=0.05)
    assert bias["own_preference"] == pytest.approx(0.5, abs=0.05)
    assert bias["foreign_preference"] == pytest.approx(0.5, abs=0.05)
    assert bias["own_share@10"] == pytest.approx(0.25, abs=0.03)
    assert bias["score_gap"] == pytest.approx(0, abs=0.5 if kind == "random" else 1e-6)
    assert bias["peer"] == pytest.approx(0.5, abs=0.08)
    for setting, relevant in (("mono", 2 / 160), ("cross", 2 / 160), ("multi", 8 / 640)):
        measured = figures["settings"][setting]
        assert measured["success@1"]["mean"] == pytest.approx(relevant, abs=0.02)
        assert measured["map"]["mean"] < 0.08
        assert measured["ndcg@10"]["mean"] < 0.06


def test_a_model_that_sees_language_alone_and_one_that_sees_none():
    benchmark = parallel_benchmark()
    items = len(benchmark.query_ids) // 4
    tongue = np.repeat(np.eye(4, dtype=np.float32), items, axis=0)
    meaning = np.tile(np.eye(items, dtype=np.float32), (4, 1))
    for by_language, by_meaning in ((1.0, 0.1), (0.0, 1.0)):
        queries = np.hstack([by_language * tongue, by_meaning * meaning])
        candidates = queries.repeat(2, axis=0)
        figures = results_of(evaluate_vectors(benchmark, queries, candidates))
        bias = {key: summary["mean"] for key, summary in figures["language_bias"].items()}
        mono = figures["settings"]["mono"]["map"]["mean"]
        assert mono == pytest.approx(1)
        if by_language:
            # Right within a language, and the right answers in others below everything in one's own.
            assert bias["own_preference"] == pytest.approx(1)
            assert bias["foreign_preference"] == 0
            assert bias["own_share@10"] == 1
            assert bias["share_distance@10"] == pytest.approx(0.75)
            assert bias["score_gap"] == pytest.approx(1)
            assert bias["peer"] < 0.2
        else:
            assert bias["own_preference"] == 0
            assert bias["foreign_preference"] == 0
            assert bias["max@r"] == 8
            assert bias["score_gap"] == pytest.approx(0)
            assert bias["share_distance@10"] < 0.2  # the last two of ten places go by id
            assert figures["settings"]["multi"]["map"]["mean"] == pytest.approx(1)


def test_names_of_languages_and_the_order_of_queries_change_no_mean():
    benchmark = random_benchmark(8, queries=20, candidates=60, relevant=80)
    queries, candidates = integer_vectors(9, 20, 6, 5), integer_vectors(10, 60, 6, 5)
    before = results_of(evaluate_vectors(benchmark, queries, candidates))["language_bias"]
    new = {"ar": "zh", "de": "ar", "en": "de"}
    order = np.random.default_rng(3).permutation(20)
    place = np.argsort(order)
    moved = SmallBenchmark(
        query_ids=[benchmark.query_ids[at] for at in order],
        query_languages=[new[benchmark.query_languages[at]] for at in order],
        candidate_ids=benchmark.candidate_ids,
        candidate_languages=[new[language] for language in benchmark.candidate_languages],
        qrels=np.stack([place[benchmark.qrels[:, 0]], benchmark.qrels[:, 1]], axis=1),
        languages=("ar", "de", "zh"),
    )
    after = results_of(evaluate_vectors(moved, queries[order], candidates))["language_bias"]
    for key, summary in before.items():
        assert after[key]["mean"] == pytest.approx(summary["mean"], abs=1e-12)
        renamed = {new[language]: value for language, value in summary["by_language"].items()}
        assert after[key]["by_language"] == pytest.approx(renamed, abs=1e-12)


def test_adding_equal_scores_to_all_candidates_changes_nothing():
    """A shift of all scores of a query leaves ranks, shares and gaps alone."""
    benchmark = random_benchmark(18, queries=15, candidates=50, relevant=70)
    queries, candidates = integer_vectors(19, 15, 5, 4), integer_vectors(20, 50, 5, 4)
    shifted = np.hstack([queries, np.full((15, 1), 3.0, dtype=np.float32)])
    longer = np.hstack([candidates, np.ones((50, 1), dtype=np.float32)])
    before = results_of(evaluate_vectors(benchmark, queries, candidates))
    after = results_of(evaluate_vectors(benchmark, shifted, longer))
    for key in before["language_bias"]:
        mean = before["language_bias"][key]["mean"]
        assert after["language_bias"][key]["mean"] == pytest.approx(mean, abs=1e-6)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32), languages=st.integers(1, 3))
def test_recall_in_the_pool_by_pair_equals_the_slow_twin(seed, languages):
    benchmark = random_benchmark(
        seed, languages=("ar", "de", "en")[:languages], queries=6, candidates=30, relevant=40
    )
    queries, candidates = integer_vectors(seed + 1, 6), integer_vectors(seed + 2, 30)
    parts, relevant_of = defaultdict(list), defaultdict(set)
    for query, candidate in benchmark.qrels.tolist():
        relevant_of[query, benchmark.candidate_languages[candidate]].add(candidate)
    for (query, language), relevant in relevant_of.items():
        first = set(slow_ranking(benchmark, (queries @ candidates.T)[query])[:10])
        pair = f"{benchmark.query_languages[query]}->{language}"
        parts[pair].append(len(first & relevant) / len(relevant))
    figures = results_of(evaluate_vectors(benchmark, queries, candidates))["language_bias"]["pool_recall@10"]
    slow = {pair: fmean(values) for pair, values in parts.items()}
    assert figures["by_pair"] == pytest.approx(slow, abs=1e-12)
    assert figures["mean"] == pytest.approx(fmean(slow.values()), abs=1e-12)
