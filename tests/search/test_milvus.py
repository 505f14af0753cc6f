import numpy as np
import pytest

from isogloss.errors import DataError, RecipeError
from isogloss.search import IndexWriter, Passage, Searcher
from isogloss.search import milvus as milvus_module
from isogloss.search.milvus import MilvusBackend, is_server
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


def test_more_rows_than_an_expression_names(both, monkeypatch):
    exact, approximate = both
    monkeypatch.setattr(milvus_module, "_MOST_ALLOWED", 2)
    options = {"where": ["number<=1"], "top_k": 3}
    assert told(approximate.search("gold", **options)) == told(exact.search("gold", **options))


def test_updates_and_removals(tmp_path):
    make_index(tmp_path / "i", backend="milvus")
    with IndexWriter(tmp_path / "i") as writer:
        writer.update(
            placed([Passage("en-0", "something else", "en"), Passage("new", "quite new", "fr")]),
            WordsEncoder(),
        )
        writer.remove(["de-0"])
    backend = MilvusBackend(tmp_path / "i" / "milvus.db", IndexWriter(tmp_path / "i").settings.collection, 16)
    assert len(backend.rows()) == 12
    backend.close()
    with Searcher(tmp_path / "i", WordsEncoder()) as searcher:
        ids = {hit.id for hit in searcher.search("quite new", top_k=50)}
        assert len(ids) == 12
        assert "de-0" not in ids
        assert searcher.search("something else", top_k=1)[0].id == "en-0"


class Killed(BaseException):
    """In the place of SIGKILL."""


@pytest.mark.parametrize("method", ["add", "settle", "remove"])
def test_killed_while_milvus_is_filled(tmp_path, monkeypatch, method):
    make_index(tmp_path / "i", backend="milvus")
    new = placed([Passage("en-0", "something else", "en"), Passage("new", "quite new", "fr")])

    def killed(self, *arguments):
        if method == "settle":
            original(self, *arguments)
        raise Killed

    original = getattr(MilvusBackend, method)
    with monkeypatch.context() as patch:
        patch.setattr(MilvusBackend, method, killed)
        with pytest.raises(Killed), IndexWriter(tmp_path / "i") as writer:
            writer.update(new, WordsEncoder())
    published = method == "remove"
    with Searcher(tmp_path / "i", WordsEncoder()) as searcher:
        hits = searcher.search("something else", top_k=50)
        assert len(hits) == 12 + published
        assert (hits[0].text == "something else") == published
    with IndexWriter(tmp_path / "i") as writer:
        writer.update(new, WordsEncoder())
    backend = MilvusBackend(tmp_path / "i" / "milvus.db", IndexWriter(tmp_path / "i").settings.collection, 16)
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
        MilvusBackend(tmp_path / "i" / "milvus.db", "other", 16)


def test_passages_stay_in_languages(tmp_path):
    make_index(tmp_path / "i", passages(), backend="milvus")
    with (
        Searcher(tmp_path / "i", WordsEncoder()) as searcher,
        pytest.raises(RecipeError, match="the index has"),
    ):
        searcher.search("x", languages=['en" or row >= 0 or language == "'])
