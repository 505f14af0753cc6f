from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.evaluation import (
    SPLITS,
    TrainedPairs,
    evaluate_vectors,
    read_results,
    results_of,
    split_of,
    split_results,
    with_training,
    write_results,
)
from tests.evaluation.benchmarks import integer_vectors, random_benchmark

LANGUAGES = ("ar", "de", "en", "zh")


@pytest.fixture(scope="module")
def results():
    benchmark = random_benchmark(3, languages=LANGUAGES, queries=40, candidates=60, relevant=300)
    return results_of(evaluate_vectors(benchmark, integer_vectors(4, 40), integer_vectors(5, 60)))


def test_the_five_splits():
    trained = TrainedPairs.of([], [("de", "de"), ("de", "en")], "")
    assert trained.languages == {"de", "en"}
    assert {pair: split_of(trained, *pair) for pair in trained.pairs} == dict.fromkeys(
        trained.pairs, "pair seen"
    )
    assert split_of(trained, "en", "de") == "pair unseen"  # the other direction is another pair
    assert split_of(trained, "en", "en") == "pair unseen"
    assert split_of(trained, "zh", "de") == "query language unseen"
    assert split_of(trained, "de", "zh") == "candidate language unseen"
    assert split_of(trained, "zh", "zh") == split_of(trained, "zh", "ar") == "both unseen"


def test_languages_alone_mean_all_their_pairs():
    trained = TrainedPairs.of(["de", "en"], [], "")
    assert trained.pairs == {("de", "de"), ("de", "en"), ("en", "de"), ("en", "en")}


def test_figures_by_hand(results):
    trained = TrainedPairs.of(["zh"], [("de", "de"), ("de", "en")], "")
    split = split_results(results, trained)
    mono, cross, multi = (results["settings"][setting] for setting in ("mono", "cross", "multi"))
    # de->de is seen; en->en and zh->zh are pairs of known languages; ar is unknown.
    assert {name: part["pairs"] for name, part in split["mono"].items()} == {
        "pair seen": 1, "pair unseen": 2, "both unseen": 1,
    }  # fmt: skip
    assert split["mono"]["pair seen"]["map"] == mono["map"]["by_language"]["de"]
    known = [mono["mrr"]["by_language"][language] for language in ("en", "zh")]
    assert split["mono"]["pair unseen"]["mrr"] == pytest.approx(fmean(known))
    assert {name: part["pairs"] for name, part in split["cross"].items()} == {
        "pair seen": 1, "pair unseen": 5, "query language unseen": 3, "candidate language unseen": 3,
    }  # fmt: skip
    unseen = [cross["map"]["by_pair"][f"ar->{language}"] for language in ("de", "en", "zh")]
    assert split["cross"]["query language unseen"]["map"] == pytest.approx(fmean(unseen))
    assert split["multi"]["query language unseen"]["recall@10"] == multi["recall@10"]["by_language"]["ar"]
    distances = results["language_bias"]["rank_distance"]["by_language"]
    assert split["multi"]["query language seen"]["rank_distance"] == pytest.approx(
        fmean(distances[language] for language in ("de", "en", "zh"))
    )
    in_pool = results["language_bias"]["pool_recall@10"]["by_pair"]
    assert split["multi by pair"]["both unseen"] == {"pairs": 1, "pool_recall@10": in_pool["ar->ar"]}


pairs = st.sets(st.tuples(*[st.sampled_from((*LANGUAGES, "fi"))] * 2))


@given(pairs.filter(len), st.sets(st.sampled_from(LANGUAGES)))
def test_the_parts_make_the_whole(results, trained_pairs, languages):
    """Every pair is in one split, and the means weigh up to the overall mean."""
    split = split_results(results, TrainedPairs.of(languages, trained_pairs, ""))
    for setting in ("mono", "cross"):
        parts = split[setting].values()
        assert list(split[setting]) == [name for name in SPLITS if name in split[setting]]
        for measure, summary in results["settings"][setting].items():
            total = sum(part["pairs"] for part in parts)
            assert total == (4 if setting == "mono" else 12)
            whole = sum(part["pairs"] * part[measure] for part in parts) / total
            assert whole == pytest.approx(summary["mean"], abs=1e-12)
    asked = split["multi"].values()
    whole = sum(part["languages"] * part["map"] for part in asked) / sum(part["languages"] for part in asked)
    assert whole == pytest.approx(results["settings"]["multi"]["map"]["mean"], abs=1e-12)


def test_figures_that_do_not_exist_are_absent():
    benchmark = random_benchmark(3, languages=("en",))
    results = results_of(
        evaluate_vectors(benchmark, integer_vectors(4, 12), integer_vectors(5, 20), second=False)
    )
    split = split_results(results, TrainedPairs.of(["de"], [], ""))
    assert split["cross"] == {}
    assert list(split["mono"]) == ["both unseen"]
    assert "own_preference" not in split["multi"]["query language unseen"]


def test_written_with_the_results_and_read_back(results, tmp_path):
    both = with_training(results, TrainedPairs.of(["de", "en"], [("de", "en")], "--train-language"))
    assert both["training"] == {
        "languages": ["de", "en"], "pairs": ["de->en"], "source": "--train-language", "corpora": [],
    }  # fmt: skip
    write_results(both, tmp_path / "results.json")
    assert read_results(tmp_path / "results.json") == both
    assert "training" not in results
