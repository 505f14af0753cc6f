import unicodedata

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from isogloss.corpus import ParallelCorpus
from isogloss.corpus.grouping import comparable, group_items, text_keys
from tests.corpus.making import drawn_records, record


def slow_groups(items, keys, count):
    """Union by repainting, pair by pair."""
    color = list(range(count))
    for one, one_key in zip(items, keys, strict=True):
        for other, other_key in zip(items, keys, strict=True):
            if one_key == other_key:
                low, high = sorted((color[one], color[other]))
                color = [low if value == high else value for value in color]
    order = list(dict.fromkeys(color))
    return [order.index(value) for value in color]


@given(
    st.integers(1, 12).flatmap(
        lambda count: st.tuples(
            st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, 9)), max_size=25), st.just(count)
        )
    )
)
def test_groups_agree_with_a_slow_union(drawn):
    occurrences, count = drawn
    items = np.array([item for item, _ in occurrences], np.int64)
    keys = np.array([key for _, key in occurrences], np.uint64)
    assert group_items(items, keys, count).tolist() == slow_groups(items.tolist(), keys.tolist(), count)


@given(drawn_records)
def test_a_corpus_groups_items_by_their_texts(records):
    corpus = ParallelCorpus.from_records(records, name="drawn")
    ids = list(corpus.ids)
    items = [ids.index(drawn["id"]) for drawn in records for _ in range(2)]
    keys = [(side, comparable(drawn[side])) for drawn in records for side in ("query", "passage")]
    assert corpus.groups.tolist() == slow_groups(items, keys, len(ids))
    assert corpus.groups.dtype == np.int64


def test_unicode_form_white_space_and_case_do_not_matter():
    texts = ["Où  est\nCAFÉ? ", unicodedata.normalize("NFD", "où est café?"), "Ou est cafe?"]
    keys = text_keys(texts)
    assert keys[0] == keys[1] != keys[2]
    assert comparable("STRASSE") == comparable("Straße")


def test_groups_reach_over_languages_and_through_other_items():
    corpus = ParallelCorpus.from_records(
        [
            record("a", "en", passage="one"),
            record("b", "de", passage="ONE"),
            record("b", "en", query="shared"),
            record("c", "fr", query="Shared"),
            record("d", "en", query="one"),  # a query that reads like a passage joins nothing
        ],
        name="hand",
    )
    assert corpus.groups.tolist() == [0, 0, 0, 1]
    assert corpus.select(languages=["en"]).groups.tolist() == [0, 1, 2]
