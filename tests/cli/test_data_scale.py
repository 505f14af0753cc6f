"""`isogloss data convert --from`, `data formats` and `data stats`, from the command line."""

import json

import pytest

from isogloss.cli.stream_progress import StreamProgress
from isogloss.corpus import read_corpus
from isogloss.corpus.published.formats import FORMATS
from isogloss.corpus.streaming import VersionStream
from tests.conftest import write_records
from tests.corpus.published.reading import FIXTURES, fixture


def test_published_data_become_a_corpus_and_what_is_left_out_is_said(run, tmp_path):
    source = fixture(tmp_path, "mmarco")
    code, out, err = run("data", "convert", source, tmp_path / "corpus", "--from", "mmarco")
    assert code == 0, err
    assert f"3 items in 2 languages: {tmp_path / 'corpus'}" in out
    assert "2 pairs whose query is not among the queries" in out
    corpus = read_corpus(tmp_path / "corpus")
    assert (corpus.name, corpus.languages) == ("mmarco", ("de", "en"))
    assert run("data", "check", tmp_path / "corpus")[0] == 0


def test_several_sources_are_joined(run, tmp_path):
    for name in ("de", "en"):
        (tmp_path / f"{name}.csv").write_text(f"id,query,passage,language\n1,q {name},p {name},{name}\n")
    files = [tmp_path / "de.csv", tmp_path / "en.csv"]
    assert run("data", "convert", *files, tmp_path / "faq.jsonl", "--from", "table")[0] == 0
    assert read_corpus(tmp_path / "faq.jsonl").languages == ("de", "en")
    code, out, _ = run("data", "convert", "sample:dev", tmp_path / "faq.jsonl", tmp_path / "all")
    assert (code, out.startswith("19 items in 8 languages")) == (0, True)
    assert read_corpus(tmp_path / "all").name == "all"
    code, _, err = run("data", "convert", files[0], files[1], files[0], tmp_path / "x", "--from", "table")
    assert code == 2
    assert f"{files[0]}:2: id '1' comes twice in language 'de'; first at {files[0]}:2" in err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--split", "dev"], "--split goes with --from FORMAT"),
        (["--column", "query=q"], "--column goes with --from FORMAT"),
        (["--passage", "sentence"], "--passage goes with --from FORMAT"),
        (["--from", "squid"], "--from squid: no such form"),
        (["--from", "squad", "--passage", "word"], "--passage word: give paragraph or sentence"),
        (["--from", "mmarco", "--pairs", "all"], "--pairs all: give triples or qrels"),
        (
            ["--from", "table", "--column", "q"],
            "--column q: give FIELD=COLUMN, with a field of query, passage",
        ),
        (["--from", "table", "--column", "answer=q"], "--column answer=q: give FIELD=COLUMN"),
        (["--from", "squad", "--language", "qq"], "'qq' is not a known language code"),
        (["--from", "squad", "--to", "beir"], "--to takes one benchmark, and no --from"),
        (["--from", "wikiqa"], "no file of this form in it"),
    ],
)
def test_options_that_do_not_fit(run, tmp_path, arguments, message):
    code, _, err = run("data", "convert", FIXTURES / "squad", tmp_path / "out", *arguments)
    assert code == 2
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_the_forms_are_listed_and_told(run):
    code, out, _ = run("data", "formats")
    assert code == 0
    assert all(form.name in out and form.licence in out and form.citation in out for form in FORMATS.values())
    code, out, _ = run("data", "formats", "squad")
    assert "options: --language --passage --split" in out
    assert "licence: CC BY-SA 4.0" in out
    assert run("data", "formats", "squid")[0] == 2


def test_statistics_as_tables_and_files(run, tmp_path, tiny_bert):
    write_records(tmp_path / "faq.jsonl", items=6)
    names = [tmp_path / f"stats{suffix}" for suffix in (".json", ".csv", ".md", ".tex")]
    outputs = [word for name in names for word in ("--output", name)]
    code, out, err = run(
        "data", "stats", "sample:dev", tmp_path / "faq.jsonl", "--tokenizer", tiny_bert, *outputs
    )
    assert code == 0, err
    for word in ("168 pairs of query and passage", "isogloss-sample", "faq", "all", "lengths in tokens"):
        assert word in out
    results = json.loads(names[0].read_text(encoding="utf-8"))
    sample, faq = results["datasets"]
    assert (sample["items"], faq["items"], faq["languages"]["de"]["versions"]) == (18, 6, 6)
    assert sample["languages"]["en"]["query"]["tokens"]["total"] > 18
    assert len(names[1].read_text().splitlines()) == 1 + 2 * (8 + 4)
    assert (
        names[2]
        .read_text()
        .startswith("**168 pairs of query and passage by data set and language**\n\n| data set |")
    )
    assert r"\toprule" in names[3].read_text()
    code, out, _ = run("data", "stats", "sample:dev", "--json")
    assert json.loads(out)["tokenizer"] is None
    code, _, err = run("data", "stats", "sample:dev", "--tokenizer", tmp_path)
    assert (code, "holds no model" in err) == (2, True)
    code, _, err = run("data", "stats", "sample:dev", "--output", "stats.xml")
    assert (code, "give a name that ends in .json" in err) == (2, True)


def test_progress_tells_rate_and_time_left(capsys, monkeypatch):
    monkeypatch.setattr("isogloss.cli.stream_progress._SECONDS_BETWEEN_REPORTS", 0.0)
    stream = VersionStream("x", False, iter([]), str, lambda: (25, 100))
    with StreamProgress([stream], "converting") as report:
        report(1000)
    shown = capsys.readouterr().err
    first, last = shown.splitlines()
    assert first.startswith("converting, %: 25/100, 1,000 records, ")
    assert first.endswith(" left")
    assert last.startswith("converting, %: 100/100, 1,000 records, ")
    assert last.endswith("/s")
