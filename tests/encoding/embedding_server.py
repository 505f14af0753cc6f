"""A real HTTP server that answers as an OpenAI-compatible ``/v1/embeddings`` does, or misbehaves as it is told to."""

from __future__ import annotations

import hashlib
import json
import threading

import numpy as np

from tests import loopback

DIMENSION = 8


def vector_of(text: str, salt: str = "") -> np.ndarray:
    """A text's vector as the server gives it: not of unit length."""
    seed = int.from_bytes(hashlib.sha256((salt + text).encode()).digest()[:8], "little")
    return np.random.default_rng(seed).standard_normal(DIMENSION).astype(np.float32) * 3


def expected(texts, salt: str = "") -> np.ndarray:
    vectors = np.stack([vector_of(text, salt) for text in texts])
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class EmbeddingServer:
    """What was asked, and how to answer.

    `answer` takes the request's number from 0 and its texts; it returns (status, body, headers), or None for what is
    right.
    """

    def __init__(self):
        self.requests: list[dict] = []
        self.keys: list[str | None] = []
        self.paths: list[str] = []
        self.answer = lambda number, texts: None
        self.salt = ""
        self._lock = threading.Lock()

    @property
    def texts(self) -> list[str]:
        return [text for request in self.requests for text in request["input"]]

    def right(self, texts, vector=None):
        vector = vector or (lambda text: vector_of(text, self.salt).tolist())
        data = [
            {"object": "embedding", "index": number, "embedding": vector(text)}
            for number, text in enumerate(texts)
        ]
        return 200, {"object": "list", "data": data, "model": "m"}, {}

    def handle(self, path, body, key):
        request = json.loads(body)
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
            self.keys.append(key)
            self.paths.append(path)
        return self.answer(number, request["input"]) or self.right(request["input"])


def serving():
    """Serve on a free port of this machine; yields the server with its `url`."""
    return loopback.serving(EmbeddingServer())
