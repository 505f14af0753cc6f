import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.cleaning import normalization as module
from isogloss.cleaning.normalization import normal_record, normal_text
from isogloss.corpus.records import CONTROL, SURROGATE, character_problem, examine


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  a \t b\u00a0c  ", "a b c"),
        ("e\u0301", "é"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a \n  b", "a\nb"),
        ("a\n\n\n\nb", "a\n\nb"),
        ("a\n\nb", "a\n\nb"),
        ("so\u00adft\u200b \ufeffx\x07y\x9f", "soft xy"),
        ("\u202bمرحبا\u202c", "مرحبا"),
        ("क्\u200dष", "क्\u200dष"),
        ("half \ud83d", "half"),
        ("", ""),
        ("plain text.", "plain text."),
    ],
)
def test_worked_cases(text, expected):
    assert normal_text(text) == expected


@given(st.text())
def test_a_normal_text_is_normal_and_valid(text):
    found = normal_text(text)
    assert normal_text(found) == found
    if found:
        assert examine({"id": "1", "language": "en", "query": found, "passage": found})[1] == []


@given(st.text(alphabet="ab\n \t\r\x07\u00a0\u00ad\u200b\u200d\u2028\ud800é日\U000e0001"))
def test_a_text_that_is_told_to_be_plain_without_a_search_is_one(text):
    if module._is_plain(text):
        assert not module._UNTIDY.search(text)
        assert character_problem("query", text) is None


@given(st.text())
def test_problems_are_those_of_a_search_of_every_text(text):
    found = CONTROL.search(text) or SURROGATE.search(text)
    assert (character_problem("query", text) is None) == (found is None)


@given(st.text(alphabet="ab é\n.,!?\u0301日本"))
def test_nothing_visible_is_lost(text):
    assert normal_text(text).split() == unicodedata.normalize("NFC", text).split()


def test_records():
    record = {
        "id": " 1",
        "query": " a",
        "passage": "b ",
        "title": "c  d",
        "negatives": [" x", "\x00", 5],
        "n": 1,
    }
    expected = {"id": " 1", "query": "a", "passage": "b", "title": "c d", "negatives": ["x", 5], "n": 1}
    assert normal_record(record) == expected
    assert normal_record("no record") == "no record"
    assert normal_record({"query": None}) == {"query": None}
