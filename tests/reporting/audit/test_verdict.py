import numpy as np
import pytest

from isogloss.evaluation import evaluate_vectors, results_of
from isogloss.reporting.audit.verdict import LEVELS, verdict
from tests.evaluation.benchmarks import SmallBenchmark


def results(own, other, mono=0.9, cross=0.9, distance=40.0):
    pairs = {"de->de": own, "en->en": own, "de->en": other, "en->de": other}
    pairs = {pair: value for pair, value in pairs.items() if value is not None}
    return {
        "model": {"name": "a-model"},
        "data": {"languages": ["de", "en"], "queries": 10, "candidates": 99, "relevant": 20},
        "settings": {"mono": {"recall@10": {"mean": mono}}, "cross": {"recall@10": {"mean": cross}}},
        "language_bias": {"pool_recall@10": {"by_pair": pairs}, "rank_distance": {"mean": distance}},
    }


@pytest.mark.parametrize(
    ("own", "other", "level"),
    [
        (0.8, 0.8, "even-handed"),
        (0.8, 0.73, "even-handed"),
        (0.8, 0.71, "slight bias"),
        (0.8, 0.55, "clear bias"),
        (0.8, 0.3, "strong bias"),
        (0.8, 0.0, "strong bias"),
        (0.0, 0.0, "strong bias"),
        (0.5, 0.6, "reversed bias"),
    ],
)
def test_levels(own, other, level):
    found = verdict(results(own, other))
    assert found.level == level
    assert LEVELS[level] in found.bias


def test_the_sentences_hold_the_figures():
    found = verdict(results(0.8, 0.3, mono=0.92, cross=0.61))
    assert "80 % of the right answers in the asker's own language" in found.bias
    assert "30 % of the equally right ones" in found.bias
    assert "92 % of the right answers in its own language and 61 %" in found.quality
    assert "(fair)" in found.quality
    # Two answers in 99 places: a third of 100 places apart.
    assert "lie 40 places apart on average (in random order, about 33)" in found.quality


def test_one_language_and_no_own_language():
    alone = verdict(results(0.8, None, cross=None, distance=None))
    assert alone.level == "one language"
    assert "nothing can be said of language bias" in alone.bias
    assert alone.quality.endswith("(good).")
    assert "nothing to compare" in verdict(results(None, 0.5, mono=None)).bias


def test_a_model_that_maps_all_texts_to_one_vector_is_not_praised():
    languages = ("de", "en", "fr")
    items = 60
    parallel = [
        (f"{language}{number:03d}", language, number) for number in range(items) for language in languages
    ]
    parallel.sort()
    qrels = [
        (query, candidate)
        for query, (_, _, item) in enumerate(parallel)
        for candidate, (_, _, answered) in enumerate(parallel)
        if item == answered
    ]
    benchmark = SmallBenchmark(
        query_ids=[f"q-{name}" for name, _, _ in parallel],
        query_languages=[language for _, language, _ in parallel],
        candidate_ids=[name for name, _, _ in parallel],
        candidate_languages=[language for _, language, _ in parallel],
        qrels=np.array(qrels),
        languages=languages,
    )
    vectors = np.ones((len(parallel), 4))
    found = verdict(results_of(evaluate_vectors(benchmark, vectors, vectors), model={"name": "constant"}))
    assert found.level == "too little found"
    assert "(poor)" in found.quality
