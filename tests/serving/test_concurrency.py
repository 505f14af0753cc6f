"""Many clients at once, over HTTP."""

import socket
import threading
import time

import pytest

from isogloss.search import Searcher
from tests.serving.making import WordsEncoder, client, running

QUESTIONS = {
    "water is wet": "en-0",
    "Gold ist schwer": "de-3",
    "水是湿的": "zh-0",
    "الشمس نجم كبير": "ar-1",
    "fire is hot": "en-1",
}
CLIENTS = 32


def test_every_one_of_32_clients_gets_their_own_answer(index):
    with Searcher(index, WordsEncoder(seconds=0.01)) as searcher, running(searcher) as server:
        begin = threading.Barrier(CLIENTS)
        wrong = []

        def one(number):
            with client(server) as http:
                begin.wait()
                for round_ in range(6):
                    question, best = list(QUESTIONS.items())[(number + round_) % len(QUESTIONS)]
                    answer = http.post("/search", json={"question": question, "top_k": 1 + number % 5})
                    hits = answer.json()["hits"]
                    if answer.status_code != 200 or hits[0]["id"] != best or len(hits) != 1 + number % 5:
                        wrong.append((number, answer.text))

        threads = [threading.Thread(target=one, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sizes = [len(batch) for batch in searcher.encoder.batches]
    assert not wrong
    assert sum(sizes) == CLIENTS * 6
    assert max(sizes) <= 32
    assert len(sizes) < CLIENTS * 6 / 4, "questions are encoded together"
    assert len(searcher.encoder.threads) == 1


def test_a_client_that_goes_away_holds_nobody_up(index):
    with (
        Searcher(index, WordsEncoder(seconds=0.3)) as searcher,
        running(searcher, batch_texts=1) as server,
        client(server) as http,
    ):
        body = b'{"question": "never mind"}'
        head = (
            b"POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n"
        )
        for _ in range(8):
            with socket.create_connection(("127.0.0.1", server.port)) as raw:
                raw.sendall(head % len(body) + body)
        time.sleep(0.1)
        began = time.monotonic()
        assert http.post("/search", json={"question": "water is wet"}).status_code == 200
        assert time.monotonic() - began < 1.5
        asked = [text for batch in searcher.encoder.batches for text in batch]
        assert asked.count("never mind") < 4
    gone = [line["status"] for line in server.log if line["event"] == "request"]
    assert gone.count(499) == 8


@pytest.mark.parametrize("path", ["/health", "/about"])
def test_it_is_still_alive_while_the_model_works(index, path):
    with Searcher(index, WordsEncoder(seconds=1.0)) as searcher, running(searcher) as server:

        def ask():
            with client(server) as http:
                http.post("/search", json={"question": "water"})

        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(0.2)
        began = time.monotonic()
        with client(server) as http:
            assert http.get(path).status_code == 200
        assert time.monotonic() - began < 0.7
        thread.join()
