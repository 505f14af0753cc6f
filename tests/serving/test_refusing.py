"""What must not get through: sizes, forms, characters, names, keys; and nothing of the machine gets out."""

import contextlib
import json
import socket
import threading
import time

import pytest

from isogloss.errors import RecipeError
from isogloss.search import Searcher
from isogloss.serving import ServingSettings
from isogloss.serving.settings import is_loopback
from tests.serving.making import WordsEncoder, client, running

KEY = "0123456789abcdef-key"


def check_error(answer, status, param=None):
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == {"type", "message", "param", "code"}
    assert error["code"] == status
    assert answer.headers["content-type"] == "application/json"
    for secret in ("Traceback", "secret-place", ".py", "site-packages"):
        assert secret not in answer.text
    if param:
        assert error["param"] == param
    return error["message"]


def post(http, content, path="/search", **headers):
    return http.post(path, content=content, headers={"content-type": "application/json", **headers})


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b'{"question": "water"', 400),
        (b"\xff\xfe\x00", 400),
        (b'{"question": "\xff"}', 400),
        (b'{"question": "\xed\xa0\x80"}', 422),
        (b"[" * 100_000, 400),
        (b'{"top_k": ' + b"1" * 10_000 + b', "question": "a"}', 400),
        (b"[]", 422),
        (b"null", 422),
        (b'"water"', 422),
        (b"{}", 422),
        (b'{"question": ""}', 422),
        (b'{"question": " \\n "}', 422),
        (b'{"question": 1}', 422),
        (b'{"question": "\\ud800"}', 422),
        (b'{"question": "a\\u0000b"}', 422),
        (b'{"question": "a\\u001bb"}', 422),
        (b'{"question": "a\\u0085b"}', 422),
        (b'{"question": "a", "\\ud800": 1}', 422),
        (b'{"question": "a", "top_k": 0}', 422),
        (b'{"question": "a", "top_k": 1e400}', 422),
        (b'{"question": "a", "top_k": NaN}', 422),
        (b'{"question": "a", "top_k": 101}', 422),
        (b'{"question": "a", "limit": 3}', 422),
        (b'{"question": "a", "balance": "fair"}', 422),
        (b'{"question": "a", "languages": ["xx"]}', 422),
        (b'{"question": "a", "languages": ["../../etc"]}', 422),
        (b'{"question": "a", "languages": ["\\udfff"]}', 422),
        (b'{"question": "a", "where": ["number"]}', 422),
        (b'{"question": "a", "where": ["number=\\u0000"]}', 422),
        (b'{"question": "a", "where": ["\\ud800=1"]}', 422),
        (b'{"question": "a", "where": "number=1"}', 422),
        (json.dumps({"question": "a", "where": ["a=1"] * 17}).encode(), 422),
        (json.dumps({"question": "a" * 8193}).encode(), 413),
    ],
)
def test_bodies(http, content, status):
    check_error(post(http, content), status)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_body_of_another_kind_is_not_read(http, kind):
    # Pages of other sites may send these kinds without asking.
    check_error(http.post("/search", content=b'{"question": "a"}', headers={"content-type": kind}), 422)


def test_messages_say_what_to_do(http):
    assert "Content-Type: application/json" in check_error(http.post("/search", content=b"{}"), 422)
    assert check_error(post(http, b'{"question": "a", "limit": 3}'), 422, "limit").startswith("limit:")
    assert "the index has ar, de, en, zh" in check_error(http.get("/search?question=a&languages=fr"), 422)
    assert "U+001B" in check_error(http.get("/search?question=a%1b"), 422, "question")


@pytest.mark.parametrize(
    "where",
    [
        "number=1' OR '1'='1",
        'x" OR 1=1 --=1',
        "topic in a'); DROP TABLE passages; --",
        "number>=0 OR 1=1",
        "a.b[0]=$",
        "%=%",
        "topic=*",
    ],
)
def test_filters_are_values_and_never_code(http, where):
    answer = http.get("/search", params={"question": "water", "where": where})
    if answer.status_code == 200:
        assert answer.json()["hits"] == []
    else:
        check_error(answer, 422)
    assert len(http.get("/search", params={"question": "water"}).json()["hits"]) == 10


def test_addresses(http):
    check_error(http.get("/search?question=%ff"), 400)
    check_error(http.get("/search?question=a&where=%ed%a0%80"), 400)
    check_error(http.get("/search?question=a&question_=b"), 422)
    check_error(http.get("/search"), 422, "question")
    for path in (
        "/nothing",
        "/..%2f..%2fetc/passwd",
        "/page.css/../../app.py",
        "/%00",
        "/page/app.py",
        "/search/",
    ):
        check_error(http.get(path), 404)
    for method, path in (
        ("PUT", "/search"),
        ("DELETE", "/"),
        ("GET", "/embed"),
        ("POST", "/health"),
        ("TRACE", "/"),
    ):
        answer = http.request(method, path)
        check_error(answer, 405)
        assert answer.headers["allow"]


def test_vectors_are_limited(http):
    check_error(http.post("/embed", json={"texts": ["a"] * 257}), 413, "texts")
    check_error(http.post("/embed", json={"texts": ["a", "b" * 8193]}), 413, "texts")
    check_error(http.post("/v1/embeddings", json={"input": ["a"] * 257}), 413, "input")
    for texts in ([], [""], ["\x00"], "a", [["a"]], None):
        check_error(http.post("/embed", json={"texts": texts}), 422)
    for texts in ([], "", [1, 2], ["a", ""], {"a": 1}):
        check_error(http.post("/v1/embeddings", json={"input": texts}), 422)


def test_large_bodies_are_not_read_to_the_end(server, http):
    answer = post(http, b" " * (1 << 20) + b'{"question": "a"}')
    check_error(answer, 413)
    assert answer.headers["connection"] == "close"
    # Of a body without a length the server sees no more than it may hold, however much would come.
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw:
        raw.sendall(
            b"POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        sent = 0
        try:
            while sent < 64 << 20:
                raw.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
                sent += 0x10000
        except OSError:
            pass
        assert sent < 64 << 20
        try:
            head = raw.recv(1000)
        except OSError:
            head = b"HTTP/1.1 413"  # the system throws away what came in before the connection was reset
        assert head.startswith(b"HTTP/1.1 413")


def test_a_head_that_does_not_end_is_hung_up_on(server, http):
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw:
        sent = 0
        with contextlib.suppress(OSError):
            raw.sendall(b"GET /search?question=")
            while sent < 64 << 20:
                raw.sendall(b"a" * 0x10000)
                sent += 0x10000
        assert sent < 64 << 20
    assert http.get("/health").status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io:80", "", "a b", "[::1"]
)
def test_other_names_of_this_machine_are_not_answered(http, host):
    check_error(http.get("/about", headers={"host": host}), 400)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:99", "127.0.0.1:8000", "[::1]:8000"])
def test_own_names_are_answered(http, host):
    assert http.get("/about", headers={"host": host}).status_code == 200


def test_every_answer_carries_what_protects_a_browser(http):
    for path in ("/", "/page.js", "/about", "/nothing", "/search"):
        headers = http.get(path, headers={"origin": "https://evil.example"}).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert not [name for name in headers if name.startswith("access-control")]
        assert "server" not in headers


def test_keys(index):
    with (
        Searcher(index, WordsEncoder()) as searcher,
        running(searcher, api_key=KEY) as server,
        client(server) as http,
    ):
        for path in ("/health", "/", "/page.js", "/page.css", "/icon.svg"):
            assert http.get(path).status_code == 200
        wrong = [
            {}, {"authorization": KEY}, {"authorization": "Bearer"}, {"authorization": f"Bearer {KEY}x"},
            {"authorization": f"Bearer {KEY[:-1]}"}, {"authorization": f"Basic {KEY}"}, {"x-api-key": KEY},
            {"authorization": "Bearer \u00e9".encode("latin-1")},
        ]  # fmt: skip
        for headers in wrong:
            for path in (
                "/search?question=a",
                "/about",
                "/metrics",
                "/openapi.json",
                "/v1/models",
                "/nothing",
            ):
                answer = http.get(path, headers=headers)
                check_error(answer, 401)
                assert answer.headers["www-authenticate"] == "Bearer"
            check_error(http.post("/embed", json={"texts": ["a"]}, headers=headers), 401)
        right = {"authorization": f"bearer {KEY}"}
        assert http.get("/search?question=water", headers=right).status_code == 200
        security = http.get("/openapi.json", headers=right).json()["components"]["securitySchemes"]
        assert security == {"HTTPBearer": {"type": "http", "scheme": "bearer"}}
    assert KEY not in server.stream.getvalue()


def test_the_log_holds_no_questions_unless_asked(index):
    for wanted in (False, True):
        with (
            Searcher(index, WordsEncoder()) as searcher,
            running(searcher, log_questions=wanted) as server,
            client(server) as http,
        ):
            http.post("/search", json={"question": "hush water"})
            http.get("/search?question=hush+fire")
            http.get("/hush?hush=hush")
            searcher.encoder.fails_on = "hush"
            check_error(http.post("/search", json={"question": "hush water"}), 500)
        assert ("hush" in server.stream.getvalue()) == wanted
        requests = [line for line in server.log if line["event"] == "request"]
        assert [line["status"] for line in requests] == [200, 200, 404, 500]
        assert requests[0]["hits"] == 10
        (error,) = [line for line in server.log if line["event"] == "error"]
        assert (error["kind"], error["id"]) == ("RuntimeError", requests[-1]["id"])


def test_time_runs_out_and_the_server_goes_on(index):
    with (
        Searcher(index, WordsEncoder(seconds=1.0)) as searcher,
        running(searcher, timeout=0.3) as server,
        client(server) as http,
    ):
        check_error(http.post("/search", json={"question": "water"}), 504)
        searcher.encoder.seconds = 0
        time.sleep(1)
        assert http.post("/search", json={"question": "water"}).status_code == 200


def test_a_body_that_does_not_come_is_given_up(index):
    with (
        Searcher(index, WordsEncoder()) as searcher,
        running(searcher, timeout=0.3) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as raw,
    ):
        raw.sendall(b"POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\n{")
        assert raw.recv(1000).startswith(b"HTTP/1.1 504")


def test_an_index_that_is_gone_is_said_without_its_place(tmp_path, index):
    from isogloss.errors import DataError

    with Searcher(index, WordsEncoder()) as searcher, running(searcher) as server, client(server) as http:

        def gone(*_):
            raise DataError(f"{searcher.folder}: cannot read: secret-place")

        searcher.answer = gone
        check_error(http.post("/search", json={"question": "water"}), 503)
        assert "secret-place" in server.stream.getvalue()


def test_loopback_needs_no_key_and_all_else_does():
    for host in ("127.0.0.1", "localhost", "::1", "127.9.9.9", "[::1]"):
        assert is_loopback(host)
        ServingSettings(host=host)
    for host in ("0.0.0.0", "::", "192.168.1.2", "example.org", "", "localhost.example.org"):
        assert not is_loopback(host)
        with pytest.raises(RecipeError, match="ISOGLOSS_API_KEY"):
            ServingSettings(host=host)
        assert ServingSettings(host=host, api_key=KEY).host_names is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"api_key": ""},
        {"api_key": " a"},
        {"api_key": "é"},
        {"texts": 0},
        {"timeout": 0},
        {"batch_wait": 2},
        {"port": -1},
    ],
)
def test_settings_that_are_wrong_are_refused(wrong):
    with pytest.raises(RecipeError):
        ServingSettings(**wrong)


def test_more_requests_than_may_be_under_way_are_refused(index):
    with (
        Searcher(index, WordsEncoder(seconds=1.0)) as searcher,
        running(searcher, requests=1) as server,
        client(server) as http,
    ):
        first = threading.Thread(target=lambda: post(http, b'{"question": "water"}'))
        first.start()
        time.sleep(0.3)
        with client(server) as other:
            check_error(other.get("/about"), 503)
            assert other.get("/health").status_code == 200
        first.join()
        assert http.get("/about").status_code == 200


def test_no_more_texts_than_may_wait(index):
    with (
        Searcher(index, WordsEncoder()) as searcher,
        running(searcher, waiting_texts=3) as server,
        client(server) as http,
    ):
        check_error(http.post("/embed", json={"texts": ["a"] * 4}), 413)
        assert http.get("/about").json()["limits"]["texts"] == 3


def test_too_much_at_once_is_refused_and_nothing_is_lost(index):
    with (
        Searcher(index, WordsEncoder(seconds=0.2)) as searcher,
        running(searcher, waiting_texts=4, batch_texts=2) as server,
    ):
        statuses = []

        def one():
            with client(server) as http:
                answer = http.post("/search", json={"question": "water"})
                if answer.status_code == 503:
                    check_error(answer, 503)
                    assert answer.headers["retry-after"] == "1"
                statuses.append(answer.status_code)

        threads = [threading.Thread(target=one) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(statuses) == {200, 503}
    assert len(statuses) == 16
