import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.errors import RecipeError
from isogloss.search import IndexWriter, Passage, Searcher
from isogloss.search.backend import ExactBackend, Selection
from isogloss.search.verifying import recall_against
from tests.search.conftest import TEXTS, make_index, passages, placed
from tests.search.encoders import WordsEncoder


def scores(question, those):
    encoder = WordsEncoder()
    return encoder.encode([one.text for one in those], "passage") @ encoder.encode([question], "query")[0]


def slow_search(question, those, top_k):
    """The obvious twin of dense search."""
    found = sorted(
        zip(scores(question, those), range(len(those)), strict=True), key=lambda pair: (-pair[0], pair[1])
    )
    return [(those[at].id, pytest.approx(float(score), abs=1e-6)) for score, at in found[:top_k]]


def found(hits):
    return [(hit.id, hit.score) for hit in hits]


@pytest.mark.parametrize("question", ["water is hot", "Gold", "die Sonne", "the moon is a star", "水是湿的"])
def test_dense_search_is_the_slow_twin(searcher, question):
    hits = searcher.search(question, top_k=5)
    assert found(hits) == slow_search(question, passages(), 5)
    assert [hit.rank for hit in hits] == [1, 2, 3, 4, 5]
    assert all(hit.similarity == hit.score and hit.words is None for hit in hits)


def test_languages(searcher):
    those = [one for one in passages() if one.language in ("de", "zh")]
    hits = searcher.search("water is hot", top_k=4, languages=["zh", "de"])
    assert found(hits) == slow_search("water is hot", those, 4)
    with pytest.raises(RecipeError, match="language 'fr': the index has de, en, zh"):
        searcher.search("x", languages=["fr"])


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        (["number>=4"], {"en-4", "en-5"}),
        (["number in 0,1", "topic=de"], {"de-0", "de-1"}),
        (["topic!=a"], set()),
        (["number=0", "language=en"], set()),
        (["x' OR '1'='1=1"], None),
    ],
)
@pytest.mark.parametrize("words", [False, True])
def test_filters(searcher, where, kept, words):
    if kept is None:
        with pytest.raises(RecipeError, match="not understood"):
            searcher.search("water", where=where)
        return
    hits = searcher.search("water is hot", top_k=12, where=where, words=words)
    assert {hit.id for hit in hits} == kept


def test_quota(searcher):
    hits = searcher.search("water is hot", top_k=6, balance="quota")
    assert sorted(hit.language for hit in hits) == ["de", "de", "en", "en", "zh", "zh"]
    for language in TEXTS:
        those = [one for one in passages() if one.language == language]
        assert found(hit for hit in hits if hit.language == language) == slow_search("water is hot", those, 2)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_centred(searcher):
    question, those = "water is hot", passages()
    plain = scores(question, those)
    of = {language: [at for at, one in enumerate(those) if one.language == language] for language in TEXTS}
    means = {language: plain[at].mean() for language, at in of.items()}
    middle = np.mean(list(means.values()))
    wanted = {one.id: plain[at] - means[one.language] + middle for at, one in enumerate(those)}
    hits = searcher.search(question, top_k=12, balance="centred")
    assert [hit.id for hit in hits] == sorted(wanted, key=lambda name: (-wanted[name], name))
    assert {hit.id: hit.similarity for hit in hits} == {
        one.id: pytest.approx(float(score), abs=1e-5) for one, score in zip(those, plain, strict=True)
    }
    assert {hit.id: hit.score for hit in hits} == {
        name: pytest.approx(score, abs=1e-5) for name, score in wanted.items()
    }


def test_words_find_what_similarity_does_not(tmp_path):
    those = [Passage(f"p{number}", f"filler text number {number}", "en") for number in range(300)]
    those.append(Passage("code", "the error QX-4711 means: no paper", "en"))
    make_index(tmp_path / "i", those, WordsEncoder(dimension=2))
    with Searcher(tmp_path / "i", WordsEncoder(dimension=2)) as searcher:
        assert "code" not in {hit.id for hit in searcher.search("QX 4711", top_k=2)}
        found = {hit.id: hit for hit in searcher.search("QX 4711", top_k=2, words=True)}
        assert found["code"].words is not None


def test_fused_scores_by_hand(searcher):
    hits = searcher.search("Wasser", top_k=12, words=True)
    by_id = {hit.id: hit for hit in hits}
    dense = [name for name, _ in slow_search("Wasser", passages(), 12)]
    assert by_id["de-0"].words is not None
    assert by_id["de-0"].score == pytest.approx(1 / 61 + 1 / (61 + dense.index("de-0")))
    assert by_id["en-0"].words is None
    assert by_id["en-0"].score == pytest.approx(1 / (61 + dense.index("en-0")))


def test_a_searcher_sees_updates(index):
    with Searcher(index, WordsEncoder()) as searcher:
        assert searcher.search("quite new text", top_k=1)[0].id != "new"
        with IndexWriter(index) as writer:
            writer.update(placed([Passage("new", "quite new text", "fr")]), WordsEncoder())
            assert searcher.search("quite new text", top_k=1)[0].id == "new"
            assert searcher.passages == {"de": 4, "en": 6, "fr": 1, "zh": 2}
            writer.remove(["new"])
        assert "new" not in {hit.id for hit in searcher.search("quite new text", top_k=99)}
        assert searcher.describe()["generation"] == 3


def test_threads_may_ask_at_once(searcher):
    wanted = {question: searcher.search(question) for question in ("water", "gold is", "Sonne")}
    wrong = []

    def ask():
        for _ in range(20):
            wrong.extend(question for question, hits in wanted.items() if searcher.search(question) != hits)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top_k": 0}, "top_k 0"),
        ({"top_k": 1001}, "from 1 to 1000"),
        ({"balance": "fair"}, "balance 'fair'"),
        ({"languages": ["not a language"]}, "'not a language'"),
    ],
)
def test_wrong_arguments(searcher, options, message):
    with pytest.raises(RecipeError, match=message):
        searcher.search("x", **options)
    with pytest.raises(RecipeError, match="question is empty"):
        searcher.search(" ")


def test_an_index_without_words(tmp_path):
    make_index(tmp_path / "i", words=False)
    with Searcher(tmp_path / "i", WordsEncoder()) as searcher:
        assert searcher.search("water")[0].words is None
        with pytest.raises(RecipeError, match="made without words"):
            searcher.search("water", words=True)


def test_an_index_with_nothing_left(index):
    with IndexWriter(index) as writer:
        writer.remove([one.id for one in passages()])
    with Searcher(index, WordsEncoder()) as searcher:
        assert searcher.search("water") == searcher.search("water", balance="centred") == []


unit = st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), unit, unit), min_size=1, max_size=12),
    st.tuples(unit, unit),
    st.integers(1, 15),
    st.one_of(st.none(), st.sets(st.integers(0, 11))),
)
def test_exact_search_orders_ties_by_row(vectors, query, count, allowed):
    table = np.array([[x, y] for _, x, y in vectors], np.float32)
    of = {
        name: np.array([row for row, (language, *_) in enumerate(vectors) if language == name], np.int64)
        for name in "ab"
    }
    backend = ExactBackend({name: (rows, table[rows]) for name, rows in of.items() if len(rows)})
    chosen = None
    if allowed is not None:
        chosen = Selection.of(
            {name: np.array([r for r in rows if r in allowed], np.int64) for name, rows in of.items()}
        )
    every = [row for row in range(len(vectors)) if allowed is None or row in allowed]
    values = table @ np.array(query, np.float32)
    wanted = sorted(values[every].tolist(), reverse=True)[:count]
    asked = np.array([query], np.float32)
    ranked = backend.search_all(asked, count, chosen)[0]
    assert [score for _, score in ranked] == wanted
    assert ranked == sorted(ranked, key=lambda pair: (-pair[1], pair[0]))
    assert all(values[row] == score and row in every for row, score in ranked)
    one = backend.search(asked, count, ["a", "none"], chosen)[0]
    assert [score for _, score in one.get("a", [])] == sorted(
        (float(values[row]) for row in every if vectors[row][0] == "a"), reverse=True
    )[:count]


def test_recall_by_hand():
    table = np.eye(4, dtype=np.float32)
    exact = ExactBackend({"a": (np.arange(4), table)})
    half = ExactBackend({"a": (np.arange(2), table[:2])})
    assert recall_against(exact, exact, table).at == {1: 1.0, 10: 1.0, 100: 1.0}
    assert recall_against(half, exact, table).at == {1: 0.5, 10: 0.5, 100: 0.5}
