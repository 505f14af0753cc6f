"""Chat models against a real HTTP server on this machine, well-behaved and not."""

from __future__ import annotations

import json

import pytest

from isogloss.endpoints.requests import Patience
from isogloss.errors import ModelError
from isogloss.translation.engine import EngineStopped, Failure
from isogloss.translation.engines.chat import ChatEngine, read_translations
from tests.translation.chat_server import serving, translation_of

QUICK = Patience(first_wait=0.001, longest_wait=0.01, connect=5.0, answer=5.0)
TEXTS = [f"text {number}" for number in range(8)]
RIGHT = [translation_of(text, "de") for text in TEXTS]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in ("OPENAI_API_KEY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server():
    with serving() as server:
        yield server


def engine(server, patience=QUICK, codes=None):
    return ChatEngine(
        f"openai:m@{server.url}", codes=codes or {}, version=None, batch_size=32, at_once=4, patience=patience
    )


def test_sentences_go_as_a_list_and_tokens_are_counted(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    chat = engine(server)
    assert chat.translate(TEXTS, "en", "de") == RIGHT
    (request,) = server.requests
    assert request["model"] == "m"
    assert request["temperature"] == 0
    assert "from en to de" in request["messages"][0]["content"]
    assert server.paths == ["/v1/chat/completions"]
    assert server.keys == ["Bearer sk-secret"]
    assert chat.tokens == (100, 10)
    assert "sk-secret" not in json.dumps(chat.identity())
    engine(server, codes={"de": "Swiss German"}).translate(["x"], "en", "de")
    assert "from en to Swiss German" in server.requests[1]["messages"][0]["content"]


def test_a_wrong_count_is_asked_for_in_halves(server):
    server.answer = lambda number, texts: json.dumps(["only one"]) if len(texts) > 2 else None
    assert engine(server).translate(TEXTS, "en", "de") == RIGHT
    assert len(server.requests) == 7


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("Sure! Here you are", "engine: the answer is no JSON array"),
        ("[1]", "engine: the answer is no JSON array of strings"),
        ('["a", "b", "c"]', "engine: 3 translations for 1"),
        ("", "empty"),
    ],
)
def test_a_sentence_that_it_makes_nothing_of_fails_alone(server, said, reason):
    server.answer = lambda number, texts: said if "text 5" in texts else None
    expected = [*RIGHT]
    expected[5] = Failure(reason)
    assert engine(server).translate(TEXTS, "en", "de") == expected


def test_cut_off_and_refused_answers_fail(server):
    server.finish_reason = "length"
    assert engine(server).translate(["x"], "en", "de") == [Failure("cut off")]
    server.finish_reason = "content_filter"
    assert engine(server).translate(["x"], "en", "de") == [Failure("engine: refused: content filter")]


def test_fences_and_thoughts_are_taken_off():
    assert read_translations('```json\n["a", "b"]\n```', 2) == ["a", "b"]
    assert read_translations('<think>well [1]</think>\n["a"]', 1) == ["a"]
    assert read_translations('["```x```"]', 1) == ["```x```"]
    assert read_translations(None, 1) == "empty"


def test_what_may_pass_is_tried_again(server):
    answers = {0: (429, {"error": "slow down"}, {"Retry-After": "0"}), 1: (503, {}), 2: None}
    server.answer = lambda number, texts: answers[number]
    assert engine(server).translate(TEXTS, "en", "de") == RIGHT


def test_a_refused_text_fails_alone_once_others_went_well(server):
    server.answer = lambda number, texts: (400, {"error": {"message": "bad"}}) if "text 5" in texts else None
    results = engine(server).translate(TEXTS, "en", "de")
    assert results[5] == Failure("engine: the server answered 400: bad")
    assert [result for number, result in enumerate(results) if number != 5] == RIGHT[:5] + RIGHT[6:]


@pytest.mark.parametrize("status", [400, 500])
def test_a_sentence_that_the_server_cannot_take_fails_even_as_the_first(server, status):
    server.answer = lambda number, texts: (status, {"error": "too long"}) if "x" * 9000 in texts else None
    chat = engine(server, Patience(tries_in_vain=2, first_wait=0.001, answer=5.0))
    (failure,) = chat.translate(["x" * 9000], "en", "de")
    assert failure.reason.startswith(f"engine: the server answered {status}: too long")
    assert chat.translate(TEXTS, "en", "de") == RIGHT
    assert chat.translate([TEXTS[0], "x" * 9000], "en", "de") == [RIGHT[0], failure]


def test_an_answer_of_another_form_is_a_failure_where_others_are_as_they_should_be(server):
    server.answer = lambda number, texts: (200, {"choices": []}) if "text 5" in texts else None
    (failure,) = engine(server).translate(["text 5"], "en", "de")
    assert "the answer is none of a chat model" in failure.reason
    assert engine(server).translate(TEXTS, "en", "de") == [*RIGHT[:5], failure, *RIGHT[6:]]


def test_a_server_that_went_down_is_no_fault_of_the_sentences(server):
    chat = engine(server, Patience(tries_in_vain=2, first_wait=0.001, answer=5.0))
    assert chat.translate(TEXTS, "en", "de") == RIGHT
    server.answer = lambda number, texts: (503, {"error": "down"})
    with pytest.raises(ModelError, match="given up after 2 tries"):
        chat.translate(TEXTS, "en", "de")


def test_a_server_that_takes_no_request_at_all_is_an_error(server):
    server.answer = lambda number, texts: (400, {"error": {"message": "no model m"}})
    with pytest.raises(ModelError, match="400: no model m"):
        engine(server).translate(TEXTS, "en", "de")
    server.answer = lambda number, texts: (401, {"error": {"message": "who?"}})
    with pytest.raises(ModelError, match=r"401: who.*OPENAI_API_KEY"):
        engine(server).translate(TEXTS, "en", "de")
    server.answer = lambda number, texts: (200, {"hello": 1})
    with pytest.raises(ModelError, match="is this the URL"):
        engine(server).translate(TEXTS, "en", "de")
    server.answer = lambda number, texts: (503, {"error": "down"})
    with pytest.raises(ModelError, match=r"given up after 8 tries.*translations that came are kept"):
        engine(server).translate(TEXTS, "en", "de")


def test_a_model_that_takes_no_temperature_gets_none(server):
    server.answer = lambda number, texts: (
        (400, {"error": {"message": "Unsupported value: 'temperature'"}})
        if "temperature" in server.requests[number]
        else None
    )
    chat = engine(server)
    assert chat.translate(TEXTS, "en", "de") == RIGHT
    assert chat.translate(TEXTS, "en", "de") == RIGHT
    assert len(server.requests) == 3


def test_a_stopped_engine_asks_no_more(server):
    chat = engine(server)
    chat.stop()
    with pytest.raises(EngineStopped):
        chat.translate(TEXTS, "en", "de")
    assert server.requests == []
