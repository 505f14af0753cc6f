"""Requests to an OpenAI-compatible ``/v1/embeddings``: fewer texts at once where that may help, answers checked.

The form of requests and answers: https://platform.openai.com/docs/api-reference/embeddings
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogloss.endpoints.requests import EndpointRequests, TooMuch
from isogloss.errors import ModelError


class EmbeddingRequests:
    """Asks one server for one model's vectors; may be used from several threads.

    Args:
        requests: to the model's ``/v1/embeddings``.
    """

    def __init__(self, requests: EndpointRequests) -> None:
        self.name = requests.name
        self._requests = requests

    def vectors(self, texts: Sequence[str], stop: threading.Event) -> NDArray[np.float32]:
        """Ask for the vectors of texts, as they come from the server.

        Where the server refuses several texts, it is asked for each half.

        Args:
            texts: at least one, prompts included.
            stop: set by another thread to have no further try begin.

        Returns:
            float32, shape (texts, d), in the order of the texts.

        Raises:
            ModelError: the server refuses, its answer is no list of vectors, or it went on failing.
            Stopped: `stop` was set.
        """
        try:
            content = self._requests.ask({"input": list(texts), "encoding_format": "float"}, stop)
            return read_answer(content, len(texts), self.name)
        except TooMuch as error:
            if len(texts) == 1:
                text = texts[0] if len(texts[0]) <= 60 else f"{texts[0][:60]}..."
                raise ModelError(f"{error}; it was asked for {text!r} ({len(texts[0])} characters)") from None
        half = len(texts) // 2
        parts = [self.vectors(texts[:half], stop), self.vectors(texts[half:], stop)]
        if parts[0].shape[1] != parts[1].shape[1]:
            raise ModelError(
                f"{self.name}: vectors of {parts[0].shape[1]} and of {parts[1].shape[1]} numbers; a model has one"
                " dimension"
            )
        return np.concatenate(parts)


def read_answer(content: bytes, texts: int, name: str) -> NDArray[np.float32]:
    """Read the vectors of an answer; each goes to the place that its index says.

    Args:
        content: JSON, `data` a list of `index` and `embedding`: numbers, or float32 little-endian in Base64.
        texts: how many were asked for.
        name: what to call the endpoint in errors.

    Returns:
        float32, shape (texts, d).

    Raises:
        ModelError: it is anything else.
    """
    try:
        data = json.loads(content)["data"]
        vectors = {item["index"]: _vector(item["embedding"]) for item in data}
    except (ValueError, TypeError, KeyError) as error:
        shown = " ".join(content[:120].decode("utf-8", "replace").split())
        raise ModelError(
            f"{name}: the answer is no list of embeddings ({type(error).__name__}: {error}), it begins {shown!r}; is"
            " this the URL of an OpenAI-compatible /v1/embeddings?"
        ) from error
    if len(data) != texts or vectors.keys() != set(range(texts)):
        raise ModelError(
            f"{name}: asked for {texts} vectors, got {len(data)} with {len(vectors)} different indexes; they should be"
            f" those from 0 to {texts - 1}"
        )
    if len(sizes := sorted({len(vector) for vector in vectors.values()})) > 1 or sizes[0] == 0:
        raise ModelError(f"{name}: vectors of {' and of '.join(map(str, sizes))} numbers in one answer")
    return np.stack([vectors[index] for index in range(texts)])


def _vector(embedding: Any) -> NDArray[np.float32]:
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4").astype(np.float32)
    vector = np.asarray(embedding, dtype=np.float32)
    if vector.ndim != 1:
        raise ValueError(f"an embedding of {vector.ndim} dimensions")
    return vector
