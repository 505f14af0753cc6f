"""A model, an index and a running server for tests, small and quick."""

import hashlib
import io
import json
import threading
import time
from contextlib import contextmanager

import httpx2 as httpx
import numpy as np

from isogloss.search import IndexSettings, IndexWriter, Passage
from isogloss.serving import ServingSettings, make_app
from isogloss.serving.logs import ServerLog
from isogloss.serving.server import http_server, listening_socket

TEXTS = {
    "ar": ["الماء رطب والنار حارة", "الشمس نجم كبير"],
    "de": ["Wasser ist nass", "Feuer ist heiß", "die Sonne ist ein Stern", "Gold ist schwer"],
    "en": [
        "water is wet",
        "fire is hot",
        "the sun is a star",
        "gold is heavy <b>and</b> <img src=x onerror=\"document.title='stolen'\">"
        "<script>document.title='stolen'</script>",
    ],
    "zh": ["水是湿的", "火是热的"],
}
PASSAGES = [
    Passage(
        f"{language}-{number}",
        text,
        language,
        title="<i>Water</i> & fire" if (language, number) == ("en", 0) else None,
        metadata={"number": number, "topic": ["a", language]},
    )
    for language, those in TEXTS.items()
    for number, text in enumerate(those)
]


class WordsEncoder:
    """Encodes a text as the sum of its words' random directions; notes the batches and in what thread they came."""

    uses_languages = False

    def __init__(self, dimension=32, seconds=0.0, name="words"):
        self.name = name
        self.dimension = dimension
        self.seconds = seconds
        self.batches = []
        self.threads = set()
        self.fails_on = None

    def encode(self, texts, side, progress=None, *, languages=None):
        self.batches.append(list(texts))
        self.threads.add(threading.get_ident())
        if self.fails_on is not None and any(self.fails_on in text for text in texts):
            raise RuntimeError(f"cannot encode {texts}")
        time.sleep(self.seconds)
        return np.array([self.vector(text) for text in texts], np.float32).reshape(len(texts), self.dimension)

    def vector(self, text):
        total = np.zeros(self.dimension)
        for word in text.lower().split():
            seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
            total += np.random.default_rng(seed).standard_normal(self.dimension)
        return total / (np.linalg.norm(total) or 1.0)

    def describe(self):
        return {
            "name": "words",
            "query_prompt": "",
            "passage_prompt": "",
            "max_length": None,
            "dimension": self.dimension,
            "precision": "float32",
            "device": "cpu",
        }


def make_index(folder, encoder=None, passages=PASSAGES, words=True):
    """Index passages with an encoder."""
    encoder = encoder or WordsEncoder()
    with IndexWriter.create(folder, encoder, IndexSettings("words", words=words)) as writer:
        writer.update([(f"given:{number}", one) for number, one in enumerate(passages, 1)], encoder)
    return folder


class Running:
    """A server at work on this machine, and what it logged."""

    def __init__(self, port, stream, encoder):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.stream = stream
        self.encoder = encoder

    @property
    def log(self):
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@contextmanager
def running(searcher, **settings):
    """Serve a searcher on a free port of this machine, in a thread."""
    made = ServingSettings(port=0, **settings)
    stream = io.StringIO()
    app = make_app(searcher, made, ServerLog(questions=made.log_questions, stream=stream))
    with listening_socket("127.0.0.1", 0) as listening:
        server = http_server(app)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.005)
        try:
            yield Running(listening.getsockname()[1], stream, searcher.encoder)
        finally:
            server.should_exit = True
            thread.join(20)


def client(server, **arguments):
    """A client of a running server."""
    return httpx.Client(base_url=server.url, timeout=30, trust_env=False, **arguments)
