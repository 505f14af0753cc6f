import gc
import threading
import weakref

import numpy as np
import pytest

from isogloss.errors import DataError
from isogloss.search import IndexWriter, Passage, Searcher, generations
from isogloss.search.backend import ExactBackend
from isogloss.search.connections import ThreadConnections
from isogloss.search.folder import STORE, read_settings
from isogloss.search.generations import read_generation
from isogloss.search.store import PassageStore
from tests.search.conftest import passages, placed
from tests.search.encoders import WordsEncoder


def update(index, *those):
    with IndexWriter(index) as writer:
        writer.update(placed(those), WordsEncoder())


class Reading:
    """A new generation that is read as slowly as a test wants."""

    def __init__(self, monkeypatch):
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.times = 0
        original = generations.exact_backend

        def slowly(*arguments):
            self.times += 1
            self.begun.set()
            assert self.go_on.wait(20)
            return original(*arguments)

        monkeypatch.setattr(generations, "exact_backend", slowly)


class Asking(threading.Thread):
    """A question in a thread of its own."""

    def __init__(self, searcher, question, **options):
        super().__init__()
        self.ask = lambda: searcher.search(question, **options)
        self.ids = None
        self.start()

    def run(self):
        self.ids = [hit.id for hit in self.ask()]


def test_searches_go_on_while_a_new_generation_is_read(index, searcher, monkeypatch):
    before = [hit.id for hit in searcher.search("gold is heavy", top_k=2)]
    searcher.search("gold", top_k=2, where=["topic=en"])
    reading = Reading(monkeypatch)
    update(index, Passage("new", "gold is heavy", "en"), Passage("en-0", "quite another text", "en"))
    first = Asking(searcher, "gold is heavy", top_k=2)
    assert reading.begun.wait(20)
    # From the generation before: with everything that is asked for, the new one not read.
    assert [hit.id for hit in searcher.search("gold is heavy", top_k=2)] == before
    assert [hit.id for hit in searcher.search("gold", top_k=1, where=["topic=en"])] == ["en-3"]
    assert [hit.id for hit in searcher.search("the moon", top_k=1, words=True)] == ["en-4"]
    assert searcher.passages["en"] == 6
    # What the update touches waits: a passage that is gone, one that only words find, a filter not looked up before.
    waiting = [
        Asking(searcher, "water is wet", top_k=1),
        Asking(searcher, "another", top_k=2, words=True),
        Asking(searcher, "gold", top_k=1, where=["number>=0"]),
    ]
    for one in waiting:
        one.join(0.2)
    assert [one.ids for one in waiting] == [None, None, None]
    reading.go_on.set()
    for one in (first, *waiting):
        one.join(20)
    assert first.ids == ["en-3", "new"]
    assert "en-0" not in waiting[0].ids
    assert waiting[1].ids[0] == "en-0"
    assert waiting[2].ids == ["en-3"]
    assert reading.times == 1
    assert searcher.passages["en"] == 7


def test_a_generation_that_cannot_be_read_is_read_again(index, searcher, monkeypatch):
    update(index, Passage("new", "quite new", "fr"))

    def fails(*arguments):
        raise DataError("the disk")

    with monkeypatch.context() as patch:
        patch.setattr(generations, "exact_backend", fails)
        for _ in range(2):
            with pytest.raises(DataError, match="the disk"):
                searcher.search("water")
    assert searcher.search("quite new", top_k=1)[0].id == "new"


def test_a_language_that_is_as_before_is_not_read_again(index):
    store = PassageStore(index / STORE)
    settings = read_settings(store)
    first = read_generation(index, store, settings)
    update(index, Passage("de-0", "etwas anderes", "de"), Passage("new", "quite new", "fr"))
    second = read_generation(index, store, settings, before=first)
    alone = read_generation(index, store, settings)
    live = store.live_rows()
    store.close()
    assert (first.number, second.number) == (1, 2)
    assert second.counts == {"de": 4, "en": 6, "fr": 1, "zh": 2}
    for language, (rows, _) in live.items():
        read = second.backend.vectors_of(language, rows)
        assert np.array_equal(read, alone.backend.vectors_of(language, rows))
        shared = read is first.backend.vectors_of(language, rows)
        assert shared == (language in ("en", "zh"))


def test_exact_search_keeps_no_copy():
    table = np.eye(5, dtype=np.float32)
    assert ExactBackend({"a": (np.arange(5), table)}).vectors_of("a", np.arange(5)) is table


@pytest.mark.parametrize("balance", ["none", "centred"])
def test_every_answer_is_of_one_generation(index, balance):
    """Passages are changed in pairs: an answer that holds one of a pair as it was holds the other as it was."""
    wrong, stop = [], threading.Event()
    both = [Passage("en-0", "round 0", "en"), Passage("en-1", "round 0", "en")]
    update(index, *both)
    with Searcher(index, WordsEncoder()) as searcher:

        def ask():
            while not stop.is_set():
                texts = {hit.id: hit.text for hit in searcher.search("round", top_k=12, balance=balance)}
                if len(texts) != 12 or texts["en-0"] != texts["en-1"]:
                    wrong.append(texts)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(1, 6):
            update(index, *(Passage(one.id, f"round {number}", "en") for one in both))
        stop.set()
        for thread in threads:
            thread.join()
    assert not wrong


@pytest.fixture
def opened(monkeypatch):
    """All connections to stores that a test opens."""
    made = []
    original = ThreadConnections.__init__
    monkeypatch.setattr(
        ThreadConnections,
        "__init__",
        lambda self, *arguments: made.append(self) or original(self, *arguments),
    )
    return made


def all_closed(opened):
    return bool(opened) and not any(len(one._all) for one in opened)


def test_a_searcher_that_cannot_be_made_leaves_nothing_open(index, opened, monkeypatch):
    with pytest.raises(DataError, match="another model"):
        Searcher(index, WordsEncoder(seed=1))
    assert all_closed(opened)
    vectors = next(index.glob("vectors-*.f32"))
    vectors.write_bytes(vectors.read_bytes()[:-4])
    with pytest.raises(DataError, match="cut off"):
        Searcher(index, WordsEncoder())
    assert all_closed(opened)
    (index / STORE).write_bytes(b"no database " * 1000)
    with pytest.raises(DataError, match="cannot be read"):
        Searcher(index, WordsEncoder())
    assert all_closed(opened)


def test_a_searcher_that_was_closed_opens_nothing(index, opened):
    searcher = Searcher(index, WordsEncoder())
    searcher.close()
    searcher.close()
    with pytest.raises(DataError, match="closed"):
        searcher.search("water")
    assert all_closed(opened)


def test_a_connection_ends_with_its_thread(index):
    connections, seen = ThreadConnections(index / STORE, False), []
    for _ in range(5):
        thread = threading.Thread(target=lambda: seen.append(weakref.ref(connections.mine())))
        thread.start()
        thread.join()
    gc.collect()
    assert len(seen) == 5
    assert [one() for one in seen] == [None] * 5
    connections.close()


def test_live_rows_are_those_of_their_languages(index):
    store = PassageStore(index / STORE)
    live = store.live_rows()
    assert {name: len(one.rows) for name, one in live.items()} == {"de": 4, "en": 6, "zh": 2}
    assert store.live_rows(["de", "fr"]).keys() == {"de"}
    assert store.live_rows([]) == {}
    assert store.last_row() == max(int(one.rows[-1]) for one in live.values())
    asked = np.array([0, 1, *live["zh"].rows.tolist(), 999])
    among = store.live_among(asked)
    assert {name: one.rows.tolist() for name, one in among.items()} == {
        passages()[0].language: [1],
        "zh": live["zh"].rows.tolist(),
    }
    assert among["zh"].positions.tolist() == live["zh"].positions.tolist()
    store.close()
