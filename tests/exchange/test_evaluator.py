"""The evaluator in the library's own trainer, and its figures beside those of `isogloss evaluate`."""

import csv

import pytest
from datasets import Dataset
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.sentence_transformer.evaluation import SequentialEvaluator
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

import isogloss
from isogloss.corpus import ParallelCorpus, RetrievalBenchmark
from isogloss.encoding.encoder import SentenceTransformerEncoder
from isogloss.encoding.prompts import Prompts
from isogloss.errors import BenchmarkError, OutputError, RecipeError
from isogloss.evaluation import BIAS_DEFINITIONS
from isogloss.evaluation.model_evaluation import evaluate_model
from isogloss.exchange.evaluator import MultilingualRetrievalEvaluator
from tests.conftest import records, write_records


@pytest.fixture(scope="module")
def benchmark():
    corpus = ParallelCorpus.from_records(list(records(12, ("de", "en", "zh"), negatives=True)), name="small")
    return RetrievalBenchmark.from_corpus(corpus)


@pytest.fixture
def model(tiny_bert):
    return SentenceTransformer(str(tiny_bert), device="cpu")


def test_the_figures_are_those_of_an_evaluation(model, benchmark):
    bias = [definition.key for definition in BIAS_DEFINITIONS]
    evaluator = MultilingualRetrievalEvaluator(
        benchmark, query_prompt="q: ", passage_prompt="p: ", measures=("map", "mrr"), bias=bias
    )
    figures = evaluator(model)
    encoder = SentenceTransformerEncoder(model, "tiny", Prompts("q: ", "p: "))
    evaluation, _ = evaluate_model(encoder, benchmark)
    expected = {
        f"small_{setting}_{measure}": evaluation.settings[setting].summaries[measure].mean
        for setting in ("mono", "cross", "multi")
        for measure in ("map", "mrr")
    }
    for key, (summary, _) in evaluation.bias_summaries().items():
        if summary.mean is not None:
            expected[f"small_{key}"] = summary.mean
    assert figures == expected
    assert all(type(value) is float for value in figures.values())
    other = MultilingualRetrievalEvaluator(benchmark, query_prompt="other: ", passage_prompt="p: ")(model)
    assert other["small_multi_map"] != figures["small_multi_map"]


def test_the_models_own_prompts_are_taken_unless_others_are_given(tiny_bert, benchmark):
    prompts = {"query": "q: ", "document": "p: "}
    own = SentenceTransformer(str(tiny_bert), device="cpu", prompts=prompts)
    given = MultilingualRetrievalEvaluator(benchmark, query_prompt="q: ", passage_prompt="p: ")
    assert MultilingualRetrievalEvaluator(benchmark)(own) == given(own)
    bare = MultilingualRetrievalEvaluator(benchmark, query_prompt="", passage_prompt="")
    assert bare(own) != given(own)


def test_in_the_librarys_trainer_it_chooses_the_checkpoint(model, benchmark, tmp_path):
    pairs = list(records(24, ("en",), first=20))
    evaluator = MultilingualRetrievalEvaluator(benchmark, "dev", primary="rank_distance")
    trainer = SentenceTransformerTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(
            output_dir=str(tmp_path),
            max_steps=4,
            per_device_train_batch_size=8,
            learning_rate=1e-2,
            eval_strategy="steps",
            eval_steps=1,
            save_steps=1,
            save_total_limit=2,
            load_best_model_at_end=True,
            metric_for_best_model=f"eval_{evaluator.primary_metric}",
            greater_is_better=evaluator.greater_is_better,
            report_to="none",
            disable_tqdm=True,
            use_cpu=True,
        ),
        train_dataset=Dataset.from_dict(
            {"anchor": [one["query"] for one in pairs], "positive": [one["passage"] for one in pairs]}
        ),
        loss=MultipleNegativesRankingLoss(model),
        evaluator=evaluator,
    )
    trainer.train()
    seen = [
        entry["eval_dev_rank_distance"]
        for entry in trainer.state.log_history
        if "eval_dev_rank_distance" in entry
    ]
    assert len(seen) >= 4
    assert len(set(seen)) > 1
    assert trainer.state.best_metric == min(seen)
    # The best checkpoint is loaded, and has the figure that chose it.
    assert evaluator(trainer.model)["dev_rank_distance"] == min(seen)
    logged = {name for entry in trainer.state.log_history for name in entry}
    assert {"eval_dev_mono_map", "eval_dev_cross_map", "eval_dev_multi_recall@10"} <= logged


def test_a_line_of_csv_a_call(model, benchmark, tmp_path):
    evaluator = MultilingualRetrievalEvaluator(benchmark, "x", measures=("map",))
    figures = evaluator(model, str(tmp_path / "eval"), epoch=0.5, steps=10)
    evaluator(model, str(tmp_path / "eval"), epoch=1, steps=20)
    with (tmp_path / "eval" / "Multilingual-Retrieval_evaluation_x_results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["steps"] for row in rows] == ["10", "20"]
    assert {
        f"x_{key}": float(value) for key, value in rows[0].items() if key not in ("epoch", "steps")
    } == figures
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        evaluator(model, str(tmp_path / "file"))


def test_it_writes_no_csv_unless_told_and_leaves_the_mode(model, benchmark, tmp_path):
    evaluator = MultilingualRetrievalEvaluator(benchmark, "x", measures=("map",), write_csv=False)
    model.train()
    evaluator(model, str(tmp_path / "eval"))
    assert model.training
    assert not (tmp_path / "eval").exists()


def test_beside_other_evaluators_and_in_the_model_card(model, benchmark, tmp_path):
    one = MultilingualRetrievalEvaluator(benchmark, "one", measures=("map",))
    two = MultilingualRetrievalEvaluator(benchmark, "two", languages=["de"], measures=("map",))
    figures = SequentialEvaluator([one, two])(model)
    assert "one_cross_map" in figures
    assert "two_mono_map" in figures
    assert "two_cross_map" not in figures
    assert figures["sequential_score"] == figures["two_multi_map"]
    model.save(str(tmp_path / "model"))
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert "Multilingual Retrieval" in card
    assert "rank_distance" in card


def test_it_takes_names_and_files_and_is_exported(tmp_path):
    assert isogloss.MultilingualRetrievalEvaluator is MultilingualRetrievalEvaluator
    path = write_records(tmp_path / "mine.jsonl", items=4)
    evaluator = isogloss.MultilingualRetrievalEvaluator(path)
    assert evaluator.primary_metric == "mine_multi_map"
    assert evaluator.greater_is_better
    assert not MultilingualRetrievalEvaluator(path, "", primary="rank_distance").greater_is_better


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"measures": ["ndcg@11"]}, RecipeError, "'ndcg@11' is no measure of quality"),
        ({"bias": ["map"]}, RecipeError, "'map' is no measure of language bias"),
        ({"primary": "multi_mrr"}, RecipeError, "'multi_mrr' is not measured"),
        ({"bias": ["score_gap"], "primary": "score_gap"}, RecipeError, "best in between"),
        ({"languages": ["de"], "primary": "cross_map"}, RecipeError, "needs a benchmark in two languages"),
        ({"languages": ["fr"]}, BenchmarkError, "has no language fr"),
    ],
)
def test_wrong_arguments_are_named(benchmark, arguments, error, message):
    with pytest.raises(error, match=message):
        MultilingualRetrievalEvaluator(benchmark, **arguments)
