"""The API as its clients meet it, over HTTP on this machine."""

import base64

import numpy as np
import pytest

from isogloss.encoding.opening import open_encoder
from isogloss.search import Searcher
from isogloss.serving.service import served_name
from tests.serving.making import PASSAGES, WordsEncoder, client, make_index, running


def ask(http, question, **how):
    answer = http.post("/search", json={"question": question, **how})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_search_is_the_searchers(http, searcher):
    found = ask(http, "fire is hot", top_k=4)
    assert found["hits"] == [hit.as_record() for hit in searcher.search("fire is hot", top_k=4, words=False)]
    worded = ask(http, "fire is hot", top_k=4, words=True)
    assert worded["hits"] == [hit.as_record() for hit in searcher.search("fire is hot", top_k=4, words=True)]
    assert worded["hits"][0]["words"] > 0
    assert found["hits"][0]["id"] == "en-1"
    assert sum(found["languages"].values()) == pytest.approx(1)
    assert found["languages"]["en"] == sum(hit["language"] == "en" for hit in found["hits"]) / 4
    assert 0 < found["seconds"] < 30


def test_by_address_and_by_body_are_the_same(http):
    how = {
        "top_k": 3,
        "languages": ["de", "zh"],
        "where": ["number>=0", "topic in a,b"],
        "balance": "quota",
        "words": False,
    }
    by_address = http.get("/search", params={"question": "Wasser ist nass", **how, "words": "false"}).json()
    assert by_address["hits"] == ask(http, "Wasser ist nass", **how)["hits"]
    assert {hit["language"] for hit in by_address["hits"]} == {"de", "zh"}


@pytest.mark.parametrize("balance", ["none", "quota", "centred"])
def test_every_balance(http, searcher, balance):
    found = ask(http, "gold is heavy", balance=balance)
    assert found["hits"] == [
        hit.as_record() for hit in searcher.search("gold is heavy", balance=balance, words=False)
    ]


def test_nothing_found_is_no_error(http):
    found = ask(http, "water", where=["number>99"])
    assert (found["hits"], found["languages"]) == ([], {})


def test_vectors(http, searcher):
    texts = ["water is wet", "火是热的", "water is wet"]
    found = http.post("/embed", json={"texts": texts, "side": "passage"}).json()
    np.testing.assert_allclose(found["vectors"], searcher.encoder.encode(texts, "passage"), rtol=1e-6)
    assert (found["dimension"], found["model"]) == (32, "words")


def test_openais_form(http, searcher):
    one = http.post("/v1/embeddings", json={"input": "water", "model": "words"}).json()
    assert one["object"] == "list"
    assert [set(vector) for vector in one["data"]] == [{"object", "index", "embedding"}]
    assert one["usage"] == {"prompt_tokens": 0, "total_tokens": 0}
    packed = http.post(
        "/v1/embeddings", json={"input": ["fire", "water"], "encoding_format": "base64"}
    ).json()
    vectors = [np.frombuffer(base64.b64decode(row["embedding"]), "<f4") for row in packed["data"]]
    np.testing.assert_allclose(vectors[1], one["data"][0]["embedding"], rtol=1e-6)
    assert [row["index"] for row in packed["data"]] == [0, 1]
    assert http.get("/v1/models").json()["data"][0]["id"] == "words"
    other = http.post("/v1/embeddings", json={"input": "water", "model": "ada"})
    assert (other.status_code, other.json()["error"]["param"]) == (404, "model")
    assert http.post("/v1/embeddings", json={"input": "water", "dimensions": 3}).status_code == 422


def test_our_own_client_of_openais_form_gets_the_vectors(server, searcher, tmp_path, monkeypatch):
    monkeypatch.setenv("ISOGLOSS_CACHE", str(tmp_path))
    encoder = open_encoder(f"openai:words@{server.url}/v1", query_prompt="", passage_prompt="")
    texts = ["water is wet", "gold"]
    np.testing.assert_allclose(
        encoder.encode(texts, "query"), searcher.encoder.encode(texts, "query"), atol=1e-6
    )


def test_tokens_are_counted_where_the_model_has_some(tmp_path, tiny_bert):
    from isogloss.encoding.encoder import SentenceTransformerEncoder

    encoder = SentenceTransformerEncoder.load(tiny_bert, query_prompt="", passage_prompt="", device="cpu")
    make_index(tmp_path / "index", encoder, PASSAGES[2:4])
    with (
        Searcher(tmp_path / "index", encoder) as searcher,
        running(searcher) as server,
        client(server) as http,
    ):
        about = http.get("/about").json()
        assert about["model"] == "tiny-bert", "no path of the machine"
        usage = http.post("/v1/embeddings", json={"input": ["sun", "gold"]}).json()["usage"]
        assert usage == {"prompt_tokens": 13, "total_tokens": 13}


def test_what_is_served(http):
    about = http.get("/about").json()
    assert about["passages"] == {"ar": 2, "de": 4, "en": 4, "zh": 2}
    assert about["balances"] == ["none", "quota", "centred"]
    assert about["limits"]["body_bytes"] == 1 << 20
    assert http.get("/health").json() == {"status": "ok"}


def test_metrics(index):
    with Searcher(index, WordsEncoder()) as searcher, running(searcher) as server, client(server) as http:
        ask(http, "water", top_k=12)
        http.get("/nowhere-at-all")
        answer = http.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        lines = answer.text.splitlines()
    assert 'isogloss_requests_total{method="POST",route="/search",status="200"} 1.0' in lines
    assert 'isogloss_requests_total{method="GET",route="none",status="404"} 1.0' in lines
    assert 'isogloss_hits_total{language="zh"} 2.0' in lines
    assert 'isogloss_passages{language="de"} 4.0' in lines
    assert "isogloss_batch_texts_count 1.0" in lines
    assert "isogloss_waiting_texts 0.0" in lines
    assert any(line.startswith("process_resident_memory_bytes") for line in lines)


def test_the_description_names_everything_and_needs_nothing_from_elsewhere(http):
    described = http.get("/openapi.json").json()
    assert {"/search", "/embed", "/v1/embeddings", "/v1/models", "/health", "/about", "/metrics"} == set(
        described["paths"]
    )
    errors = described["paths"]["/search"]["post"]["responses"]
    assert errors["422"]["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorAnswer")
    for path in ("/docs", "/redoc"):
        assert http.get(path).status_code == 404


def test_new_passages_are_found_without_a_restart(tmp_path):
    from isogloss.search import IndexWriter

    encoder = WordsEncoder()
    make_index(tmp_path / "index", encoder, PASSAGES[:4])
    with (
        Searcher(tmp_path / "index", encoder) as searcher,
        running(searcher) as server,
        client(server) as http,
    ):
        assert len(ask(http, "water is wet", top_k=20)["hits"]) == 4
        with IndexWriter(tmp_path / "index") as writer:
            writer.update([("more", one) for one in PASSAGES[4:]], encoder)
        assert ask(http, "water is wet", top_k=20)["hits"][0]["id"] == "en-0"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("/home/someone/models/my-model", "my-model"),
        ("/home/someone/models/my-model/", "my-model"),
        ("../models/mine", "mine"),
        ("~/mine", "mine"),
        ("runs/a/mine", "mine"),
        (r"C:\models\mine", "mine"),
        ("intfloat/multilingual-e5-small", "intfloat/multilingual-e5-small"),
        ("multilingual-e5-small", "multilingual-e5-small"),
        ("openai:mine@https://host.example/v1", "mine"),
    ],
)
def test_a_models_name_says_nothing_of_where_it_lies(name, shown):
    assert served_name(name) == shown
