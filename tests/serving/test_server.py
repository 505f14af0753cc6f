"""The server as a process: how it starts, and how it stops."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx2 as httpx
import pytest

from isogloss.errors import OutputError
from isogloss.serving.server import listening_socket
from tests.serving.making import make_index

SCRIPT = """
import sys
from isogloss.errors import Interrupted
from isogloss.search import Searcher
from isogloss.serving import ServingSettings, serve
from tests.serving.making import WordsEncoder
with Searcher(sys.argv[1], WordsEncoder(seconds=float(sys.argv[2]))) as searcher:
    try:
        serve(searcher, ServingSettings(port=0))
    except Interrupted:
        sys.exit(130)
"""
ROOT = Path(__file__).parents[2]


def started(words, environment=()):
    process = subprocess.Popen(
        [sys.executable, *map(str, words)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **dict(environment)},
    )
    line = json.loads(process.stderr.readline())
    assert line["event"] == "started"
    return process, line


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_when_what_is_under_way_is_answered(index, number, code):
    process, line = started(["-c", SCRIPT, index, 0.5])
    answers = []

    def ask():
        answer = httpx.post(
            line["url"] + "search", json={"question": "fire is hot"}, timeout=30, trust_env=False
        )
        answers.append(answer.json()["hits"][0]["id"])

    asking = threading.Thread(target=ask)
    asking.start()
    # The health check comes back when the question is surely under way.
    assert httpx.get(line["url"] + "health", timeout=30, trust_env=False).json() == {"status": "ok"}
    threading.Event().wait(0.2)
    process.send_signal(number)
    _, rest = process.communicate(timeout=60)
    asking.join()
    assert answers == ["en-1"]
    assert process.returncode == code
    events = [json.loads(one)["event"] for one in rest.splitlines()]
    assert events[-1] == "stopped"
    assert "Traceback" not in rest


def test_the_command_serves_an_index(tmp_path, tiny_bert):
    from isogloss.encoding.encoder import SentenceTransformerEncoder
    from isogloss.search import IndexSettings, IndexWriter
    from tests.serving.making import PASSAGES

    encoder = SentenceTransformerEncoder.load(tiny_bert, query_prompt="", passage_prompt="", device="cpu")
    settings = IndexSettings(str(tiny_bert), query_prompt="", passage_prompt="")
    with IndexWriter.create(tmp_path / "index", encoder, settings) as writer:
        writer.update([("one", one) for one in PASSAGES], encoder)
    process, line = started(
        ["-m", "isogloss", "serve", tmp_path / "index", "--port", 0],
        {"ISOGLOSS_API_KEY": "from-the-environment"},
    )
    assert line["key_needed"]
    url = line["url"] + "search?question=water+is+wet&words=true"
    assert httpx.get(url, timeout=60, trust_env=False).status_code == 401
    right = {"authorization": "Bearer from-the-environment"}
    answer = httpx.get(url, headers=right, timeout=60, trust_env=False)
    assert answer.json()["hits"][0]["id"] == "en-0"
    assert str(tmp_path) not in answer.text
    process.terminate()
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 0, rest


def test_a_port_that_is_taken_is_said():
    with (
        listening_socket("127.0.0.1", 0) as taken,
        pytest.raises(OutputError, match=r"cannot listen there.*choose another --port"),
    ):
        listening_socket("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(OutputError, match="cannot listen there"):
        listening_socket("no-such-host.invalid", 0)


def cli(capsys, *words):
    from isogloss.cli import main

    with pytest.raises(SystemExit) as stop:
        main(list(map(str, words)))
    return stop.value.code, capsys.readouterr().err


def test_other_machines_are_not_served_without_a_key(capsys, index, monkeypatch):
    monkeypatch.delenv("ISOGLOSS_API_KEY", raising=False)
    code, said = cli(capsys, "serve", index, "--host", "0.0.0.0")
    assert code == 2
    assert "ISOGLOSS_API_KEY" in said
    assert "Traceback" not in said
    assert cli(capsys, "serve", index, "--api-key", "")[0] == 2


def test_no_index_is_said(capsys, tmp_path):
    code, said = cli(capsys, "serve", tmp_path / "none")
    assert (code, "no index" in said) == (2, True)


def test_a_missing_package_names_the_extra(capsys, index, monkeypatch):
    monkeypatch.setitem(sys.modules, "fastapi", None)
    for name in [name for name in sys.modules if name.startswith("isogloss.serving")]:
        monkeypatch.delitem(sys.modules, name)
    code, said = cli(capsys, "serve", index)
    assert (code, "pip install 'isogloss[serve]'" in said) == (2, True)


def test_an_index_without_words_says_so(tmp_path):
    from isogloss.search import Searcher
    from tests.serving.making import WordsEncoder, client, running

    make_index(tmp_path / "index", words=False)
    with (
        Searcher(tmp_path / "index", WordsEncoder()) as searcher,
        running(searcher) as server,
        client(server) as http,
    ):
        answer = http.post("/search", json={"question": "water", "words": True})
        assert (answer.status_code, answer.json()["error"]["param"]) == (422, "words")
        assert http.post("/search", json={"question": "water"}).status_code == 200
