import gzip
import json

import pytest

from isogloss.cleaning.normalization import normal_record
from isogloss.cleaning.records import (
    corpus_writer,
    count_records,
    json_lines_writer,
    read_records,
    read_versions,
)
from isogloss.corpus import ParallelCorpus, read_corpus, write_parquet
from isogloss.errors import CorpusError, OutputError
from tests.cleaning.making import record, write

RECORDS = [record(number, language) for number in range(5) for language in ("en", "de")]


@pytest.mark.parametrize("form", ["jsonl", "jsonl.gz", "parquet", "folder"])
def test_every_form_gives_the_same_versions(tmp_path, form):
    corpus = ParallelCorpus.from_records(RECORDS, name="x")
    path = tmp_path / f"corpus.{form}"
    if form == "folder":
        path = tmp_path / "corpus"
        corpus.save(path)
    elif form == "parquet":
        write_parquet(corpus, path)
    else:
        with corpus_writer(path) as add:
            for version in corpus.versions():
                add(version)
    assert [version.as_record() for version in read_versions(path)] == RECORDS
    assert count_records(path) == (None if form == "jsonl.gz" else 10)


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.parquet"])
def test_what_is_written_reads_back(tmp_path, name):
    with corpus_writer(tmp_path / name) as add:
        for version in ParallelCorpus.from_records(RECORDS, name="x").versions():
            add(version)
    assert [version.as_record() for version in read_corpus(tmp_path / name).versions()] == RECORDS
    with pytest.raises(OutputError, match="exists already"), corpus_writer(tmp_path / name):
        pass


def test_a_writer_that_fails_leaves_nothing(tmp_path):
    version = next(ParallelCorpus.from_records(RECORDS, name="x").versions())
    with pytest.raises(ZeroDivisionError):
        fail_after(version, tmp_path / "out.parquet")
    assert list(tmp_path.iterdir()) == []


def fail_after(version, path):
    with corpus_writer(path) as add:
        add(version)
        raise ZeroDivisionError


def test_broken_records_keep_their_place(tmp_path):
    lines = [RECORDS[0], "{", {**RECORDS[1], "query": " "}, {**RECORDS[2], "passage": "a\x07b"}, '"text"']
    path = write(tmp_path / "c.jsonl", lines)
    found = list(read_records(path))
    assert [one.version is not None for one in found] == [True, False, False, False, False]
    assert found[1].place == f"{path}:2"
    assert "bad JSON" in found[1].problem
    assert found[2].record["id"] == RECORDS[1]["id"]
    # What normalisation mends is no longer broken.
    mended = list(read_records(path, mend=normal_record))
    assert mended[3].version.passage == "ab"
    assert mended[3].record["passage"] == "a\x07b"
    with pytest.raises(CorpusError, match=r"c\.jsonl:2: bad JSON"):
        list(read_versions(path))


def test_a_corpus_that_cannot_be_read_at_all(tmp_path):
    (tmp_path / "empty.jsonl").touch()
    for path, message in (
        ("empty.jsonl", "the file is empty"),
        ("none.jsonl", "no such file"),
        ("x.csv", "no such"),
    ):
        with pytest.raises(CorpusError, match=message):
            list(read_records(tmp_path / path))


def test_the_side_file_takes_what_no_corpus_may_hold(tmp_path):
    with json_lines_writer(tmp_path / "side.jsonl.gz") as keep:
        keep({"query": "half \ud83d"})
    assert json.loads(gzip.decompress((tmp_path / "side.jsonl.gz").read_bytes())) == {"query": "half \ud83d"}
