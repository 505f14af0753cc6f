"""`isogloss data clean` and `isogloss data decontaminate`, from the command line."""

import json

import pytest

from tests.cleaning.making import read, record, write

GOOD = [record(number, language) for number in range(30) for language in ("en", "de")]


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write(tmp_path / "corpus.jsonl", [*GOOD, record(90, passage="a"), "{", record(0, id="again")])


def test_clean(run, corpus):
    code, out, err = run(
        "data", "clean", corpus, "--output", "out.jsonl", "--removed", "removed.jsonl", "--mismatched", "keep",
        "--report", "report.html", "--report", "report.json",
    )  # fmt: skip
    assert code == 0, err
    assert out.splitlines()[-1] == "60 of 63 records, 30 of 32 items: out.jsonl"
    assert read(corpus.parent / "out.jsonl") == GOOD
    rules = [one["rule"] for one in read(corpus.parent / "removed.jsonl")]
    assert rules == ["too-short", "invalid", "exact-duplicate"]
    report = json.loads((corpus.parent / "report.json").read_text())
    assert report["removed"] == {"too-short": {"en": 1}, "invalid": {"": 1}, "exact-duplicate": {"en": 1}}
    assert "exact-duplicate" in (corpus.parent / "report.html").read_text()
    assert "writing: 63/63" in err


def test_options_override_the_file(run, corpus):
    (corpus.parent / "clean.toml").write_text(
        'mismatched = "keep"\nmin_characters = 5\nexact_duplicates = false\nquery_passage_factor = 0\n'
    )
    arguments = ["data", "clean", corpus, "--options", "clean.toml", "--near-duplicates", "0"]
    code, out, err = run(*arguments, "--min-characters", "1", "--output", "out.parquet")
    assert code == 0, err
    assert out.splitlines()[-1] == "62 of 63 records, 32 of 32 items: out.parquet"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output", "out.csv"], "out.csv: give a name ending in .jsonl"),
        (["--output", "corpus.jsonl"], "corpus.jsonl: exists already"),
        (["--output", "o.jsonl", "--report", "r.txt"], "r.txt: a report is written as"),
        (["--output", "o.jsonl", "--removed", "o.jsonl"], "o.jsonl: two outputs"),
        (["--output", "o.jsonl", "--mismatched", "drop"], "mismatched: Input should be"),
        (["--output", "o.jsonl", "--options", "none.toml"], "none.toml: cannot read"),
        (["--output", "o.jsonl", "--against", "none.jsonl"], "none.jsonl: no such file"),
        (["--output", "o.jsonl", "--min-letters", "3"], "min_letters: Input should be less"),
    ],
)
def test_what_cannot_be_done_is_said(run, corpus, arguments, message):
    before = sorted(corpus.parent.iterdir())
    if "--mismatched" not in arguments:
        arguments = [*arguments, "--mismatched", "keep"]
    code, _, err = run("data", "clean", corpus, *arguments)
    assert code == 2
    assert f"error: {message}" in err or message in err
    assert "Traceback" not in err
    assert sorted(corpus.parent.iterdir()) == before


def test_translations_are_judged_by_a_model(run, corpus, tiny_bert):
    code, _, err = run(
        "data", "clean", corpus, "--output", "out.jsonl", "--mismatched", "keep", "--encoder", tiny_bert,
        "--report", "report.md",
    )  # fmt: skip
    assert code == 0, err
    assert "## similarity of translations" in (corpus.parent / "report.md").read_text()


def test_decontaminate(run, corpus, tmp_path):
    held = [record(7, "de", id="x", query=record(7, "de")["query"].upper()), record(400, "en", id="y")]
    write(tmp_path / "held.jsonl", held)
    write(tmp_path / "other.jsonl", [record(500)])
    clean = write(tmp_path / "clean.jsonl", GOOD)
    code, out, err = run(
        "data", "decontaminate", clean, "--against", "held.jsonl,other.jsonl", "--output", "out.jsonl.gz",
        "--removed", "removed.jsonl", "--report", "report.json",
    )  # fmt: skip
    assert code == 0, err
    assert out.splitlines()[-1] == "2 records of 1 items removed, 58 kept: out.jsonl.gz"
    assert [one["record"]["language"] for one in read(tmp_path / "removed.jsonl")] == ["en", "de"]
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["items"] == {"held": {"exact": 1}, "other": {}}
    code, _, err = run("data", "decontaminate", clean, "--against", "no-such", "--output", "o.jsonl")
    assert code == 2
    assert "no-such: no such file" in err


def test_a_broken_corpus_is_sent_to_clean(run, corpus):
    code, _, err = run("data", "decontaminate", corpus, "--against", "sample:test", "--output", "o.jsonl")
    assert code == 2
    assert "corpus.jsonl:62: bad JSON" in err
    assert "isogloss data clean" in err
