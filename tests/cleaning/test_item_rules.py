import numpy as np
import pytest

from isogloss.cleaning.item_rules import (
    remove_copies,
    remove_few_languages,
    remove_odd_lengths,
    remove_odd_passages,
    remove_repeated_ids,
)
from isogloss.cleaning.state import RULES, CorpusState

NAMES = ["en", "de", "zh"]


def state(rows):
    """A state of rows (item, language, query length, passage length, query key, passage key)."""
    columns = np.array(rows, np.int64).reshape(-1, 6).T
    count = columns.shape[1]
    return CorpusState(
        items=columns[0].astype(np.int32),
        languages=columns[1].astype(np.int16),
        found=np.full(count, -1, np.int16),
        query_lengths=columns[2].astype(np.int32),
        passage_lengths=columns[3].astype(np.int32),
        query_keys=columns[4].astype(np.uint64),
        passage_keys=columns[5].astype(np.uint64),
        rules=np.zeros(count, np.uint8),
        values=np.zeros(count, np.float32),
        others=np.full(count, -1, np.int32),
        names=list(NAMES),
    )


def removed(state):
    return {
        number: (RULES[state.rules[number]], round(float(state.values[number]), 3), int(state.others[number]))
        for number in np.flatnonzero(~state.kept).tolist()
    }


def test_repeated_ids():
    one = state([[0, 0, 9, 9, 1, 1], [0, 1, 9, 9, 2, 2], [1, 0, 9, 9, 3, 3], [0, 0, 9, 9, 4, 4]])
    remove_repeated_ids(one)
    assert removed(one) == {3: ("repeated-id", 1.0, 0)}


def test_a_copy_in_the_rarer_language_goes():
    rows = [[9, 1, 30, 30, 90, 91], [8, 1, 30, 30, 92, 93]]
    # German is more frequent; the item's English query is the German one.
    one = state(
        [*rows, [0, 0, 30, 30, 5, 6], [0, 1, 30, 30, 5, 7], [1, 0, 19, 30, 8, 9], [1, 1, 19, 30, 8, 10]]
    )
    remove_copies(one, 20)
    assert removed(one) == {2: ("untranslated", 30.0, 3)}


def test_one_text_in_two_items_is_no_copy():
    one = state([[0, 0, 30, 30, 5, 6], [1, 1, 30, 30, 5, 6]])
    remove_copies(one, 20)
    assert removed(one) == {}


def test_odd_passages():
    rows = [[number, 0, 10, 100 + number, number, number] for number in range(30)]
    one = state([*rows, [30, 0, 10, 4000, 98, 99], [31, 0, 100, 10, 98, 99], [32, 1, 10, 9000, 1, 1]])
    remove_odd_passages(one, 20)
    found = removed(one)
    # A language with a single record has no median of its own.
    assert set(found) == {30, 31}
    assert found[30][1] == pytest.approx(4000 / 115.5, rel=0.02)
    assert found[31][1] == pytest.approx(1 / 115.5, abs=1e-3)


def lengths(bad=None):
    """Forty items in three languages, Chinese a third as long; `bad` changes lengths."""
    rows = []
    for item in range(40):
        size = 60 + 3 * item
        for language, factor in ((0, 1.0), (1, 1.1), (2, 1 / 3)):
            query = round(size * factor)
            rows.append([item, language, query, query * 4, 3 * item + language, 3 * item + language])
    for number, column, value in bad or []:
        rows[number][column] = value
    return state(rows)


def test_lengths_are_compared_with_what_the_languages_say():
    one = lengths()
    remove_odd_lengths(one, 1.5)
    assert removed(one) == {}
    # Item 2's Chinese query is three times too long; item 3's German passage a tenth.
    one = lengths([(8, 2, 66), (10, 3, 30)])
    remove_odd_lengths(one, 2.5)
    found = removed(one)
    assert set(found) == {8, 10}
    assert found[8][1] == pytest.approx(3, rel=0.1)
    assert found[10][1] == pytest.approx(30 / (69 * 1.1 * 4), rel=0.1)


def test_of_two_versions_that_of_the_rarer_language_goes():
    one = lengths([(4, 3, 9000)])
    # Item 1 is left in English and German, and German is made the rarer one by taking another version out.
    one.rules[[5, 7]] = 1
    remove_odd_lengths(one, 3)
    assert one.rules[3] == 0
    assert RULES[one.rules[4]] == "length-ratio"


def test_a_language_with_few_items_is_not_judged():
    one = state([[0, 0, 90, 400, 1, 1], [0, 2, 30, 100, 2, 2]])
    remove_odd_lengths(one, 1.5)
    assert removed(one) == {}


def test_few_languages():
    one = state([[0, 0, 9, 9, 1, 1], [0, 1, 9, 9, 2, 2], [1, 0, 9, 9, 3, 3]])
    remove_few_languages(one, 1)
    assert removed(one) == {}
    remove_few_languages(one, 2)
    assert removed(one) == {2: ("few-languages", 1.0, -1)}


def test_nothing():
    for rule in (
        remove_repeated_ids,
        lambda one: remove_copies(one, 20),
        lambda one: remove_odd_passages(one, 3),
        lambda one: remove_odd_lengths(one, 3),
        lambda one: remove_few_languages(one, 2),
    ):
        one = state([])
        rule(one)
        assert len(one) == 0
