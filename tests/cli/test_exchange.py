"""Benchmarks in others' forms, from the command line: out, in again, measured alike."""

import json

import pytest

from tests.conftest import write_records


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_records(tmp_path / "corpus.jsonl", items=8, negatives=True)


def results(run, model, data, output, *more):
    code, _, err = run("evaluate", model, "--data", data, "--output", output, "--device", "cpu", *more)
    assert code == 0, err
    return json.loads((output / "results.json").read_text())


@pytest.mark.parametrize("form", ["beir", "mteb"])
def test_what_goes_out_is_measured_alike_when_it_comes_back(run, corpus, tmp_path, tiny_bert, form):
    code, out, err = run("data", "convert", corpus, "out", "--to", form)
    assert code == 0, err
    assert "queries" in out
    assert "candidates" in out
    before = results(run, tiny_bert, corpus, tmp_path / "before")
    after = results(run, tiny_bert, "out", tmp_path / "after", "--split", "test", "--mteb")
    assert after["data"]["checksum"] == before["data"]["checksum"]
    for part in ("settings", "language_bias", "language_shares", "counts"):
        assert after[part] == before[part]
    assert sorted(path.name for path in (tmp_path / "after" / "mteb").iterdir()) == [
        "out-cross.json",
        "out-mono.json",
        "out-multi.json",
    ]
    code, out, err = run("audit", tiny_bert, "--data", "out", "--split", "test", "--device", "cpu")
    assert code == 0, err
    code, out, err = run("data", "convert", corpus, "out", "--to", form)
    assert (code, "not empty" in err or "exists" in err) == (2, True)


def test_beirs_folders_one_by_one(run, corpus, tmp_path):
    code, _, _ = run("data", "convert", corpus, "apart", "--to", "beir", "--apart")
    assert code == 0
    assert (tmp_path / "apart" / "multi-de" / "corpus.jsonl").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("data", "convert", "corpus.jsonl", "out", "--to", "csv"),
            "--to csv: no such form; there are beir and mteb",
        ),
        (("data", "convert", "corpus.jsonl", "out", "--apart"), "--apart goes with --to beir"),
        (
            ("data", "convert", "corpus.jsonl", "out", "--to", "mteb", "--apart"),
            "--apart goes with --to beir",
        ),
        (("data", "convert", "nowhere", "out", "--to", "beir"), "nowhere"),
        (("evaluate", "model", "--data", "corpus.jsonl", "--mteb"), "--mteb writes files: give --output"),
        (
            ("evaluate", "model", "--data", "corpus.jsonl", "--split", "dev"),
            "--work and --split are for folders",
        ),
    ],
)
def test_bad_input(run, corpus, tmp_path, arguments, message):
    code, _, err = run(*arguments)
    assert (code, message in err, "Traceback" in err) == (2, True, False), err
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.jsonl"]
