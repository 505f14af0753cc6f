"""Training on tiny random models: it learns, it is repeatable, and resuming changes nothing."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from isogloss.corpus import read_corpus
from isogloss.errors import Interrupted, ModelError, OutputError, PlanError, RecipeError
from isogloss.training.callbacks import SilentProgress
from isogloss.training.recipe import make_recipe
from isogloss.training.row_sparse_adamw import RowSparseAdamW
from isogloss.training.run import train
from isogloss.training.trained_on import trained_pairs
from tests.conftest import write_records


@pytest.fixture
def values(tiny_bert, corpus_file):
    return {
        "base": str(tiny_bert),
        "train": [str(corpus_file)],
        "steps": 12,
        "batch_size": 8,
        "warmup_steps": 2,
        "learning_rate": 1e-3,
        "device": "cpu",
    }


def weights(folder):
    return SentenceTransformer(str(folder), device="cpu").state_dict()


def assert_equal_weights(one, other):
    one, other = weights(one), weights(other)
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


class Recorder(SilentProgress):
    def __init__(self, stop_at=None):
        self.losses, self.messages, self.stop_at = [], [], stop_at

    def step(self, done, steps, pairs_per_second, loss):
        self.losses.append(loss)
        if done == self.stop_at:
            os.kill(os.getpid(), signal.SIGINT)

    def message(self, text):
        self.messages.append(text)


def test_training_lowers_the_loss_and_leaves_a_plain_model(values, tmp_path, tiny_bert):
    progress = Recorder()
    recipe = make_recipe(
        {**values, "steps": 60, "log_every": 1, "query_prompt": "q: ", "passage_prompt": "p: "}
    )
    result = train(recipe, tmp_path / "model", progress=progress)
    assert result.steps == 60
    assert result.pairs_per_second > 0
    assert np.mean(progress.losses[-5:]) < 0.7 * np.mean(progress.losses[1:6])
    model = SentenceTransformer(str(tmp_path / "model"), device="cpu")
    assert model.prompts == {"query": "q: ", "document": "p: "}
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    for said in ("tiny-bert", "hybrid", "60 steps", "de en hi zh", 'query_prompt = "q: "'):
        assert said in card
    assert not (tmp_path / "model.unfinished").exists()
    moved = [
        not torch.equal(before, weights(tmp_path / "model")[name])
        for name, before in weights(tiny_bert).items()
    ]
    assert sum(moved) > len(moved) / 2


@pytest.mark.parametrize("plan", ["en-en", "x-x", "x-x-mono", "x-y", "hybrid"])
def test_every_plan_trains(values, tmp_path, plan, tiny_xlm_roberta):
    recipe = make_recipe({**values, "base": str(tiny_xlm_roberta), "plan": plan, "steps": 3})
    assert train(recipe, tmp_path / "model").steps == 3


def test_the_same_recipe_gives_the_same_weights(values, tmp_path):
    for name in ("one", "two"):
        train(make_recipe(values), tmp_path / name)
    assert_equal_weights(tmp_path / "one", tmp_path / "two")
    train(make_recipe({**values, "seed": 1}), tmp_path / "three")
    with pytest.raises(AssertionError):
        assert_equal_weights(tmp_path / "one", tmp_path / "three")


@pytest.mark.parametrize("word_embeddings", ["dense", "sparse"])
@pytest.mark.parametrize("accumulation", [1, 2])
def test_an_interrupted_run_resumes_at_the_next_batch(values, tmp_path, accumulation, word_embeddings):
    recipe = make_recipe(
        {
            **values,
            "word_embeddings": word_embeddings,
            "trainer": {"gradient_accumulation_steps": accumulation},
        }
    )
    train(recipe, tmp_path / "whole")
    with pytest.raises(Interrupted, match="step 5 of 12"):
        train(recipe, tmp_path / "cut", progress=Recorder(stop_at=5))
    assert not (tmp_path / "cut").exists()
    progress = Recorder()
    train(recipe, tmp_path / "cut", resume=True, progress=progress)
    assert "going on from step 5" in progress.messages
    assert_equal_weights(tmp_path / "whole", tmp_path / "cut")


def test_a_killed_run_resumes_from_its_last_whole_checkpoint(values, tmp_path):
    recipe = make_recipe({**values, "steps": 30, "save_every": 4})
    train(recipe, tmp_path / "whole")
    script = (
        "import json, sys; from pathlib import Path; from isogloss.training.recipe import make_recipe; "
        "from isogloss.training.run import train; train(make_recipe(json.loads(sys.argv[1])), Path(sys.argv[2]))"
    )
    arguments = json.dumps({**values, "steps": 30, "save_every": 4})
    process = subprocess.Popen([sys.executable, "-c", script, arguments, str(tmp_path / "cut")])
    checkpoints = tmp_path / "cut.unfinished" / "checkpoints"
    deadline = time.monotonic() + 120
    while not list(checkpoints.glob("checkpoint-*/trainer_state.json")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (tmp_path / "cut").exists()
    train(recipe, tmp_path / "cut", resume=True)
    assert_equal_weights(tmp_path / "whole", tmp_path / "cut")


def test_frozen_word_embeddings_stay_and_the_rest_moves(values, tmp_path, tiny_bert):
    train(make_recipe({**values, "word_embeddings": "frozen"}), tmp_path / "model")
    before, after = weights(tiny_bert), weights(tmp_path / "model")
    words = next(name for name in before if name.endswith("word_embeddings.weight"))
    assert torch.equal(before[words], after[words])
    dense = next(name for name in before if name.endswith("intermediate.dense.weight"))
    assert not torch.equal(before[dense], after[dense])


def test_sparse_word_embeddings_move_where_they_are_met(values, tmp_path, tiny_bert):
    recipe = make_recipe({**values, "word_embeddings": "sparse", "weight_decay": 0.5, "log_every": 1})
    progress = Recorder()
    train(recipe, tmp_path / "model", progress=progress)
    before, after = weights(tiny_bert), weights(tmp_path / "model")
    words = next(name for name in before if name.endswith("word_embeddings.weight"))
    moved = (before[words] != after[words]).any(dim=1)
    tokenizer = SentenceTransformer(str(tiny_bert), device="cpu").tokenizer
    assert moved[tokenizer.convert_tokens_to_ids("0")]
    assert not moved[tokenizer.convert_tokens_to_ids("ß")]
    assert not moved[tokenizer.pad_token_id]


@pytest.mark.parametrize("accumulation", [1, 2])
def test_one_sparse_step_is_a_dense_step_without_decay(values, tmp_path, accumulation):
    step = {
        **values,
        "steps": 1,
        "warmup_steps": 0,
        "schedule": "constant",
        "weight_decay": 0.0,
        "trainer": {"gradient_accumulation_steps": accumulation, "adam_epsilon": 1e-4},
    }
    for choice in ("dense", "sparse"):
        train(make_recipe({**step, "word_embeddings": choice}), tmp_path / choice)
    dense, sparse = weights(tmp_path / "dense"), weights(tmp_path / "sparse")
    for name, expected in dense.items():
        torch.testing.assert_close(sparse[name], expected, atol=1e-6, rtol=1e-5)


def test_sparse_and_dense_gradients_are_clipped_by_one_norm(values, tmp_path, monkeypatch):
    norms = {}

    def recorded(optimizer, step):
        def wrapper(self, closure=None):
            parameters = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
            sparse = sum(p.grad.is_sparse for p in parameters)
            squares = [p.grad.to_dense().square().sum() for p in parameters]
            norms.setdefault(sparse, []).append(float(sum(squares)) ** 0.5)
            return step(self, closure)

        monkeypatch.setattr(optimizer, "step", wrapper)

    recorded(RowSparseAdamW, RowSparseAdamW.step)
    train(
        make_recipe({**values, "word_embeddings": "sparse", "steps": 3, "max_grad_norm": 0.01}),
        tmp_path / "model",
    )
    assert norms == {1: pytest.approx([0.01] * 3, rel=1e-3)}


def test_the_checkpoint_best_on_development_data_is_kept(values, tmp_path):
    dev = write_records(tmp_path / "dev.jsonl", items=9, first=100)
    recipe = make_recipe(
        {
            **values,
            "dev": str(dev),
            "eval_every": 3,
            "select_by": "loss",
            "learning_rate": 3e-2,
            "hard_negatives": 1,
        }
    )
    progress = Recorder()
    train(recipe, tmp_path / "model", progress=progress)
    said = [message for message in progress.messages if "development loss" in message]
    assert len(said) == 4
    losses = [float(message.split("development loss ")[1].split(",")[0]) for message in said]
    best = 3 * (int(np.argmin(losses)) + 1)
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert f"the checkpoint of step {best} was chosen by loss" in card


def test_training_stops_early_without_progress(values, tmp_path):
    dev = write_records(tmp_path / "dev.jsonl", items=9, first=100)
    recipe = make_recipe(
        {
            **values,
            "steps": 60,
            "dev": str(dev),
            "eval_every": 2,
            "patience": 1,
            "select_by": "loss",
            "learning_rate": 0.5,
        }
    )
    assert train(recipe, tmp_path / "model").steps < 60


def test_an_english_only_corpus_serves_the_monolingual_batches(values, tmp_path):
    english = write_records(tmp_path / "english.jsonl", languages=("en",), first=200)
    train(make_recipe({**values, "train": [*values["train"], str(english)], "steps": 3}), tmp_path / "model")
    assert read_corpus(english).languages == ("en",)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"batch_size": 64}, PlanError, "40"),
        ({"base": "nowhere/else/at all"}, ModelError, "no such model folder"),
        ({"trainer": {"no_such_argument": 1}}, RecipeError, "no_such_argument"),
        ({"trainer": {"report_to": "no_such_service"}}, RecipeError, "no_such_service"),
        ({"trainer": {"optim": "no_such_optimiser"}}, RecipeError, "no_such_optimiser"),
        (
            {"word_embeddings": "sparse", "trainer": {"optim": "adafactor"}},
            RecipeError,
            "needs AdamW and optim is 'adafactor'",
        ),
        ({"max_length": 65}, RecipeError, "max_length: 65 tokens, but .* takes 64 at most"),
        (
            {"held_out_languages": ["english"]},
            RecipeError,
            "held_out_languages: 'english' is no language code",
        ),
        ({"languages": ["EN", "fr"]}, PlanError, "fr"),
        ({"device": "no-such-device"}, RecipeError, "device: 'no-such-device' cannot be used"),
        ({"alpha": "0.8:x"}, RecipeError, "alpha"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(values, tmp_path, change, error, said):
    with pytest.raises(error, match=said):
        train(make_recipe({**values, **change}), tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.jsonl"]


def test_a_development_corpus_must_have_the_figure_to_select_by(values, tmp_path):
    english = write_records(tmp_path / "english.jsonl", languages=("en",), items=9, first=100)
    recipe = make_recipe({**values, "dev": str(english), "eval_every": 3, "select_by": "rank_distance"})
    with pytest.raises(RecipeError, match="rank_distance needs a development corpus in two languages"):
        train(recipe, tmp_path / "model")
    train(
        make_recipe({**values, "dev": str(english), "eval_every": 3, "select_by": "mono_map"}),
        tmp_path / "model",
    )


def test_a_development_corpus_is_measured_at_the_end_where_it_chooses_nothing(values, tmp_path):
    dev = write_records(tmp_path / "dev.jsonl", items=9, first=100)
    progress = Recorder()
    train(make_recipe({**values, "dev": str(dev)}), tmp_path / "model", progress=progress)
    assert any(message.startswith("development loss") for message in progress.messages)
    assert "| 12 | " in (tmp_path / "model" / "README.md").read_text(encoding="utf-8")


def test_held_out_languages_are_not_met_and_not_on_the_card(values, tmp_path):
    progress = Recorder()
    recipe = make_recipe({**values, "held_out_languages": ["ZH", "el"], "hard_negatives": 1})
    train(recipe, tmp_path / "model", progress=progress)
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert "- hi\ntags" in card
    assert "| 40 | de en hi |" in card
    assert "held out, but in no training corpus anyway: el" in progress.messages
    met = trained_pairs(tmp_path / "model")
    assert met.languages == {"de", "en", "hi"}
    assert len(met.pairs) > 3
    assert not any("zh" in pair for pair in met.pairs)


def test_early_stopping_goes_on_counting_after_a_resume(values, tmp_path):
    dev = write_records(tmp_path / "dev.jsonl", items=9, first=100)
    settings = {
        "steps": 60,
        "dev": str(dev),
        "eval_every": 2,
        "patience": 2,
        "select_by": "loss",
        "learning_rate": 0.5,
    }
    recipe = make_recipe({**values, **settings})
    undisturbed = train(recipe, tmp_path / "whole").steps
    with pytest.raises(Interrupted):
        train(recipe, tmp_path / "cut", progress=Recorder(stop_at=undisturbed - 1))
    assert train(recipe, tmp_path / "cut", resume=True).steps == undisturbed


def test_a_base_in_half_precision_is_trained_in_single(values, tmp_path, tiny_bert):
    SentenceTransformer(str(tiny_bert), device="cpu").half().save_pretrained(str(tmp_path / "half"))
    train(make_recipe({**values, "base": str(tmp_path / "half")}), tmp_path / "model")
    assert {value.dtype for value in weights(tmp_path / "model").values() if value.is_floating_point()} == {
        torch.float32
    }


def test_resuming_with_other_data_is_refused(values, tmp_path):
    recipe = make_recipe(values)
    with pytest.raises(Interrupted):
        train(recipe, tmp_path / "cut", progress=Recorder(stop_at=5))
    write_records(tmp_path / "corpus.jsonl", items=39)
    with pytest.raises(RecipeError, match="corpus has changed"):
        train(recipe, tmp_path / "cut", resume=True)


def test_loader_workers_change_nothing(values, tmp_path):
    train(make_recipe(values), tmp_path / "one")
    train(make_recipe({**values, "trainer": {"dataloader_num_workers": 2}}), tmp_path / "two")
    assert_equal_weights(tmp_path / "one", tmp_path / "two")


def test_an_output_in_use_is_refused(values, tmp_path):
    with pytest.raises(OutputError, match="not empty"):
        train(make_recipe(values), tmp_path)


def test_a_share_of_the_base_is_kept(values, tmp_path, tiny_bert):
    curve = {"dev": values["train"][0], "eval_every": 6, "select_by": "last"}
    train(make_recipe({**values, **curve}), tmp_path / "trained")
    train(make_recipe({**values, **curve, "base_weight": 0.3}), tmp_path / "kept")
    base, trained, kept = weights(tiny_bert), weights(tmp_path / "trained"), weights(tmp_path / "kept")
    for name, value in kept.items():
        expected = 0.3 * base[name] + 0.7 * trained[name]
        torch.testing.assert_close(value, expected, rtol=1e-5, atol=1e-6)
    # What was measured last is what is kept, and measuring has not moved what is trained.
    train(make_recipe({**values, **curve, "steps": 1, "base": str(tmp_path / "kept"), "learning_rate": 1e-12,
                       "warmup_steps": 0, "eval_every": 0}), tmp_path / "again")  # fmt: skip
    last = json.loads((tmp_path / "kept" / "training.json").read_text())["development"][-1]
    again = json.loads((tmp_path / "again" / "training.json").read_text())["development"][-1]
    for figure in ("dev_mono_map", "dev_multi_map", "dev_loss"):
        assert again[figure] == pytest.approx(last[figure], abs=1e-5)
