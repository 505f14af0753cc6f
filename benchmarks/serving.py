"""A server under load: questions encoded in batches, beside the same server that encodes them one by one.

`python -m benchmarks.serving --passages 100000 --clients 32 --seconds 60` builds an index of synthetic passages, starts
both servers on loopback, checks that they give the same answers, and lets the clients ask one after the other, in
turns of a few seconds. A client sends its next question when it has the answer to the last. Questions are encoded by
the real model; the passages' vectors are random, which costs the search the same.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Report
from isogloss import open_encoder, read_corpus
from isogloss.encoding.encoder import Encoder, Progress, Side

BATCHED, ALONE = "in batches", "one by one"
_TURNS = 6
_WORDS_A_PASSAGE = 40
_WARM_UP = 64


class RandomPassages:
    """A model's vectors for questions, random ones for passages: an index of any size in no time."""

    def __init__(self, model: Encoder) -> None:
        self.model = model
        self.name = model.name
        self._random = np.random.default_rng(0)

    def encode(
        self,
        texts: Sequence[str],
        side: Side,
        progress: Progress | None = None,
        *,
        languages: Sequence[str] | None = None,
    ) -> NDArray[np.float32]:
        """Encode questions, and make vectors up for passages."""
        if side == "query":
            return self.model.encode(texts, side, progress)
        vectors = self._random.standard_normal((len(texts), self.describe()["dimension"]), np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def describe(self) -> dict[str, Any]:
        """The model's description."""
        return self.model.describe()


@dataclass
class Load:
    """What clients met.

    Attributes:
        seconds: of each answered question.
        errors: answers other than 200, and connections that broke.
        lasted: wall-clock seconds of all turns.
        memory: bytes of the server's process, at the beginning and after each turn.
    """

    seconds: list[float] = field(default_factory=list)
    errors: int = 0
    lasted: float = 0.0
    memory: list[float] = field(default_factory=list)


def run(
    quick: bool,
    model: str = "multilingual-e5-small",
    passages: int = 100_000,
    clients: int = 32,
    seconds: float = 60.0,
) -> Report:
    """Check that both servers answer alike, then ask them in turn.

    Args:
        quick: few passages, few clients, two seconds.
        model: as `isogloss index` takes it.
        passages: in the index.
        clients: that ask at the same time.
        seconds: for each server, in all.
    """
    if quick:
        passages, clients, seconds = 200, 4, 2.0
    questions = sorted({version.query for version in read_corpus("sample:test").versions()})
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        index = Path(folder) / "index"
        build_index(index, model, passages)
        urls = {
            BATCHED: stack.enter_context(server(index, model, batch=32)),
            ALONE: stack.enter_context(server(index, model, batch=1)),
        }
        check_alike(urls, questions[:16])
        loads = {name: Load() for name in urls}
        for name, url in urls.items():
            ask_for(url, questions, clients, 0.0, Load(), at_least=_WARM_UP)
            loads[name].memory.append(memory(url))
        turns = 1 if quick else _TURNS
        for turn in range(turns):
            for name in sorted(urls, reverse=bool(turn % 2)):
                ask_for(urls[name], questions, clients, seconds / turns, loads[name])
                loads[name].memory.append(memory(urls[name]))
        batches = {name: texts_a_batch(url) for name, url in urls.items()}
    return Report(
        name="serving",
        title=f"{clients} clients asking an index of {passages:,} passages, {seconds:g} s each way",
        columns=("questions encoded", "questions/s", "p50 ms", "p95 ms", "p99 ms", "errors", "texts a batch",
                 "memory MB, first", "last"),
        rows=tuple(
            (
                name,
                len(load.seconds) / load.lasted,
                *(1000 * percentile(load.seconds, share) for share in (0.5, 0.95, 0.99)),
                load.errors,
                batches[name],
                load.memory[0] / 1e6,
                load.memory[-1] / 1e6,
            )
            for name, load in loads.items()
        ),
        notes=(
            f"in turn, {turns} times; both give the same answers; clients and servers share the machine",
            f"questions of the bundled sample in 8 languages, encoded by {model}; exact search by vectors",
        ),
        measured={
            name: {"questions": len(load.seconds), "lasted": load.lasted, "errors": load.errors, "memory": load.memory}
            for name, load in loads.items()
        },
    )  # fmt: skip


def build_index(folder: Path, model: str, passages: int) -> None:
    """Index passages of random words of the sample, in its languages in turn."""
    from isogloss.search import IndexSettings, IndexWriter, Passage

    encoder = RandomPassages(open_encoder(model, device="cpu"))
    words: dict[str, set[str]] = {}
    for version in read_corpus("sample:train").versions():
        words.setdefault(version.language, set()).update(re.findall(r"\w+", version.passage))
    known = {language: sorted(found) for language, found in sorted(words.items())}
    draw = random.Random(0)

    def made() -> Iterator[tuple[str, Passage]]:
        for number in range(passages):
            language = list(known)[number % len(known)]
            text = " ".join(draw.choices(known[language], k=_WORDS_A_PASSAGE))
            yield f"made:{number}", Passage(f"made-{number}", text, language)

    with IndexWriter.create(folder, encoder, IndexSettings(model)) as writer:
        writer.update(made(), encoder)


@contextmanager
def server(index: Path, model: str, batch: int) -> Iterator[str]:
    """Start a server in a process of its own, and yield its address."""
    words = [
        sys.executable,
        "-m",
        "benchmarks.serving",
        "--serve",
        str(index),
        "--model",
        model,
        "--batch",
        str(batch),
    ]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if line.startswith("{") and (event := json.loads(line))["event"] == "started":
                break
        else:
            raise AssertionError("the server did not start")
        # Its log is read, and thrown away, so that it does not stop at a full pipe.
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield event["url"]
    finally:
        process.terminate()
        process.wait(60)


def serve(index: Path, model: str, batch: int) -> None:
    """Be such a server."""
    from isogloss.search import Searcher
    from isogloss.serving import ServingSettings
    from isogloss.serving import serve as run_server

    how = {"batch_texts": batch} if batch > 1 else {"batch_texts": 1, "batch_wait": 0.0}
    with Searcher(index, RandomPassages(open_encoder(model, device="cpu"))) as searcher:
        run_server(searcher, ServingSettings(port=0, **how))


def ask_for(
    url: str, questions: Sequence[str], clients: int, seconds: float, into: Load, at_least: int = 0
) -> None:
    """Let clients ask for some seconds, and for some questions in all at least."""
    lock = threading.Lock()
    began = time.perf_counter()
    until = began + seconds
    left = at_least

    def one(number: int) -> None:
        nonlocal left
        draw = random.Random(number)
        connection = connect(url)
        while True:
            with lock:
                left -= 1
                if left < 0 and time.perf_counter() >= until:
                    break
            asked = time.perf_counter()
            try:
                status, _ = ask(connection, draw.choice(questions))
            except (OSError, http.client.HTTPException):
                status = 0
                connection.close()
            took = time.perf_counter() - asked
            with lock:
                if status == 200:
                    into.seconds.append(took)
                else:
                    into.errors += 1
        connection.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    into.lasted += time.perf_counter() - began


def connect(url: str) -> http.client.HTTPConnection:
    """Open a connection that is kept."""
    parts = urlsplit(url)
    return http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)


def ask(connection: http.client.HTTPConnection, question: str) -> tuple[int, bytes]:
    """Ask one question, and return the status and the body of the answer."""
    body = json.dumps({"question": question})
    connection.request("POST", "/search", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def check_alike(urls: dict[str, str], questions: Sequence[str]) -> None:
    """Check that all servers give the same passages with the same similarity, to what rounding does in a batch."""
    for question in questions:
        found = []
        for url in urls.values():
            status, body = ask(connect(url), question)
            assert status == 200, body
            found.append({hit["id"]: hit["similarity"] for hit in json.loads(body)["hits"]})
        for id_ in found[0].keys() & found[1].keys():
            pair = (found[0][id_], found[1][id_])
            assert None in pair or math.isclose(*pair, abs_tol=1e-4), f"{question}: {id_}: {pair}"
        assert len(found[0].keys() & found[1].keys()) >= len(found[0]) - 1, question


def metric(url: str, name: str) -> float:
    """Read a figure of a server's metrics."""
    connection = connect(url)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    assert found is not None, name
    return float(found[1])


def memory(url: str) -> float:
    """Bytes that a server's process holds."""
    return metric(url, "process_resident_memory_bytes")


def texts_a_batch(url: str) -> float:
    """Texts encoded at once, on average."""
    return metric(url, "isogloss_batch_texts_sum") / metric(url, "isogloss_batch_texts_count")


def percentile(seconds: Sequence[float], share: float) -> float:
    """The value below which a share of all lie; NaN where there is none."""
    return float(np.quantile(seconds, share)) if seconds else math.nan


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--model", default="multilingual-e5-small")
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--batch", type=int, default=32, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve, options.model, options.batch)
        return
    report = run(options.quick, options.model, options.passages, options.clients, options.seconds)
    print(report.as_markdown())


if __name__ == "__main__":
    main()
