"""Endpoints against a real HTTP server on this machine, well-behaved and not."""

from __future__ import annotations

import base64
import json
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.cli import main
from isogloss.encoding.embedding_requests import read_answer
from isogloss.encoding.endpoint import EndpointEncoder, batches_of
from isogloss.encoding.opening import open_encoder
from isogloss.encoding.prompts import Prompts
from isogloss.endpoints.address import parse_endpoint
from isogloss.endpoints.requests import Patience
from isogloss.errors import Interrupted, ModelError, OutputError, RecipeError
from isogloss.evaluation import read_results
from tests.encoding.embedding_server import DIMENSION, expected, serving, vector_of

KEY = "sk-very-secret-9f3"
QUICK = Patience(first_wait=0.001, longest_wait=0.01, connect=5.0, answer=5.0)
TEXTS = [f"text number {number} {'x' * (number % 7)}" for number in range(100)]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ISOGLOSS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server():
    with serving() as server:
        yield server


def opened(server, prompts=Prompts(), patience=QUICK):  # noqa: B008 - frozen
    return EndpointEncoder(f"openai:m@{server.url}", prompts, patience=patience)


def test_vectors_come_in_the_order_of_the_texts_at_unit_length(server):
    encoder, done = opened(server), []
    vectors = encoder.encode(TEXTS, "query", done.append)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, expected(TEXTS), atol=1e-6)
    assert sum(done) == len(TEXTS)
    assert len(done) > 1
    assert set(server.paths) == {"/v1/embeddings"}
    assert {request["model"] for request in server.requests} == {"m"}
    assert max(len(request["input"]) for request in server.requests) <= 32
    assert encoder.describe() == {
        "name": f"openai:m@{server.url}",
        "query_prompt": "",
        "passage_prompt": "",
        "max_length": None,
        "dimension": DIMENSION,
        "precision": None,
        "device": None,
        "source": "endpoint",
        "url": server.url,
    }


def test_the_url_may_end_in_embeddings(server):
    EndpointEncoder(f"openai:a/b@{server.url}/embeddings/", Prompts(), patience=QUICK).encode(["x"], "query")
    assert server.paths == ["/v1/embeddings"]
    assert server.requests[0]["model"] == "a/b"


def test_prompts_are_sent_and_none_unless_given(server):
    encoder = opened(server, Prompts("q: ", "p: "))
    np.testing.assert_allclose(encoder.encode(["x"], "query"), expected(["q: x"]), atol=1e-6)
    np.testing.assert_allclose(encoder.encode(["x"], "passage"), expected(["p: x"]), atol=1e-6)
    np.testing.assert_allclose(opened(server).encode(["x"], "passage"), expected(["x"]), atol=1e-6)


def test_several_requests_are_under_way_at_once_and_not_too_many(server):
    under_way, most, lock = 0, 0, threading.Lock()

    def answer(number, texts):
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.05)
        with lock:
            under_way -= 1

    server.answer = answer
    opened(server).encode([f"{number}" for number in range(300)], "query")
    assert most == 4


def test_what_came_once_is_not_asked_again(server):
    opened(server).encode(TEXTS, "query")
    asked, done = len(server.requests), []
    again = opened(server).encode(TEXTS[::-1], "passage", done.append)
    assert len(server.requests) == asked
    assert done == [len(TEXTS)]
    np.testing.assert_allclose(again, expected(TEXTS[::-1]), atol=1e-6)


def test_a_cache_hit_needs_no_server():
    with serving() as server:
        opened(server).encode(["x", "y"], "query")
    np.testing.assert_allclose(opened(server).encode(["y"], "query"), expected(["y"]), atol=1e-6)


def test_another_model_server_or_prompt_is_asked(server):
    opened(server).encode(["x"], "query")
    EndpointEncoder(f"openai:n@{server.url}", Prompts(), patience=QUICK).encode(["x"], "query")
    assert [request["model"] for request in server.requests] == ["m", "n"]
    with serving() as other:
        opened(other).encode(["x"], "query")
        assert other.texts == ["x"]


def test_a_text_twice_and_no_text(server):
    encoder = opened(server)
    assert encoder.encode([], "query").shape == (0, 0)
    vectors = encoder.encode(["x", "x"], "query")
    assert vectors.shape == (2, DIMENSION)
    assert encoder.encode([], "query").shape == (0, DIMENSION)


def test_an_endpoint_that_fails_half_its_calls(server):
    draw = random.Random(3)

    def answer(number, texts):
        kind = draw.choice([429, 500, 503, None])
        if draw.random() < 0.5:
            return kind, {"error": {"message": "busy"}}, {}
        return None

    server.answer = answer
    texts = [f"{number}" for number in range(2000)]
    np.testing.assert_allclose(opened(server).encode(texts, "query"), expected(texts), atol=1e-6)
    assert len(server.requests) > 2000 / 32 + 10


def test_an_endpoint_that_always_fails(server):
    server.answer = lambda number, texts: (503, {"error": {"message": "overloaded"}}, {})
    with pytest.raises(ModelError, match=r"given up after 8 tries: the server answered 503: overloaded"):
        opened(server).encode(TEXTS[:3], "query")
    assert len(server.requests) == 8


def test_what_came_before_it_failed_is_kept(server):
    server.answer = lambda number, texts: (500, {}, {}) if number >= 2 else None
    with pytest.raises(ModelError, match="given up"):
        opened(server).encode(TEXTS, "query")
    server.answer = lambda number, texts: None
    before = len(server.texts)
    np.testing.assert_allclose(opened(server).encode(TEXTS, "query"), expected(TEXTS), atol=1e-6)
    # One text is asked for once more, to see that the model is the same.
    assert 36 <= len(server.texts) - before - 1 <= 100 - 32


@pytest.mark.parametrize("asked", ["1", None], ids=["seconds", "date"])
def test_retry_after_is_waited_for_by_all_requests(server, asked):
    times = []

    def answer(number, texts):
        times.append(time.monotonic())
        if number == 0:
            date = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
            return 429, {"error": {"message": "slow down"}}, {"Retry-After": asked or date}
        return None

    server.answer = answer
    opened(server).encode(["x"], "query")
    assert 0.9 < times[1] - times[0] < 3


def test_a_retry_after_of_hours_is_not_waited_for(server):
    server.answer = lambda number, texts: (429, {"error": {"message": "quota"}}, {"Retry-After": "86400"})
    with pytest.raises(ModelError, match="429: quota; the server asks to wait 86400 s"):
        opened(server).encode(["x"], "query")
    assert len(server.requests) == 1


def test_an_answer_that_does_not_come_in_time_is_asked_for_again(server):
    server.answer = lambda number, texts: time.sleep(0.5) if number == 0 else None
    quick = Patience(first_wait=0.001, answer=0.1)
    np.testing.assert_allclose(
        opened(server, patience=quick).encode(["x"], "query"), expected(["x"]), atol=1e-6
    )
    assert len(server.requests) == 2


def test_no_server_at_all():
    with serving() as server:
        pass
    with pytest.raises(ModelError, match=r"nothing answers at http://127\.0\.0\.1:.*is the server running"):
        opened(server).encode(["x"], "query")


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (401, {"error": {"message": "no key"}}, "401: no key; put the key into the environment variable"),
        (403, b"keep out", "403: keep out"),
        (404, {"detail": "no such model"}, "404: no such model; it was asked at http.*including /v1"),
        (405, b"", "405: Method Not Allowed"),
        (302, b"", "302: Found; give the URL where the server really is"),
        (400, {"error": "bad"}, r"400: bad; it was asked for 'x' \(1 characters\)"),
        (422, {"detail": [{"msg": "bad"}]}, r'422: \[\{"msg": "bad"\}\]; it was asked for'),
    ],
)
def test_a_refusal_is_not_asked_again_and_says_what_the_server_said(server, status, body, says):
    server.answer = lambda number, texts: (status, body, {"Location": "http://127.0.0.1:9/"})
    with pytest.raises(ModelError, match=says):
        opened(server).encode(["x"], "query")
    assert len(server.requests) == 1


def test_a_server_that_takes_fewer_texts_is_given_fewer(server):
    server.answer = lambda number, texts: (413, {"error": "too many"}, {}) if len(texts) > 5 else None
    np.testing.assert_allclose(opened(server).encode(TEXTS, "query"), expected(TEXTS), atol=1e-6)


def test_the_one_text_that_a_server_refuses_is_named(server):
    server.answer = lambda number, texts: (400, {"error": "bad text"}, {}) if TEXTS[41] in texts else None
    with pytest.raises(ModelError, match=r"400: bad text; it was asked for 'text number 41 xxxxxx'"):
        opened(server).encode(TEXTS, "query")


def test_the_index_of_an_answer_decides(server):
    def answer(number, texts):
        status, body, headers = server.right(texts)
        random.Random(number).shuffle(body["data"])
        return status, body, headers

    server.answer = answer
    np.testing.assert_allclose(opened(server).encode(TEXTS, "query"), expected(TEXTS), atol=1e-6)


def test_base64_is_read(server):
    def encoded(text):
        return base64.b64encode(vector_of(text).astype("<f4").tobytes()).decode()

    server.answer = lambda number, texts: server.right(texts, encoded)
    np.testing.assert_allclose(opened(server).encode(TEXTS, "query"), expected(TEXTS), atol=1e-6)


def items(*embeddings, first=0):
    return {"data": [{"index": number + first, "embedding": one} for number, one in enumerate(embeddings)]}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<html>hello</html>", "no list of embeddings .* begins '<html>hello</html>'"),
        (b'{"data": [', "no list of embeddings"),
        (b"\xff\xfe", "no list of embeddings"),
        (b"[]", "no list of embeddings"),
        ({"data": None}, "no list of embeddings"),
        ({"data": [{"embedding": [1.0]}]}, "no list of embeddings .*KeyError: 'index'"),
        ({"data": [{"index": [0], "embedding": [1.0]}]}, "no list of embeddings"),
        (items([[1.0]], [[2.0]]), "no list of embeddings"),
        (items("!!!", "AAAA"), "no list of embeddings"),
        (items("AAA=", "AAA="), "no list of embeddings"),
        (items([1.0, 2.0], ["a", "b"]), "no list of embeddings"),
        (items([1.0, 2.0]), "asked for 2 vectors, got 1 with 1 different indexes"),
        (items([1.0], [1.0], [1.0]), "asked for 2 vectors, got 3"),
        (items([1.0], [1.0], first=1), "asked for 2 vectors, got 2 with 2 different indexes; .* 0 to 1"),
        ({"data": [{"index": 0, "embedding": [1.0]}] * 2}, "got 2 with 1 different indexes"),
        (items([1.0, 2.0], [1.0]), "vectors of 1 and of 2 numbers in one answer"),
        (items([], []), "vectors of 0 numbers"),
        (items([1.0, float("nan")], [1.0, 2.0]), "the vector of 'yy' holds NaN"),
        (items([1.0, None], [1.0, 2.0]), "the vector of 'yy' holds NaN"),
        (items([1.0, 1e300], [1.0, 2.0]), "the vector of 'yy' holds NaN or an infinity"),
        (items([1.0, 2.0], [0.0, 0.0]), "the vector of 'x' is all zeros"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_an_answer_that_is_none(server, body, says):
    server.answer = lambda number, texts: (200, body, {})
    with pytest.raises(ModelError, match=says):
        opened(server).encode(["x", "yy"], "query")
    # What was wrong is not kept.
    server.answer = lambda number, texts: None
    np.testing.assert_allclose(opened(server).encode(["x", "yy"], "query"), expected(["x", "yy"]), atol=1e-6)


def test_another_dimension_in_a_later_answer(server):
    server.answer = lambda number, texts: (
        server.right(texts, lambda text: [1.0, 2.0]) if number == 2 else None
    )
    with pytest.raises(
        ModelError, match=r"a vector of 2 numbers after vectors of 8|of 8 numbers after vectors of 2"
    ):
        opened(server).encode(TEXTS, "query")


def test_another_model_under_the_same_name_is_found_out(server):
    opened(server).encode(["x", "y"], "query")
    server.salt = "another"
    with pytest.raises(ModelError, match=r"serves another model under this name; remove .*\.sqlite"):
        opened(server).encode(["x", "z"], "query")
    server.answer = lambda number, texts: server.right(texts, lambda text: [1.0, 2.0])
    with pytest.raises(ModelError, match="a vector of 2 numbers after vectors of 8"):
        opened(server).encode(["x", "z"], "query")


def test_the_key_is_sent_and_stands_nowhere(server, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")
    encoder = opened(server)
    encoder.encode(TEXTS, "query")
    assert set(server.keys) == {f"Bearer {KEY}"}
    server.answer = lambda number, texts: (401, {"error": {"message": f"wrong key {KEY}"}}, {})
    with pytest.raises(ModelError, match=r"401: wrong key \*\*\*; check the key in OPENAI_API_KEY") as raised:
        encoder.encode(["new"], "query")
    assert KEY not in str(raised.value)
    assert KEY not in repr(encoder) + repr(vars(encoder)) + json.dumps(encoder.describe())
    for file in (tmp_path / "cache").rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()
    assert KEY not in "".join(capsys.readouterr())


@pytest.mark.parametrize("key", ["sk-a\nb", "sk-ü"])
def test_a_key_that_no_header_holds(server, monkeypatch, key):
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(ModelError, match="characters that no key has") as raised:
        opened(server)
    assert key not in str(raised.value)


def test_without_a_key_none_is_sent(server):
    opened(server).encode(["x"], "query")
    assert server.keys == [None]


def test_ctrl_c_keeps_what_came(server):
    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="of 100 query vectors are kept; the same command goes on"):
        opened(server).encode(TEXTS, "query", interrupt)
    time.sleep(0.1)
    asked = len(server.texts)
    opened(server).encode(TEXTS, "query")
    # Of what was under way, one answer of at least four texts is kept; one text is asked for as a check.
    assert len(server.texts) - asked <= 100 - 4 + 1


CHILD = """
import sys
from isogloss.encoding.endpoint import EndpointEncoder
from isogloss.encoding.prompts import Prompts
name, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
encoder = EndpointEncoder(name, Prompts())
encoder.encode([f"{number}" for number in range(first, last)], "query")
"""


def test_two_processes_use_one_cache(server):
    name = f"openai:m@{server.url}"
    children = [
        subprocess.Popen([sys.executable, "-c", CHILD, name, str(first), str(first + 600)])
        for first in (0, 300)
    ]
    assert [child.wait(60) for child in children] == [0, 0]
    asked = len(server.requests)
    texts = [f"{number}" for number in range(900)]
    np.testing.assert_allclose(opened(server).encode(texts, "query"), expected(texts), atol=1e-6)
    assert len(server.requests) == asked


def test_a_kill_leaves_a_cache_that_goes_on(server):
    server.answer = lambda number, texts: time.sleep(0.02)
    child = subprocess.Popen([sys.executable, "-c", CHILD, f"openai:m@{server.url}", "0", "4000"])
    while len(server.requests) < 30:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait(30)
    time.sleep(0.1)
    before = len(server.texts)
    texts = [f"{number}" for number in range(4000)]
    server.answer = lambda number, texts: None
    np.testing.assert_allclose(opened(server).encode(texts, "query"), expected(texts), atol=1e-6)
    # What was under way or had just come is asked for twice.
    assert len(server.texts) - before <= 4000 - before + 12 * 32


def test_a_cache_that_is_none(server):
    encoder = opened(server)
    encoder.encode(["x"], "query")
    path = next((encoder._cache.path.parent).glob("*.sqlite"))
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(OutputError, match=r"\.sqlite: the cache of vectors cannot be read.*remove the file"):
        opened(server)


def test_a_damaged_vector_in_the_cache(server):
    encoder = opened(server)
    encoder.encode(["x"], "query")
    with sqlite3.connect(encoder._cache.path) as connection:
        connection.execute("UPDATE vectors SET vector = ?", (np.zeros(DIMENSION, "<f4").tobytes(),))
    with pytest.raises(ModelError, match=r"\.sqlite: the vector of 'x' is all zeros"):
        opened(server).encode(["x"], "query")


@pytest.mark.parametrize(
    ("model", "parsed"),
    [
        ("openai:text-embedding-3-small", ("text-embedding-3-small", "https://api.openai.com/v1")),
        ("openai:bge-m3@http://localhost:8000/v1", ("bge-m3", "http://localhost:8000/v1")),
        ("openai:a/b@https://h.example/x/v1/embeddings", ("a/b", "https://h.example/x/v1")),
        ("openai:@cf/baai/bge-m3@https://h.example/v1/", ("@cf/baai/bge-m3", "https://h.example/v1")),
    ],
)
def test_an_address(model, parsed):
    assert parse_endpoint(model, "/embeddings") == parsed


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("openai:", "no model is named"),
        ("openai:@http://localhost/v1", "no model is named"),
        ("openai:m@localhost:8000/v1", "after @ comes a URL"),
        ("openai:m@http:///v1", "the URL names no server"),
        ("openai:m@http://host:port/v1", "the URL is none"),
        ("openai:m@http://me:secret@host/v1", "the URL has a user"),
        ("openai:m@http://host/v1?key=secret", "the URL has a user, a query"),
    ],
)
def test_an_address_that_is_none(model, says):
    with pytest.raises(ModelError, match=says) as raised:
        parse_endpoint(model, "/embeddings")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"device": "cpu"}, "--device"),
        ({"max_length": 8, "token_budget": 9}, "--max-length, --token-budget"),
        ({"precision": "int8"}, "--precision"),
    ],
)
def test_options_that_make_no_sense(options, named):
    with pytest.raises(RecipeError, match=f"^{named}: not for an endpoint: its server decides that"):
        open_encoder("openai:m@http://localhost/v1", **options)


@given(st.lists(st.integers(0, 90_000), max_size=120), st.data())
def test_requests_hold_every_text_once_within_their_limits(lengths, data):
    wanted = data.draw(st.lists(st.sampled_from(range(len(lengths))), unique=True)) if lengths else []
    batches = batches_of(lengths, wanted)
    assert sorted(position for batch in batches for position in batch) == sorted(wanted)
    for batch in batches:
        assert 1 <= len(batch) <= 32
        assert len(batch) == 1 or sum(lengths[position] for position in batch) <= 60_000
    longest = [lengths[batch[0]] for batch in batches]
    assert longest == sorted(longest, reverse=True)


def test_an_answer_in_float32_is_exact():
    vector = np.random.default_rng(0).standard_normal(50).astype(np.float32)
    content = json.dumps(items(vector.tolist())).encode()
    assert read_answer(content, 1, "m")[0].tolist() == vector.tolist()


def run(arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    return stopped.value.code


def test_evaluate_an_endpoint(server, corpus_file, tmp_path, capsys):
    arguments = ["evaluate", f"openai:m@{server.url}", "--data", str(corpus_file)]
    run([*arguments, "--output", str(tmp_path / "one"), "--query-prompt", "q: "])
    results = read_results(tmp_path / "one" / "results.json")
    assert results["model"]["source"] == "endpoint"
    assert results["model"]["query_prompt"] == "q: "
    assert results["model"]["dimension"] == DIMENSION
    assert 0 < results["settings"]["multi"]["map"]["mean"] < 0.3
    asked = len(server.requests)
    run([*arguments, "--output", str(tmp_path / "two"), "--query-prompt", "q: "])
    assert len(server.requests) == asked
    assert read_results(tmp_path / "two" / "results.json")["settings"] == results["settings"]
    capsys.readouterr()
    server.answer = lambda number, texts: (401, {"error": {"message": "no"}}, {})
    assert run([*arguments, "--passage-prompt", "p: "]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: openai:m@http")
    assert "Traceback" not in error
