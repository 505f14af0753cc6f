import json

import pytest

from isogloss.corpus import check_corpus, load_benchmark, read_corpus, sample, sample_path
from isogloss.corpus.grouping import comparable
from isogloss.errors import CorpusError
from tests.corpus.making import records

SPLITS = ("train", "dev", "test")
LANGUAGES = {"ar", "de", "en", "es", "fr", "hi", "ru", "zh"}


def test_a_split_reads_as_a_corpus_and_a_benchmark(tmp_path, monkeypatch):
    monkeypatch.setattr(sample, "_FOLDER", tmp_path)
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records()))
    assert sample_path("train") == tmp_path / "train.jsonl"
    assert (read_corpus("sample:train").name, len(read_corpus("sample:train"))) == ("sample-train", 3)
    assert load_benchmark("sample:train").name == "sample-train"
    assert check_corpus("sample:train").name == "sample-train"
    with pytest.raises(CorpusError, match="the sample is missing from this installation"):
        read_corpus("sample:dev")
    with pytest.raises(CorpusError, match="no split 'all'; use sample:train, sample:dev or sample:test"):
        read_corpus("sample:all")


@pytest.mark.skipif(
    not all((sample._FOLDER / f"{split}.jsonl").is_file() for split in SPLITS),
    reason="the sample is not written yet",
)
class TestBundledSample:
    def test_it_is_large_enough_and_in_eight_languages(self):
        corpora = [read_corpus(f"sample:{split}") for split in SPLITS]
        assert sum(map(len, corpora)) >= 120
        for corpus in corpora:
            assert set(corpus.languages) >= LANGUAGES

    def test_it_has_no_problems(self):
        for split in SPLITS:
            assert check_corpus(f"sample:{split}").problems == []

    def test_its_splits_share_no_id_and_no_text(self):
        seen: dict[str, str] = {}
        for split in SPLITS:
            for version in read_corpus(f"sample:{split}").versions():
                for value in (version.id, comparable(version.query), comparable(version.passage)):
                    assert seen.setdefault(value, split) == split
