import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.search import Searcher
from isogloss.search.backend import Selection
from isogloss.search.filters import read_conditions
from isogloss.search.selections import Selections
from isogloss.search.store import PassageStore
from tests.search.conftest import make_index
from tests.search.encoders import WordsEncoder


def as_rows(numbers):
    return np.array(sorted(numbers), np.int64)


def filter_of(text):
    return frozenset(read_conditions([text]))


@given(
    st.dictionaries(st.sampled_from("abc"), st.sets(st.integers(1, 3000), max_size=9)),
    st.lists(st.integers(0, 4000), max_size=9),
)
def test_a_bitmap_is_the_set_of_its_rows(of_language, asked):
    every = set().union(*of_language.values())
    selection = Selection.of({name: as_rows(rows) for name, rows in of_language.items()})
    assert selection.rows().tolist() == sorted(every)
    assert selection.has(np.array(asked, np.int64)).tolist() == [row in every for row in asked]
    assert selection.counts == {name: len(rows) for name, rows in of_language.items() if rows}
    marks = selection.marks()
    assert {selection.first + at for at in np.flatnonzero(marks).tolist()} == every


def test_a_bitmap_begins_where_its_rows_do():
    assert Selection.of({"a": np.array([10**9, 10**9 + 7])}).bits.nbytes <= 2


def test_the_filters_asked_last_are_kept():
    kept, made = Selections(most=2), []

    def ask(text):
        return kept.get(filter_of(text), lambda: made.append(text) or Selection.of({}))

    for text in ("a=1", "b=1", "a=1", "c=1", "a=1", "b=1"):
        ask(text)
    assert made == ["a=1", "b=1", "c=1", "b=1"]


def test_what_is_kept_is_bounded_in_bytes():
    kept, made = Selections(most_bytes=3000), []
    large = Selection.of({"a": np.array([0, 8 * 2000])})
    for text in ("a=1", "b=1", "b=1", "a=1"):
        kept.get(filter_of(text), lambda text=text: made.append(text) or large)
    assert made == ["a=1", "b=1", "a=1"]


def test_what_cannot_be_told_is_not_kept():
    kept = Selections()
    assert kept.get(filter_of("a=1"), lambda: None) is None
    assert len(kept.get(filter_of("a=1"), lambda: Selection.of({"a": np.array([3])}))) == 1
    with pytest.raises(ZeroDivisionError):
        kept.get(filter_of("b=1"), lambda: 1 // 0)
    assert kept.get(filter_of("b=1"), lambda: Selection.of({})) is not None


def test_many_that_ask_at_once_make_it_once():
    kept, made, got = Selections(), [], []

    def make():
        made.append(1)
        time.sleep(0.05)
        return Selection.of({})

    threads = [
        threading.Thread(target=lambda: got.append(kept.get(filter_of("a=1"), make))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(got) == 8
    assert len({id(one) for one in got}) == 1


def test_a_filter_is_looked_up_once_a_generation(tmp_path, monkeypatch):
    make_index(tmp_path / "i")
    asked = []
    original = PassageStore.matching
    monkeypatch.setattr(
        PassageStore,
        "matching",
        lambda self, conditions: asked.append(conditions) or original(self, conditions),
    )
    with Searcher(tmp_path / "i", WordsEncoder()) as searcher:
        for where in (["number>=1", "topic=a"], ["topic=a", "number>=1"]):
            assert all(hit.metadata["number"] >= 1 for hit in searcher.search("water", where=where))
            searcher.search("fire", where=where, words=True)
        assert len(asked) == 1
        searcher.search("water", where=["number>=2"])
        assert len(asked) == 2
