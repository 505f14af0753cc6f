import shutil

import numpy as np
import pytest

from isogloss.errors import DataError, RecipeError
from isogloss.search import IndexWriter, Passage, Searcher, milvus_generation
from isogloss.search.folder import STORE
from isogloss.search.milvus import MOST_FOUND, MilvusCollection, is_server
from isogloss.search.store import PassageStore
from isogloss.search.verifying import verify_index
from tests.search.conftest import make_index, passages, placed
from tests.search.encoders import WordsEncoder

pytest.importorskip("milvus_lite", reason="needs isogloss[milvus]")


@pytest.fixture
def both(tmp_path):
    """The same passages, searched exactly and by Milvus Lite."""
    make_index(tmp_path / "exact")
    make_index(tmp_path / "milvus", backend="milvus")
    with (
        Searcher(tmp_path / "exact", WordsEncoder()) as exact,
        Searcher(tmp_path / "milvus", WordsEncoder()) as approximate,
    ):
        yield exact, approximate


def told(hits):
    return [(hit.id, pytest.approx(hit.score, abs=1e-5)) for hit in hits]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"languages": ["de", "zh"]},
        {"where": ["number<=1"]},
        {"where": ["topic=en", "number>2"], "languages": ["en"]},
        {"where": ["number=99"]},
        {"balance": "quota"},
        {"balance": "centred"},
        {"words": True, "top_k": 12},
    ],
)
def test_milvus_finds_what_exact_search_finds(both, options):
    exact, approximate = both
    for question in ("water is hot", "die Sonne", "火是热的"):
        assert told(approximate.search(question, **options)) == told(exact.search(question, **options))


def test_updates_and_removals(tmp_path):
    make_index(tmp_path / "i", backend="milvus")
    with IndexWriter(tmp_path / "i") as writer:
        writer.update(
            placed([Passage("en-0", "something else", "en"), Passage("new", "quite new", "fr")]),
            WordsEncoder(),
        )
        writer.remove(["de-0"])
    backend = MilvusCollection(
        tmp_path / "i" / "milvus.db", IndexWriter(tmp_path / "i").settings.collection, 16
    )
    assert len(backend.rows()) == 12
    backend.close()
    with Searcher(tmp_path / "i", WordsEncoder()) as searcher:
        ids = {hit.id for hit in searcher.search("quite new", top_k=50)}
        assert len(ids) == 12
        assert "de-0" not in ids
        assert searcher.search("something else", top_k=1)[0].id == "en-0"


class Killed(BaseException):
    """In the place of SIGKILL."""


def kill(*_, **__):
    raise Killed


TWINS = 150
"""Passages nearer to a question than all others: more than a search for a few looks at."""


@pytest.mark.parametrize(
    "options", [{}, {"languages": ["en"]}, {"where": ["number>=0"]}, {"balance": "quota"}]
)
def test_rows_of_a_running_update_push_nothing_out(tmp_path, monkeypatch, options):
    make_index(tmp_path / "i", backend="milvus")
    new = placed([Passage(f"new-{n}", "water is wet", "en", metadata={"number": n}) for n in range(TWINS)])
    with monkeypatch.context() as patch:
        patch.setattr(PassageStore, "publish", kill)
        with pytest.raises(Killed), IndexWriter(tmp_path / "i") as writer:
            writer.update(new, WordsEncoder())
    with Searcher(tmp_path / "i", WordsEncoder()) as searcher:
        assert searcher._generations.now().backend.collection.count() == 12 + TWINS
        ids = [hit.id for hit in searcher.search("water is wet", top_k=5, **options)]
    assert len(ids) == 5
    assert ids[0] == "en-0"
    assert not any(one.startswith("new") for one in ids)


def test_rows_that_are_still_to_be_taken_out_push_nothing_out(tmp_path, monkeypatch):
    those = [Passage(f"old-{n}", "water is wet", "en") for n in range(TWINS)]
    make_index(tmp_path / "i", [*those, *passages()], backend="milvus")
    with monkeypatch.context() as patch:
        patch.setattr(MilvusCollection, "remove", kill)
        with pytest.raises(Killed), IndexWriter(tmp_path / "i") as writer:
            writer.remove([one.id for one in those])
    with Searcher(tmp_path / "i", WordsEncoder()) as searcher:
        assert searcher._generations.now().backend.collection.count() == 12 + TWINS
        hits = searcher.search("water is wet", top_k=12)
    assert {hit.id for hit in hits} == {one.id for one in passages()}
    assert hits[0].id == "en-0"


def test_rows_that_nobody_knows_push_nothing_out(tmp_path):
    make_index(tmp_path / "i", backend="milvus")
    with Searcher(tmp_path / "i", WordsEncoder()) as searcher:
        collection = searcher._generations.now().backend.collection
        collection.remove(np.array([1]))
        vector = WordsEncoder().encode(["water is wet"], "passage")
        collection.add(np.array([0]), ["en"], vector)
        collection.settle()
        hits = searcher.search("water is wet", top_k=5, languages=["en"])
        assert len(hits) == 5


def test_an_update_between_milvus_and_the_passages_is_asked_again(tmp_path, monkeypatch):
    """A passage that an update takes out of Milvus while a search reads is in its answer as it was, or as it is."""
    make_index(tmp_path / "i", backend="milvus")
    original, times = MilvusCollection.nearest, []

    def updated(self, *arguments):
        found = original(self, *arguments)
        times.append(1)
        if len(times) == 1:
            with PassageStoreOf(tmp_path / "i") as store, store.transaction():
                store.kill(["en-0"])
        return found

    with Searcher(tmp_path / "i", WordsEncoder()) as searcher:
        monkeypatch.setattr(MilvusCollection, "nearest", updated)
        ids = [hit.id for hit in searcher.search("water is wet", top_k=5)]
    assert len(ids) == 5
    assert "en-0" not in ids
    assert len(times) > 1


class PassageStoreOf(PassageStore):
    """A store to write in, beside the one that is read."""

    def __init__(self, index):
        super().__init__(index / STORE, writable=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connections.close()


class NumbersEncoder:
    """Encodes passages `number` as random directions, in order of their nearness to any question."""

    name = "numbers"

    def __init__(self, count, dimension=6):
        table = np.random.default_rng(1).standard_normal((count, dimension)).astype(np.float32)
        table /= np.linalg.norm(table, axis=1, keepdims=True)
        self.question = table[0]
        self.table = table[np.argsort(-(table @ self.question), kind="stable")]

    def encode(self, texts, side, progress=None, *, languages=None):
        if side == "query":
            return np.stack([self.question for _ in texts])
        return self.table[[int(text) for text in texts]]

    def describe(self):
        return {**WordsEncoder().describe(), "name": self.name, "dimension": self.table.shape[1]}


MANY = MOST_FOUND + 500


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """An index of more passages than Milvus tells of at once, the nearest first, a few of the last in Swahili."""
    folder, encoder = tmp_path_factory.mktemp("many") / "i", NumbersEncoder(MANY)
    those = [
        Passage(str(n), str(n), "sw" if n % 5000 == 4999 else "en", metadata={"number": n})
        for n in range(MANY)
    ]
    make_index(folder, those, encoder, backend="milvus", words=False, dimension=6)
    with Searcher(folder, encoder) as searcher:
        yield searcher


@pytest.mark.parametrize(
    ("where", "wanted", "compared"),
    [
        (f"number>={MANY - 3}", range(MANY - 3, MANY), 10_000),
        (f"number>={MANY - 3}", range(MANY - 3, MANY), 0),
        ("number>=7000", range(7000, 7100), 10_000),
        ("number>=6000", range(6000, 6100), 10_000),
        ("number!=0", range(1, 101), 10_000),
    ],
)
def test_a_filter_of_any_size_is_met(many, monkeypatch, where, wanted, compared):
    """Of all sizes: below and above what is compared without Milvus, and beyond the first that Milvus tells of."""
    monkeypatch.setattr(milvus_generation, "_COMPARED", compared)
    hits = many.search("any", where=[where], top_k=100)
    assert [int(hit.id) for hit in hits] == list(wanted)
    assert [hit.score for hit in hits] == pytest.approx(
        (many.encoder.table[list(wanted)] @ many.encoder.question).tolist(), abs=1e-5
    )


def test_a_filter_that_only_rows_beyond_milvus_meet(many, monkeypatch):
    monkeypatch.setattr(milvus_generation, "_COMPARED", 10)
    hits = many.search("any", where=[f"number>={MOST_FOUND + 100}"], top_k=100)
    assert [int(hit.id) for hit in hits] == list(range(MOST_FOUND + 100, MOST_FOUND + 200))
    hits = many.search("any", where=["number>=6000"], languages=["sw"], top_k=100)
    assert [int(hit.id) for hit in hits] == [9999, 14999]


def test_a_collection_that_fails_is_closed(tmp_path, monkeypatch):
    closed = []

    class Client:
        def __init__(self, *_, **__):
            pass

        def has_collection(self, _):
            raise RuntimeError("no answer")

        def close(self):
            closed.append(1)

    monkeypatch.setattr("pymilvus.MilvusClient", Client)
    with pytest.raises(DataError, match="no answer"):
        MilvusCollection(tmp_path / "m.db", "any", 4)
    assert closed


@pytest.mark.parametrize("method", ["add", "settle", "remove"])
def test_killed_while_milvus_is_filled(tmp_path, monkeypatch, method):
    make_index(tmp_path / "i", backend="milvus")
    new = placed([Passage("en-0", "something else", "en"), Passage("new", "quite new", "fr")])

    def killed(self, *arguments):
        if method == "settle":
            original(self, *arguments)
        raise Killed

    original = getattr(MilvusCollection, method)
    with monkeypatch.context() as patch:
        patch.setattr(MilvusCollection, method, killed)
        with pytest.raises(Killed), IndexWriter(tmp_path / "i") as writer:
            writer.update(new, WordsEncoder())
    published = method == "remove"
    with Searcher(tmp_path / "i", WordsEncoder()) as searcher:
        hits = searcher.search("something else", top_k=50)
        assert len(hits) == 12 + published
        assert (hits[0].text == "something else") == published
    with IndexWriter(tmp_path / "i") as writer:
        writer.update(new, WordsEncoder())
    backend = MilvusCollection(
        tmp_path / "i" / "milvus.db", IndexWriter(tmp_path / "i").settings.collection, 16
    )
    assert len(backend.rows()) == 13
    backend.close()


def test_recall_is_measured(tmp_path):
    rng = np.random.default_rng(0)
    those = [Passage(f"p{n}", " ".join(f"w{k}" for k in rng.integers(0, 300, 6)), "en") for n in range(500)]
    encoder = make_index(tmp_path / "i", those, backend="milvus")
    described, recall = verify_index(tmp_path / "i", encoder)
    assert described["index"].startswith("HNSW, M 32")
    assert recall.questions == 200
    assert recall.at[10] > 0.9
    described, recall = verify_index(tmp_path / "i", encoder, questions=["w1 w2", "w3"])
    assert recall.questions == 2
    with pytest.raises(DataError, match="no question"):
        verify_index(tmp_path / "i", encoder, questions=[])


def test_a_server_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"Milvus at http://127.0.0.1:9: cannot be opened"):
        make_index(tmp_path / "i", backend="milvus", uri="http://127.0.0.1:9")
    assert not (tmp_path / "i").exists()
    assert is_server("http://x")
    assert not is_server("file.db")


def test_a_collection_that_is_gone(tmp_path):
    make_index(tmp_path / "i", backend="milvus")
    with pytest.raises(DataError, match="no collection other"):
        MilvusCollection(tmp_path / "i" / "milvus.db", "other", 16)


def test_passages_stay_in_languages(tmp_path):
    make_index(tmp_path / "i", passages(), backend="milvus")
    with (
        Searcher(tmp_path / "i", WordsEncoder()) as searcher,
        pytest.raises(RecipeError, match="the index has"),
    ):
        searcher.search("x", languages=['en" or row >= 0 or language == "'])


def test_what_milvus_lost_is_put_back(tmp_path):
    make_index(tmp_path / "i", backend="milvus")
    collection = IndexWriter(tmp_path / "i").settings.collection
    backend = MilvusCollection(tmp_path / "i" / "milvus.db", collection, 16)
    wanted = backend.rows()
    backend.remove(wanted[:5])
    backend.add(np.array([999]), ["en"], np.zeros((1, 16), np.float32))
    backend.settle()
    backend.close()
    with IndexWriter(tmp_path / "i") as writer:
        writer.update(placed(passages()), WordsEncoder())
    backend = MilvusCollection(tmp_path / "i" / "milvus.db", collection, 16)
    assert backend.rows().tolist() == wanted.tolist()
    backend.close()
    shutil.rmtree(tmp_path / "i" / "milvus.db")
    with IndexWriter(tmp_path / "i") as writer:
        writer.update(placed(passages()), WordsEncoder())
    with Searcher(tmp_path / "i", WordsEncoder()) as searcher:
        assert searcher.search("water is wet", top_k=1)[0].id == "en-0"
