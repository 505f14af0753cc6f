"""Runs of a study: trained, stopped, killed and gone on with, and measured by the report alone."""

import json
import re
import signal
import subprocess
import sys
import time

import pytest

from isogloss.errors import RecipeError
from isogloss.study.definition import read_study
from isogloss.study.measuring import measurement_tasks, measurements_of
from isogloss.study.queue import work_through
from isogloss.study.running import budget_of, read_record, train_run
from isogloss.study.runs import runs_of
from isogloss.study.status import budget_notices, notices, states_of, status_table
from tests.study.making import STUDY, write_study


@pytest.fixture
def study(tmp_path, monkeypatch, tiny_bert):
    monkeypatch.chdir(tmp_path)
    return read_study(write_study(tmp_path, tiny_bert))


def test_a_run_leaves_its_model_and_record(study, tmp_path):
    run = runs_of(study)[2]
    assert read_record(run, tmp_path) is None
    train_run(run, tmp_path)
    record = read_record(run, tmp_path)
    assert (record["steps"], record["pairs"]) == (4, 16)
    assert record["tokens"] == budget_of(run.recipe)[1] > 16 * 4
    assert [point["step"] for point in record["development"]] == [2, 4]
    assert {"dev_multi_map", "dev_rank_distance", "dev_loss"} <= set(record["development"][0])
    assert (tmp_path / run.place / "model" / "modules.json").is_file()
    assert not (tmp_path / run.place / "model.unfinished").exists()
    other = runs_of(study.model_copy(update={"recipe": {**study.recipe, "learning_rate": 1e-4}}))[2]
    with pytest.raises(
        RecipeError, match=r"trained with another recipe: learning_rate was 0.001 and is 0.0001"
    ):
        read_record(other, tmp_path)


def test_tokens_are_those_of_the_texts_as_they_are_cut(study):
    recipe = runs_of(study)[0].recipe
    pairs, tokens = budget_of(recipe)
    assert pairs == 16
    assert tokens == sum(slow_lengths(recipe))


def slow_lengths(recipe):
    from isogloss.corpus import read_corpus
    from isogloss.encoding.loading import load_sentence_transformer
    from isogloss.training.pair_texts import PairDataset
    from isogloss.training.planning import make_planner

    corpora = [read_corpus(one) for one in recipe.train]
    planner, dataset = make_planner(recipe, corpora), PairDataset(corpora)
    model = load_sentence_transformer(recipe.base, device="cpu", max_length=recipe.max_length)
    for step in range(recipe.steps):
        for pair in planner.batch(step).pairs.tolist():
            one = dataset[pair]
            for text in (one.query, one.passage):
                yield int(model.preprocess([text])["attention_mask"].sum())


def test_where_a_study_stands(study, tmp_path):
    runs = runs_of(study)
    for run in runs[:3]:
        train_run(run, tmp_path)
    (tmp_path / runs[3].place).mkdir(parents=True)
    (tmp_path / runs[3].place / "failed.txt").write_text("first line\nthe reason\n")
    states = states_of(runs, tmp_path)
    assert [one.state for one in states] == ["done"] * 3 + ["failed"] + ["left"] * 5
    table = status_table(states)
    assert table.rows[0][:8] == ("first", tmp_path.name, "x-x-mono", "1", "-", "-", "1", "4") or table.rows[0][3:8] == (
        "1", "-", "-", "1", "4"
    )  # fmt: skip
    said = notices(states)
    assert any(line.startswith("failed: first") and line.endswith("the reason") for line in said)
    assert any("5 runs are left" in line for line in said)
    assert budget_notices(states) == []
    states[0].record["tokens"] *= 2
    assert any("x-x-mono has met" in line for line in budget_notices(states))
    states[0].record["pairs"] += 1
    assert any("not all arms have trained equally many pairs" in line for line in budget_notices(states))
    assert not any("equally many pairs" in line for line in budget_notices(states, "tokens"))
    assert any("x-x-mono has met" in line for line in budget_notices(states, "tokens"))


def test_the_report_measures_bases_runs_and_cures(study, tmp_path):
    runs = [run for run in runs_of(study) if run.seed == 0 and run.condition == "first"]
    for run in runs:
        train_run(run, tmp_path)
    tested = [one for one in measurements_of(study, runs, "hybrid") if one.condition == "first"]
    # The base and its two cures, four arms, and the two cures on the hybrid arm.
    assert len(tested) == 3 + 4 + 2
    outcome = work_through(measurement_tasks(study, tested, tmp_path, lambda *_: None, device="cpu"), print)
    assert len(outcome.worked) == 5
    for one in tested:
        results = json.loads((tmp_path / one.place / "results.json").read_text())
        assert (tmp_path / one.place / "per_query.parquet").is_file()
        assert ("debias" in results["model"]) == (one.cure is not None)
        assert ("training" in results) == (one.arm is not None)
        if one.arm is not None:
            assert results["model"]["name"].startswith((one.place.parents[1] / "model").as_posix())
            assert str(tmp_path) not in json.dumps(results)
    cured = next(one for one in tested if one.cure == "centre" and one.arm == "hybrid")
    results = json.loads((tmp_path / cured.place / "results.json").read_text())
    assert results["model"]["debias"]["fitted_on"]["name"] == "train"
    assert results["model"]["debias"]["not_fitted"] == ["zh"]
    assert not results["model"]["debias"]["transductive"]
    assert work_through(measurement_tasks(study, tested, tmp_path, lambda *_: None), print).worked == ()


def isogloss(folder):
    arguments = (
        "study",
        folder / "study.toml",
        "--output",
        folder / "out",
        "--arm",
        "hybrid",
        "--arm",
        "x-y",
    )
    return [sys.executable, "-m", "isogloss", *map(str, arguments)]


def weights(folder, run):
    return (folder / run.place / "model" / "model.safetensors").read_bytes()


def test_a_killed_study_goes_on_to_the_same_models(tmp_path, tiny_bert):
    text = STUDY.replace("steps = 4", "steps = 12").replace(
        "eval_every = 2", "save_every = 1\neval_every = 6"
    )
    text = text[: text.index("[conditions.held-out]")].replace("seeds = [0, 1]", "seeds = [0]")
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        write_study(folder, tiny_bert, re.sub(r'"(\w+\.jsonl)"', rf'"{folder}/\1"', text))
    subprocess.run(isogloss(one), check=True, capture_output=True)
    process = subprocess.Popen(isogloss(other), stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not list((other / "out").rglob("checkpoint-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    subprocess.run(isogloss(other), check=True, capture_output=True)
    for run in runs_of(read_study(other / "study.toml")):
        if run.arm in ("hybrid", "x-y"):
            assert weights(one / "out", run) == weights(other / "out", run)
            assert read_record(run, other / "out")["steps"] == 12
