"""The translation memory: what is wanted and known, batches by length, other engines, broken files."""

import pytest

from isogloss.errors import OutputError
from isogloss.translation.engine import Failure
from isogloss.translation.memory import TranslationMemory, Wanted

WANTED = {"a": ["de", "es"], "four": ["de"], "a longer one": ["de"]}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache" / "translations.sqlite"


def opened(path, version=1):
    memory = TranslationMemory(path, {"engine": "e", "version": version})
    memory.want(WANTED, "en", retry_failed=False)
    memory.want({"a": ["de", "es"]}, "en", retry_failed=False)
    return memory


def texts(batches):
    return [[sentence.text for sentence in batch] for batch in batches]


def test_the_longest_come_first_within_both_limits(path):
    memory = opened(path)
    assert memory.count("de") == (Wanted(3, 17, 0), Wanted(3, 17, 0))
    assert memory.count("es") == (Wanted(1, 1, 0), Wanted(1, 1, 0))
    assert texts(memory.batches("de", 2, 1000)) == [["a longer one", "four"], ["a"]]
    assert texts(memory.batches("de", 2, 12)) == [["a longer one"], ["four", "a"]]
    assert texts(memory.batches("de", 9, 1)) == [["a longer one"], ["four"], ["a"]]


def test_what_is_stored_is_known_to_the_same_engine_and_language_alone(path):
    memory = opened(path)
    (batch,) = memory.batches("de", 9, 1000)
    memory.store(batch, ["lang", Failure("empty"), "ein"], "en", "de")
    memory.close()
    memory = opened(path)
    assert memory.count("de") == (Wanted(3, 17, 3), Wanted(0, 0, 0))
    assert memory.count("es")[1].sentences == 1
    assert memory.find(WANTED, "en", "de") == {
        "a longer one": "lang",
        "four": Failure("empty"),
        "a": "ein",
    }
    assert memory.find(WANTED, "en", "es") == memory.find(WANTED, "fr", "de") == {}
    assert opened(path, version=2).count("de")[1].sentences == 3


def test_what_failed_is_tried_again_when_asked(path):
    memory = opened(path)
    (batch,) = memory.batches("de", 9, 1000)
    memory.store(batch, ["lang", Failure("empty", "?"), "ein"], "en", "de")
    memory.close()
    memory = TranslationMemory(path, {"engine": "e", "version": 1})
    memory.want(WANTED, "en", retry_failed=True)
    (batch,) = memory.batches("de", 9, 1000)
    assert [sentence.text for sentence in batch] == ["four"]
    memory.store(batch, ["vier"], "en", "de")
    assert memory.find(["four"], "en", "de") == {"four": "vier"}


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_counting_leaves_everything_as_it_is(path, tmp_path):
    memory = TranslationMemory(path, {"engine": "e", "version": 1}, read_only=True)
    memory.want(WANTED, "en", retry_failed=False)
    assert memory.count("de") == (Wanted(3, 17, 0), Wanted(3, 17, 0))
    assert list(tmp_path.iterdir()) == []
    memory = opened(path)
    (batch,) = memory.batches("de", 9, 1000)
    memory.store(batch, ["lang", Failure("empty"), "ein"], "en", "de")

    def counted(retry_failed=False, version=1):
        looking = TranslationMemory(path, {"engine": "e", "version": version}, read_only=True)
        looking.want({**WANTED, "another": ["de"]}, "en", retry_failed=retry_failed)
        try:
            return looking.count("de")
        finally:
            looking.close()

    # While another process writes, and after it.
    assert counted() == (Wanted(4, 24, 3), Wanted(1, 7, 0))
    memory.close()
    before = files(tmp_path)
    assert list(before) == [path]
    assert counted() == (Wanted(4, 24, 3), Wanted(1, 7, 0))
    assert counted(retry_failed=True) == (Wanted(4, 24, 2), Wanted(2, 11, 0))
    assert counted(version=2)[1].sentences == 4
    assert files(tmp_path) == before


def test_many_sentences_are_paged_through(path, monkeypatch):
    monkeypatch.setattr("isogloss.translation.memory._ROWS_AT_ONCE", 7)
    memory = TranslationMemory(path, {})
    sentences = {f"{'x' * (number % 5)}{number}": ["de"] for number in range(100)}
    memory.want(sentences, "en", retry_failed=False)
    batches = texts(memory.batches("de", 8, 10_000))
    assert sorted(text for batch in batches for text in batch) == sorted(sentences)
    lengths = [len(text) for batch in batches for text in batch]
    assert lengths == sorted(lengths, reverse=True)


def test_a_file_that_is_none_is_an_error_that_says_what_to_do(path):
    path.parent.mkdir()
    path.write_bytes(b"no database at all, " * 100)
    with pytest.raises(OutputError, match=r"translations\.sqlite.*remove the file"):
        TranslationMemory(path, {})
