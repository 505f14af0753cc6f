"""`isogloss data mine`."""

import json

import pytest

from isogloss.corpus import read_corpus
from isogloss.corpus.grouping import comparable
from tests.conftest import write_records


def test_the_sample_mined_trained_on_and_mined_again(run, tmp_path, tiny_bert):
    output, report = tmp_path / "mined.jsonl", tmp_path / "report.json"
    mine = ("data", "mine", "sample:train", "--model", tiny_bert, "--device", "cpu")
    code, out, err = run(
        *mine, "--output", output, "--count", 3, "--rank-from", 1, "--relative-margin", 0, "--report", report
    )
    assert code == 0, err
    for word in (
        "negatives mined",
        "or a translation of it",
        "positives",
        "asks",
        "2016 negatives for 84 items",
    ):
        assert word in out
    for stage in ("encoding passages: 672/672", "encoding queries: 672/672", "mining (queries): 672/672"):
        assert stage in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mined.jsonl", "report.json"]
    figures = json.loads(report.read_text())
    assert figures["negatives"]["versions with"] == [0, 0, 0, 672]
    assert len(figures["examples"]) == 3
    places = figures["places"]
    assert places["looked at"] == 672 * 8 * 50
    assert 672 <= places["removed"]["answer"] <= 672 * 8
    before, after = read_corpus("sample:train"), read_corpus(output)
    for item in range(len(after)):
        answers = {comparable(after.passage(item, language)) for language in after.languages}
        for language in after.languages:
            own = before.negatives(item, language)
            negatives = after.negatives(item, language)
            assert negatives[: len(own)] == own
            assert len(set(negatives)) == len(own) + 3
            assert answers.isdisjoint(map(comparable, negatives))
            assert all(
                negative in {before.passage(other, language) for other in range(len(before))}
                for negative in negatives[len(own) :]
            )
    train = (
        "train",
        "--base",
        tiny_bert,
        "--train",
        output,
        "--steps",
        2,
        "--batch-size",
        4,
        "--hard-negatives",
        2,
    )
    code, _, err = run(*train, "--negative-language", "both", "--output", tmp_path / "model")
    assert code == 0, err
    # With the vectors kept, other settings encode nothing; the same settings mine nothing.
    kept = (*mine, "--work", tmp_path / "work", "--examples", 0)
    assert run(*kept, "--output", tmp_path / "one.parquet")[0] == 0
    code, out, err = run(*kept, "--output", tmp_path / "two", "--search", "within", "--pick", "random")
    assert (code, "encoding" in err, "mining" in err) == (0, False, True)
    assert "kept for other settings" in out
    code, _, err = run(*kept, "--output", tmp_path / "three")
    assert (code, err.count("mining")) == (0, 0)
    assert list(read_corpus(tmp_path / "one.parquet").versions()) == list(
        read_corpus(tmp_path / "three").versions()
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--output", "mined.csv"), ".csv is no form to write; use .jsonl"),
        (("--output", "corpus.jsonl"), "corpus.jsonl: exists already"),
        (("--output", "mined", "--work", "mined"), "named twice"),
        (("--output", "mined", "--report", "corpus.jsonl"), "corpus.jsonl: exists already"),
        (("--output", "corpus.jsonl/mined"), "is a file; choose another --output"),
        (("--output", "mined", "--pick", "last"), "--pick last: use first, random"),
        (("--output", "mined", "--rank-to", 0), "ranks count from 1"),
        (("--output", "mined", "--model", "./no-such"), "no-such"),
    ],
)
def test_wrong_options_leave_nothing_behind(run, tmp_path, monkeypatch, tiny_bert, options, message):
    monkeypatch.chdir(tmp_path)
    write_records(tmp_path / "corpus.jsonl", items=4)
    code, _, err = run("data", "mine", "corpus.jsonl", "--model", tiny_bert, *options)
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.jsonl"]


def test_a_broken_corpus_is_said_with_its_line(run, tmp_path, tiny_bert):
    path = write_records(tmp_path / "corpus.jsonl", items=4)
    path.write_text(path.read_text() + '{"id": "x", "language": "de", "query": "was?"}\n')
    code, _, err = run("data", "mine", path, "--model", tiny_bert, "--output", tmp_path / "mined")
    assert code == 2
    assert "corpus.jsonl:17: the field 'passage' is missing" in err


def test_an_interruption_keeps_what_is_done(run, tmp_path, tiny_bert, monkeypatch):
    from isogloss.mining import mining

    path = write_records(tmp_path / "corpus.jsonl", items=4)
    mine = ("data", "mine", path, "--model", tiny_bert, "--output", tmp_path / "mined.jsonl")

    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(mining, "sift", stop)
    code, _, err = run(*mine)
    assert (code, "the same command goes on" in err) == (130, True)
    assert (tmp_path / "mined.jsonl.mining" / "passages" / "shard-000000.npy").is_file()
    monkeypatch.undo()
    code, _, err = run(*mine)
    assert (code, "encoding" in err) == (0, False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus.jsonl", "mined.jsonl"]
