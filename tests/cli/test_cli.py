"""The command line as a user meets it: exit codes, messages, files."""

import gzip
import json
import signal
import subprocess
import sys

import pytest

from isogloss.encoding import precision
from isogloss.evaluation import read_results
from tests.conftest import records, write_records


def test_version_and_help(run):
    assert run("--version")[:2] == (0, "isogloss 0.1.0\n")
    code, out, _ = run("--help")
    assert code == 0
    for command in ("evaluate", "compare", "train", "plan", "demo", "data", "model"):
        assert command in out


def test_train_evaluate_and_go_on(run, tmp_path, tiny_bert, corpus_file):
    model = tmp_path / "model"
    code, out, err = run(
        "train", "--base", tiny_bert, "--train", corpus_file, "--output", model,
        "--steps", 4, "--warmup-steps", 1, "--batch-size", 8, "--device", "cpu",
        "--trainer", "dataloader_num_workers=0",
    )  # fmt: skip
    assert (code, "training: 4/4" in err) == (0, True)
    assert str(model) in out
    results = tmp_path / "results"
    code, out, _ = run(
        "evaluate", model, "--data", corpus_file, "--output", results, "--runs", "--run-depth", 5, "--pairs"
    )
    assert code == 0
    for word in (
        "monolingual",
        "cross-lingual",
        "multilingual",
        "rank distance",
        "hi",
        "Max@R",
        "even-handedly bad",
    ):
        assert word in out
    figures = read_results(results / "results.json")
    # The model folder says what training met: every language, and in so few batches not every pair.
    assert "seen and unseen in training, after the model card and recipe in" in out
    assert figures["training"]["languages"] == ["de", "en", "hi", "zh"]
    assert set(figures["seen_unseen"]["cross"]) <= {"pair seen", "pair unseen"}
    assert list(figures["seen_unseen"]["multi"]) == ["query language seen"]
    assert figures["settings"]["cross"]["map"]["by_pair"].keys() >= {"en->de", "zh->hi"}
    assert figures["model"]["name"] == str(model)
    assert figures["model"]["precision"] == "float32"
    assert (results / "per_query.parquet").is_file()
    with gzip.open(results / "runs" / "multi.run.gz", "rt", encoding="utf-8") as file:
        assert len(file.readlines()) == 160 * 5
    code, _, err = run("evaluate", model, "--data", corpus_file, "--output", results)
    assert (code, "not empty" in err) == (2, True)


def test_evaluate_in_another_precision(run, tmp_path, tiny_bert, corpus_file, monkeypatch):
    monkeypatch.setattr(precision, "bfloat16_pays", lambda _: False)
    code, _, err = run(
        "evaluate", tiny_bert, "--data", corpus_file, "--output", tmp_path / "results", "--device", "cpu",
        "--precision", "bfloat16", "--token-budget", 64,
    )  # fmt: skip
    assert (code, "bfloat16 is no faster than float32 on this device" in err) == (0, True)
    assert read_results(tmp_path / "results" / "results.json")["model"]["precision"] == "bfloat16"
    code, _, err = run("evaluate", tiny_bert, "--data", corpus_file, "--precision", "int4")
    assert (code, "'int4' is none of float32, bfloat16, int8" in err) == (2, True)


def test_training_languages_from_options(run, tmp_path, tiny_bert, corpus_file):
    code, out, _ = run(
        "evaluate", tiny_bert, "--data", corpus_file, "--output", tmp_path / "r", "--no-second-pass",
        "--train-language", "EN", "--train-pair", "de->en",
    )  # fmt: skip
    assert code == 0
    figures = read_results(tmp_path / "r" / "results.json")
    assert figures["training"]["languages"] == ["de", "en"]
    assert figures["training"]["pairs"] == ["de->en"]
    assert figures["seen_unseen"]["cross"]["pair seen"]["pairs"] == 1
    assert figures["seen_unseen"]["cross"]["both unseen"]["pairs"] == 2
    assert figures["language_shares"] is None
    assert "candidate language unseen" in out


def test_a_recipe_file_and_options_over_it(run, tmp_path, tiny_bert, corpus_file):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f'base = "{tiny_bert}"\ntrain = ["{corpus_file}"]\nplan = "x-y"\nsteps = 5\nwarmup_steps = 1\nbatch_size = 8\n'
        'device = "cpu"\n[trainer]\ngradient_accumulation_steps = 2\n'
    )
    assert run("train", recipe, "--steps", 3, "--output", tmp_path / "model")[0] == 0
    saved = (tmp_path / "model" / "recipe.toml").read_text()
    assert 'plan = "x-y"' in saved
    assert "steps = 3\n" in saved
    assert "gradient_accumulation_steps = 2" in saved


def test_plan_prints_the_run_before_it_is_run(run, corpus_file):
    code, out, _ = run("plan", "--train", corpus_file, "--steps", 50, "--batch-size", 8, "--show", 2)
    assert code == 0
    assert "alpha planned 0.500, realised" in out
    assert "batch 1:" in out
    assert out.count("was ist") + out.count("what is") + out.count("कह") + out.count("问") >= 16
    # Every row of the composition adds up: 50 batches of 8 pairs.
    assert "50 batches of 8 pairs" in out


def test_data_check_and_convert(run, tmp_path, corpus_file):
    code, out, _ = run("data", "check", corpus_file)
    assert (code, "no problems" in out) == (0, True)
    for name in ("copy.jsonl.gz", "copy.parquet", "copy"):
        assert run("data", "convert", corpus_file, tmp_path / name)[0] == 0
        assert run("data", "check", tmp_path / name)[0] == 0
    misspelt = tmp_path / "misspelt.jsonl"
    misspelt.write_text(
        corpus_file.read_text(encoding="utf-8").replace('"query": ', '"titel": "T", "query": ', 1)
    )
    code, out, _ = run("data", "check", misspelt)
    assert (code, "no problems" in out) == (0, True)
    assert "misspelt.jsonl:1: the field 'titel' is not read; is 'title' meant? (1 record" in out
    broken = tmp_path / "broken.jsonl"
    broken.write_text(
        corpus_file.read_text(encoding="utf-8") + '{"id": "x", "language": "qq"}\n', encoding="utf-8"
    )
    code, out, _ = run("data", "check", broken)
    assert code == 2
    assert "broken.jsonl:161" in out


def test_data_list_names_the_benchmarks(run):
    code, out, _ = run("data", "list")
    assert code == 0
    assert "xquad-r" in out
    assert "mlqa-r" in out


def test_ctrl_c_says_how_to_go_on(tmp_path, tiny_bert, corpus_file):
    command = [sys.executable, "-m", "isogloss", "train", "--base", tiny_bert, "--train", corpus_file]
    command += ["--output", tmp_path / "model", "--steps", "100000", "--batch-size", "8", "--device", "cpu"]
    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if line.startswith("training: 1/"):
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command with --resume goes on" in err
    assert not (tmp_path / "model").exists()


def test_a_wide_table_is_not_cut_off(monkeypatch, capsys):
    from isogloss.cli.console import print_table
    from isogloss.reporting.tables import Table

    monkeypatch.setenv("COLUMNS", "40")
    print_table(
        Table("wide", tuple(f"column {n}" for n in range(40)), (tuple(f"0.{n:03d}" for n in range(40)),))
    )
    out = capsys.readouterr().out
    assert "0.039" in out
    assert "…" not in out


def bad_inputs(tmp_path, model):
    good = write_records(tmp_path / "good.jsonl")
    one = write_records(tmp_path / "one.jsonl", languages=("en",))
    lines = good.read_text(encoding="utf-8")
    (tmp_path / "cut.jsonl").write_text(lines[: len(lines) - 30], encoding="utf-8")
    unknown = [
        dict(record, language="qq" if record["language"] == "hi" else record["language"])
        for record in records()
    ]
    (tmp_path / "unknown.jsonl").write_text("\n".join(map(json.dumps, unknown)), encoding="utf-8")
    (tmp_path / "no-model").mkdir()
    (tmp_path / "no-model" / "notes.txt").touch()
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "notes.txt").touch()
    (tmp_path / "bad.toml").write_text("trainer = 5")
    train = ("train", "--base", model, "--output", tmp_path / "out", "--batch-size", 8)
    return {
        "a missing file": ((*train, "--train", tmp_path / "missing.jsonl"), "missing.jsonl"),
        "a truncated JSONL": ((*train, "--train", tmp_path / "cut.jsonl"), "cut.jsonl:160"),
        "one language for x-y": ((*train, "--train", one, "--plan", "x-y"), "two languages"),
        "an unknown language": ((*train, "--train", tmp_path / "unknown.jsonl"), "unknown.jsonl:3"),
        "a batch larger than the corpus": ((*train, "--train", good, "--batch-size", 41), "40"),
        "alpha outside [0, 1]": (
            (*train, "--train", good, "--alpha", "1.2"),
            "alpha: must lie in [0, 1], is 1.2",
        ),
        "no model in the folder": (("evaluate", tmp_path / "no-model", "--data", good), "holds no model"),
        "an output in use": (
            ("train", "--base", model, "--train", good, "--batch-size", 8, "--output", tmp_path / "used"),
            "not empty",
        ),
        "an unknown plan": ((*train, "--train", good, "--plan", "y-y"), "hybrid"),
        "no corpus": (train, "train: is missing"),
        "a training language misspelt": (
            ("evaluate", model, "--data", good, "--train-language", "germn"),
            "'germn' is no language code",
        ),
        "a training pair that is none": (
            ("evaluate", model, "--data", good, "--train-pair", "de-en"),
            "write query-language->passage-language",
        ),
        "a benchmark that is not here": (("evaluate", model, "--data", "no-such-data"), "no-such-data"),
        "a trainer argument without a value": ((*train, "--train", good, "--trainer", "bf16"), "key=value"),
        "an alpha schedule that is none": ((*train, "--train", good, "--alpha", "a:b"), "alpha"),
        "an output below a file": (
            ("evaluate", model, "--data", good, "--output", good / "results"),
            "is a file",
        ),
        "a held-out language misspelt": (
            ("plan", "--train", good, "--batch-size", 8, "--held-out-language", "germn"),
            "'germn' is no language code",
        ),
        "a trainer table that is none": ((*train, "--train", good, tmp_path / "bad.toml"), "trainer"),
        "an offline model not known": (("model", "fetch", "no-such-model"), "multilingual-e5-small"),
    }


CASES = (
    "a missing file",
    "a truncated JSONL",
    "one language for x-y",
    "an unknown language",
    "a batch larger than the corpus",
    "alpha outside [0, 1]",
    "no model in the folder",
    "an output in use",
    "an unknown plan",
    "no corpus",
    "a training language misspelt",
    "a training pair that is none",
    "a benchmark that is not here",
    "an output below a file",
    "a held-out language misspelt",
    "a trainer table that is none",
    "a trainer argument without a value",
    "an alpha schedule that is none",
    "an offline model not known",
)


@pytest.mark.parametrize("case", CASES)
def test_bad_input_gets_a_clear_error(run, tmp_path, tiny_bert, case):
    cases = bad_inputs(tmp_path, tiny_bert)
    assert set(cases) == set(CASES)
    before = set(tmp_path.rglob("*"))
    arguments, said = cases[case]
    code, _, err = run(*arguments)
    assert code == 2
    assert err.startswith("error: ")
    assert said in err
    assert "Traceback" not in err
    assert set(tmp_path.rglob("*")) == before
