from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from isogloss.corpus import ParallelCorpus, read_corpus, write_jsonl, write_parquet
from tests.corpus.making import drawn_records, records

WRITERS = {
    "corpus.jsonl": write_jsonl,
    "corpus.jsonl.gz": write_jsonl,
    "corpus.parquet": write_parquet,
    "corpus": ParallelCorpus.save,
}


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=25, deadline=None)
@given(drawn=drawn_records)
def test_a_corpus_comes_back_as_it_was_written(name, drawn):
    corpus = ParallelCorpus.from_records(drawn, name="corpus")
    with TemporaryDirectory() as folder:
        WRITERS[name](corpus, Path(folder) / name)
        again = read_corpus(Path(folder) / name)
        assert list(again.versions()) == list(corpus.versions())
        assert again.ids == corpus.ids
        assert again.languages == corpus.languages
        assert again.rows.tolist() == corpus.rows.tolist()
        assert again.groups.tolist() == corpus.groups.tolist()
        assert again.checksum == corpus.checksum
        del again.__dict__["checksum"]
        assert again.checksum == corpus.checksum


@pytest.mark.parametrize("name", ["corpus.jsonl", "corpus.jsonl.gz", "corpus.parquet"])
def test_equal_corpora_make_equal_files_and_replace_old_ones(tmp_path, name):
    for folder in ("one", "two"):
        for _ in range(2):
            WRITERS[name](ParallelCorpus.from_records(records(), name="x"), tmp_path / folder / name)
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert [file.name for file in (tmp_path / "one").iterdir()] == [name]
