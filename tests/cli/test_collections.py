"""`isogloss evaluate` on folders in the forms of MIRACL and BEIR."""

import gzip
import json
import signal
import subprocess
import sys
import time

import pytest

from tests.corpus.collection_making import make_beir, make_miracl, passage, write_lines


def test_miracl_in_two_languages_in_one_call(run, tmp_path, tiny_bert):
    make_miracl(tmp_path / "data")
    evaluate = (
        "evaluate",
        tiny_bert,
        "--data",
        tmp_path / "data",
        "--work",
        tmp_path / "work",
        "--device",
        "cpu",
    )
    code, out, _ = run(*evaluate, "--output", tmp_path / "results", "--runs", "--run-depth", 20)
    assert code == 0
    for word in ("nDCG@10", "R@100", "monolingual", "sw", "yo", "mean", "100 passages", "(dev)"):
        assert word in out
    results = json.loads((tmp_path / "results" / "results.json").read_text())
    assert results["format"] == "collections 1"
    assert set(results["settings"]["mono"]["ndcg@10"]["by_language"]) == {"sw", "yo"}
    assert results["data"]["split"] == "dev"
    assert len(results["data"]["checksum"]) == len(results["model"]["weights"]) == 64
    assert {"torch", "isogloss"} <= set(results["versions"])
    with gzip.open(tmp_path / "results" / "runs" / "yo.run.gz", "rt") as file:
        assert len(file.readlines()) == 12 * 20
    assert (tmp_path / "results" / "per_query.parquet").is_file()
    # Nothing is encoded again for one language, another depth or another prompt of the queries.
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("*.npy")}
    code, out, _ = run(*evaluate, "--language", "yo", "--query-prompt", "ask: ")
    assert (code, "sw" in out) == (0, False)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("*.npy")} == before
    code, _, err = run(*evaluate, "--passage-prompt", "passage: ")
    assert code == 2
    assert 'model.passage_prompt was "" and is now "passage: "' in err
    code, _, err = run(*evaluate, "--precision", "bfloat16")
    assert code == 2
    assert 'model.precision was "float32" and is now "bfloat16"' in err


def test_beir_and_what_its_corpus_lacks(run, tmp_path, tiny_bert):
    make_beir(tmp_path / "data")
    write_lines(tmp_path / "data" / "corpus.jsonl", [passage(number, "_id") for number in range(1, 50)])
    code, out, err = run("evaluate", tiny_bert, "--data", tmp_path / "data", "--work", tmp_path / "work")
    assert code == 0
    assert "und" in out
    assert "the corpus lacks the passages of" in err


def test_ctrl_c_keeps_what_is_encoded(tmp_path, tiny_bert):
    make_beir(tmp_path / "data", passages=20_000)
    command = [sys.executable, "-m", "isogloss", "evaluate", tiny_bert, "--data", tmp_path / "data"]
    command += ["--work", tmp_path / "work", "--device", "cpu"]
    process = subprocess.Popen(
        list(map(str, command)),
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests run in the background of a shell, interrupts are ignored, and children take that over.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while process.poll() is None and not (tmp_path / "work" / "data" / "manifest.json").is_file():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "kept in" in err
    assert "the same command goes on" in err
    assert not list((tmp_path / "work").rglob("*.part*"))


def bad_inputs(tmp_path, model):
    data, other = make_beir(tmp_path / "data"), make_beir(tmp_path / "broken")
    (other / "corpus.jsonl").write_text('{"_id": "1", "text": "t"}\n{"_id": "2", "te', encoding="utf-8")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "data").mkdir()
    (tmp_path / "used" / "data" / "notes.txt").touch()
    evaluate, work = ("evaluate", model, "--data", data), ("--work", tmp_path / "work")
    return {
        "no folder for the vectors": (evaluate, "give --work"),
        "a split that is not there": ((*evaluate, *work, "--split", "dev"), "no qrels of the split 'dev'"),
        "a language that is not there": (
            (*evaluate, *work, "--language", "de"),
            "--language chooses among folders",
        ),
        "pairs of languages": (
            (*evaluate, *work, "--pairs"),
            "--train-pair and --mteb are for parallel corpora",
        ),
        "languages of training": (
            (*evaluate, *work, "--train-language", "de"),
            "--train-pair and --mteb are for parallel corpora",
        ),
        "a precision that is not there": ((*evaluate, *work, "--precision", "int4"), "'int4' is none of"),
        "runs without an output": ((*evaluate, *work, "--runs"), "give --output"),
        "whole rankings": (
            (*evaluate, *work, "--runs", "--run-depth", 0, "--output", tmp_path / "out"),
            "--run-depth 0",
        ),
        "a folder in use": ((*evaluate, "--work", tmp_path / "used"), "choose another --work"),
        "a broken record": (("evaluate", model, "--data", other, *work), "corpus.jsonl:2"),
        "a parallel corpus": (
            ("evaluate", model, "--data", "sample:test", *work),
            "--work and --split are for folders in MIRACL's or BEIR's form",
        ),
    }


CASES = (
    "no folder for the vectors",
    "a split that is not there",
    "a language that is not there",
    "pairs of languages",
    "languages of training",
    "a precision that is not there",
    "runs without an output",
    "whole rankings",
    "a folder in use",
    "a broken record",
    "a parallel corpus",
)


@pytest.mark.parametrize("case", CASES)
def test_bad_input_gets_a_clear_error(run, tmp_path, tiny_bert, case):
    cases = bad_inputs(tmp_path, tiny_bert)
    assert set(cases) == set(CASES)
    before = set(tmp_path.rglob("*"))
    arguments, said = cases[case]
    code, _, err = run(*arguments)
    assert code == 2
    assert "error: " in err
    assert said in err
    assert "Traceback" not in err
    assert set(tmp_path.rglob("*")) == before
