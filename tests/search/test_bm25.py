import math

import numpy as np
import pytest

from isogloss.search import Passage, Searcher
from isogloss.search.backend import Selection
from isogloss.search.bm25 import best_by_words, best_by_words_of
from isogloss.search.folder import STORE
from isogloss.search.store import PassageStore
from isogloss.search.words import words_of
from tests.search.conftest import make_index
from tests.search.encoders import WordsEncoder

LANGUAGES = ("de", "en", "sw")


def slow_ranks(those, words, count, rows):
    """The obvious twin: BM25 of every passage, from its formula; rows are numbered from 1 in the order they came."""
    texts = {row: words_of(one.text, one.language) for row, one in enumerate(those, start=1)}
    mean = sum(map(len, texts.values())) / len(texts)
    scores = {}
    for row, text in texts.items():
        if row in rows and set(words) & set(text):
            scores[row] = 0.0
            for word in words:
                having = sum(word in other for other in texts.values())
                rarity = max(math.log((len(texts) - having + 0.5) / (having + 0.5)), 1e-6)
                often = text.count(word)
                scores[row] += rarity * often * 2.2 / (often + 1.2 * (0.25 + 0.75 * len(text) / mean))
    ranked = sorted(scores.items(), key=lambda pair: (-round(pair[1], 9), pair[0]))[:count]
    return [(row, pytest.approx(score, rel=1e-6, abs=1e-9)) for row, score in ranked]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    rng = np.random.default_rng(3)
    those = [
        Passage(
            f"p{number}",
            " ".join(f"w{word}" for word in rng.integers(0, 30, rng.integers(1, 9))),
            LANGUAGES[number % 3],
            metadata={"number": number},
        )
        for number in range(120)
    ]
    folder = tmp_path_factory.mktemp("bm25") / "i"
    make_index(folder, those)
    store = PassageStore(folder / STORE)
    yield folder, those, store
    store.close()


@pytest.mark.parametrize("chosen", [None, [], [1, 8, 9, 17], list(range(30, 90)), [120]])
@pytest.mark.parametrize("count", [1, 7, 500])
def test_ranks_are_those_of_the_slow_twin(made, chosen, count):
    _, those, store = made
    words = ["w3", "w17", "w29", "nowhere"]
    rows = set(range(1, 121)) if chosen is None else set(chosen)
    allowed = None if chosen is None else Selection.of({"any": np.array(chosen, np.int64)})
    assert best_by_words(store, words, count, allowed) == slow_ranks(those, words, count, rows)
    found = best_by_words_of(store, ("en", "sw", "fr"), words, count, allowed)
    of = {name: {row for row in rows if those[row - 1].language == name} for name in ("en", "sw")}
    wanted = {name: slow_ranks(those, words, count, some) for name, some in of.items()}
    assert found == {name: ranked for name, ranked in wanted.items() if ranked}


def test_nothing_asked_for(made):
    _, _, store = made
    assert best_by_words(store, [], 5) == best_by_words(store, ["w3"], 0) == []
    assert best_by_words_of(store, ["en"], [], 5) == best_by_words_of(store, [], ["w3"], 5) == {}


def test_a_search_asks_for_its_words_once(made, monkeypatch):
    folder, _, _ = made
    queries = []
    original = PassageStore.read
    monkeypatch.setattr(
        PassageStore,
        "read",
        lambda self, query, values=(): queries.append(query) or original(self, query, values),
    )
    with Searcher(folder, WordsEncoder()) as searcher:
        for options in ({}, {"balance": "quota"}, {"languages": ["de", "en"]}, {"where": ["number<50"]}):
            queries.clear()
            assert searcher.search("w3 w17", words=True, **options)
            assert len(queries) == 1
