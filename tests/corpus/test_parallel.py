import itertools

import numpy as np
import pytest

from isogloss.corpus import ParallelCorpus, Version
from isogloss.corpus.versions import SCHEMA
from isogloss.errors import CorpusError
from tests.corpus.making import record, records


@pytest.fixture
def corpus():
    return ParallelCorpus.from_records(
        [
            record("b", "ru"),
            record("a", "en", title="T", negatives=["n1", "n2"], dataset="d"),
            record("b", "en"),
            record("a", "de"),
        ],
        name="hand",
    )


def test_items_are_in_order_of_first_appearance_and_languages_sorted(corpus):
    assert (corpus.name, len(corpus)) == ("hand", 2)
    assert corpus.languages == ("de", "en", "ru")
    assert list(corpus.ids) == ["b", "a"]
    assert corpus.ids == ["b", "a"]
    assert corpus.ids[1:] == ["a"]
    assert corpus.rows.tolist() == [[-1, 2, 0], [3, 1, -1]]
    assert corpus.available.tolist() == [[False, True, True], [True, True, False]]
    assert repr(corpus) == "<ParallelCorpus 'hand': 2 items in de, en, ru>"


def test_texts(corpus):
    assert corpus.query(0, "ru") == "query b ru"
    assert corpus.passage(1, "de") == "passage a de"
    assert corpus.negatives(1, "en") == ("n1", "n2")
    assert corpus.negatives(1, "de") == ()
    assert corpus.version(1, "en") == Version("a", "en", "query a en", "passage a en", "T", ("n1", "n2"), "d")
    assert corpus.version(1, "ru") is None
    assert corpus.version(1, "fr") is None


@pytest.mark.parametrize("look_up", ["query", "passage", "negatives"])
@pytest.mark.parametrize("language", ["ru", "fr"])
def test_an_absent_version_is_an_error_that_names_it(corpus, look_up, language):
    with pytest.raises(CorpusError, match=f"hand: id 'a' has no version in '{language}'; it has de, en"):
        getattr(corpus, look_up)(1, language)


def test_records_are_taken_from_an_iterator_and_span_many_batches():
    many = (record(f"{number:06d}", language) for number in range(9000) for language in ("en", "de"))
    corpus = ParallelCorpus.from_records(many, name="many")
    assert corpus.table.column("id").num_chunks == 3
    assert corpus.table.schema == SCHEMA
    assert corpus.ids[8999] == "008999"
    assert corpus.query(8999, "de") == "query 008999 de"
    assert (corpus.rows == np.arange(18000).reshape(9000, 2)[:, ::-1]).all()
    kept = corpus.select(items=[8999, 0, 4096])
    assert [version.id for version in kept.versions()] == ["000000"] * 2 + ["004096"] * 2 + ["008999"] * 2


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([record("a", "en"), record("a", "xx")], "hand: record 2: 'xx' is not a known language code"),
        ([record("a", "en"), {"id": "b"}], "hand: record 2: the field 'language' is missing"),
        (
            [record("a", "iw"), record("b", "en"), record("a", "he")],
            "record 3: id 'a' comes twice .* first at hand: record 1",
        ),
        ([], "hand: there is no record in it"),
        (["text"], "record 1: expected an object"),
    ],
)
def test_bad_records_are_errors_with_their_place(bad, message):
    with pytest.raises(CorpusError, match=message):
        ParallelCorpus.from_records(bad, name="hand")


def test_the_first_bad_record_stops_reading():
    endless = itertools.chain(records(), [{"id": "bad"}], itertools.repeat(None))
    with pytest.raises(CorpusError, match="record 10"):
        ParallelCorpus.from_records(endless, name="endless")


def test_the_checksum_depends_on_content_alone(corpus):
    same = ParallelCorpus.from_records(
        [version.as_record() for version in corpus.versions()][::-1], name="other"
    )
    assert same.checksum == corpus.checksum
    assert len(corpus.checksum) == 64
    changed = [version.as_record() for version in corpus.versions()]
    changed[1]["negatives"] = ["n2", "n1"]
    assert ParallelCorpus.from_records(changed, name="hand").checksum != corpus.checksum


class TestSelect:
    def test_languages(self, corpus):
        selected = corpus.select(languages=["ru", "de"])
        assert selected.languages == ("de", "ru")
        assert selected.ids == ["b", "a"]
        assert selected.available.tolist() == [[False, True], [True, False]]
        assert selected.query(0, "ru") == "query b ru"
        assert len(list(selected.versions())) == 2

    def test_items_keep_the_given_order(self, corpus):
        assert corpus.select(items=[1, 0]).ids == ["a", "b"]
        assert corpus.select(items=np.array([False, True])).ids == ["a"]

    def test_items_and_languages_with_nothing_left_are_left_out(self, corpus):
        selected = corpus.select(items=[0], languages=["en", "de"])
        assert (selected.ids, selected.languages) == (["b"], ("en",))

    def test_a_selection_equals_the_corpus_of_its_records(self, corpus):
        selected = corpus.select(items=[1], languages=["en"])
        alone = ParallelCorpus.from_records(
            [version.as_record() for version in selected.versions()], name="x"
        )
        assert selected.checksum == alone.checksum
        assert selected.groups.tolist() == alone.groups.tolist() == [0]

    @pytest.mark.parametrize(
        ("choice", "message"),
        [
            ({"languages": ["fr"]}, "has no language fr; it has de, en, ru"),
            ({"items": [2]}, r"item numbers must be in \[0, 2\)"),
            ({"items": [0, 0]}, "selected twice"),
            ({"items": []}, "no item is left"),
            ({"languages": []}, "no item is left"),
            ({"items": [0], "languages": ["de"]}, "no item is left"),
            ({"items": [True]}, "the mask has shape"),
        ],
    )
    def test_what_is_not_there_is_an_error(self, corpus, choice, message):
        with pytest.raises(CorpusError, match=message):
            corpus.select(**choice)
