"""The tasks run in MTEB itself, and MTEB finds the figures that isogloss finds."""

import numpy as np
import pytest

from isogloss.encoding.encoder import SentenceTransformerEncoder
from isogloss.errors import BenchmarkError, RecipeError
from isogloss.evaluation import results_of
from isogloss.evaluation.model_evaluation import evaluate_model
from isogloss.exchange.mteb_languages import mteb_language
from isogloss.exchange.mteb_results import mteb_results, write_mteb_results
from isogloss.exchange.mteb_task import mteb_task
from tests.exchange.making import small_benchmark

mteb = pytest.importorskip("mteb", reason="the extra `mteb`")


@pytest.fixture(scope="module")
def measured(tiny_bert):
    """A benchmark without ties, which tools break in ways of their own, and isogloss's results on it."""
    from sentence_transformers import SentenceTransformer

    benchmark = small_benchmark(ties=False)
    model = SentenceTransformer(str(tiny_bert), device="cpu")
    encoder = SentenceTransformerEncoder.load(tiny_bert, query_prompt="", passage_prompt="", device="cpu")
    evaluation, encoded = evaluate_model(encoder, benchmark)
    scores = encoded.query_vectors @ encoded.candidate_vectors.T
    assert all(len(np.unique(row)) == len(row) for row in scores)
    return benchmark, model, results_of(evaluation, seconds={"encoding": 1.0})


@pytest.mark.parametrize("setting", ["mono", "cross", "multi"])
def test_mteb_finds_the_same_figures(measured, setting, tmp_path):
    benchmark, model, results = measured
    task = mteb_task(benchmark, setting)
    cache = mteb.ResultCache(tmp_path)
    (found,) = mteb.evaluate(model, task, cache=cache, show_progress_bar=False).task_results
    assert found.task_name == f"small-{setting}"
    by_subset = {one["hf_subset"]: one for one in found.scores["test"]}
    ours = mteb_results(results)[f"small-{setting}"]["scores"]["test"]
    assert {one["hf_subset"] for one in ours} == set(by_subset)
    for one in ours:
        theirs = by_subset[one["hf_subset"]]
        same = ["main_score", "ndcg_at_10", "recall_at_1", "recall_at_10", "hit_rate_at_1", "hit_rate_at_10"]
        if setting == "multi":
            same.append("own_share_at_10")
        # MTEB rounds to five places.
        assert {key: theirs[key] for key in same} == pytest.approx({key: one[key] for key in same}, abs=1e-5)
        # The pool is smaller than the thousand at which MTEB cuts.
        assert (theirs["map_at_1000"], theirs["mrr_at_1000"]) == pytest.approx(
            (one["map"], one["mrr"]), abs=1e-5
        )
        assert one["languages"] == theirs["languages"]
    assert found.get_score() == pytest.approx(results["settings"][setting]["ndcg@10"]["mean"], abs=1e-5)


def test_mteb_reads_our_result_files(measured, tmp_path):
    _, _, results = measured
    paths = write_mteb_results(results, tmp_path / "mteb")
    assert [path.name for path in paths] == ["small-mono.json", "small-cross.json", "small-multi.json"]
    for path, setting in zip(paths, ("mono", "cross", "multi"), strict=True):
        read = mteb.TaskResult.from_disk(path)
        assert read.task_name == f"small-{setting}"
        assert read.get_score() == pytest.approx(results["settings"][setting]["ndcg@10"]["mean"], abs=1e-12)
        assert read.dataset_revision == results["data"]["checksum"]
    multi = mteb.TaskResult.from_disk(paths[2])
    assert set(multi.languages) == {"deu", "eng", "zho"}
    distances = results["language_bias"]["rank_distance"]["by_language"]
    assert {one["hf_subset"]: one["rank_distance"] for one in multi.scores["test"]} == {
        f"multi-{language}": value for language, value in distances.items()
    }


def test_what_cannot_be_a_task_is_named(measured):
    benchmark = measured[0]
    with pytest.raises(RecipeError, match="'all' is no setting; there are mono, cross, multi"):
        mteb_task(benchmark, "all")
    with pytest.raises(BenchmarkError, match="no query has an answer in the setting cross"):
        mteb_task(benchmark.subset(["de"]), "cross")


def test_languages_in_mtebs_form_are_those_that_mteb_knows():
    from mteb.languages import check_language_code

    expected = {
        "de": "deu-Latn",
        "zh": "zho-Hans",
        "zh-TW": "zho-Hant",
        "ar": "ara-Arab",
        "sr-Latn": "srp-Latn",
    }
    assert {code: mteb_language(code) for code in expected} == expected
    for code in (
        "ar",
        "de",
        "el",
        "en",
        "es",
        "hi",
        "ru",
        "th",
        "tr",
        "vi",
        "zh",
        "he",
        "fil",
        "yue",
        "pt-BR",
    ):
        check_language_code(mteb_language(code))
