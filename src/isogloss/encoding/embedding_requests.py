"""Requests to an OpenAI-compatible ``/v1/embeddings``: asked again where that may help, answers checked.

The form of requests and answers: https://platform.openai.com/docs/api-reference/embeddings
"""

from __future__ import annotations

import base64
import json
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import numpy as np
from numpy.typing import NDArray

from isogloss.errors import ModelError

_TOO_MUCH = (400, 413, 422)
"""What servers answer to too many texts at once, or to one they cannot take."""
_PASSING = (408, 409, 425, 429)
_QUOTED = 300


@dataclass(frozen=True)
class Patience:
    """How often and how long to try.

    Attributes:
        tries_in_vain: give up after so many tries of a request, if no other one has succeeded meanwhile either.
        tries: give up after so many in any case.
        first_wait: seconds after the first failure; doubled with each further one, and drawn from half to all of it.
        longest_wait: seconds that a wait grows to.
        longest_asked: seconds of a server's Retry-After that are waited; where it asks for more, give up.
        connect: seconds to wait for a connection.
        answer: seconds to wait for an answer.
    """

    tries_in_vain: int = 8
    tries: int = 24
    first_wait: float = 0.5
    longest_wait: float = 30.0
    longest_asked: float = 300.0
    connect: float = 10.0
    answer: float = 120.0


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """The requests were told to stop."""


class _Passing(Exception):  # noqa: N818 - a reason to try again
    def __init__(self, reason: str, asked: float | None = None) -> None:
        super().__init__(reason)
        self.asked = asked


class _TooMuch(Exception):  # noqa: N818 - a reason to ask for less
    pass


class EmbeddingRequests:
    """Asks one server for one model's vectors; may be used from several threads.

    Args:
        name: what to call the endpoint in errors.
        model: the model's name in requests.
        url: where requests go, ``/embeddings`` included.
        key: sent as a bearer token, and nowhere else; None sends none.
        patience: how often and how long to try.
    """

    def __init__(self, name: str, model: str, url: str, key: str | None, patience: Patience) -> None:
        self.name = name
        self._model, self._url, self._key, self._patience = model, url, key, patience
        headers = {"Content-Type": "application/json"}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        # Redirects are not followed: the key goes to the server that was named, and to no other.
        self._client = httpx2.Client(
            headers=headers, timeout=httpx2.Timeout(patience.answer, connect=patience.connect)
        )
        self._lock = threading.Lock()
        self._answered = False
        self._successes = 0
        self._not_before = 0.0

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
            return self._patiently(texts, stop)
        except _TooMuch as error:
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

    def _patiently(self, texts: Sequence[str], stop: threading.Event) -> NDArray[np.float32]:
        patience = self._patience
        before, tries, wait = self._successes, 0, patience.first_wait
        while True:
            _sleep(self._not_before - time.monotonic(), stop)
            try:
                vectors = self._ask(texts)
            except _Passing as failure:
                tries += 1
                in_vain = self._successes == before and tries >= patience.tries_in_vain
                if in_vain or tries >= patience.tries:
                    raise ModelError(
                        f"{self.name}: given up after {tries} tries: {failure}; vectors that came are kept, so the same"
                        " command goes on from there"
                    ) from failure
                if failure.asked is not None and failure.asked > patience.longest_asked:
                    raise ModelError(
                        f"{self.name}: {failure}; the server asks to wait {failure.asked:.0f} s: run the same command"
                        " again then, vectors that came are kept"
                    ) from failure
                if failure.asked is not None:
                    with self._lock:
                        # The others would only be turned away as well.
                        self._not_before = max(self._not_before, time.monotonic() + failure.asked)
                _sleep(random.uniform(wait / 2, wait), stop)
                wait = min(2 * wait, patience.longest_wait)
                continue
            with self._lock:
                self._successes += 1
            return vectors

    def _ask(self, texts: Sequence[str]) -> NDArray[np.float32]:
        body = json.dumps({"model": self._model, "input": list(texts), "encoding_format": "float"})
        try:
            answer = self._client.post(self._url, content=body.encode())
        except httpx2.TimeoutException as error:
            raise _Passing(f"no answer in time ({type(error).__name__})") from error
        except httpx2.ConnectError as error:
            if not self._answered:
                raise ModelError(
                    f"{self.name}: nothing answers at {self._url}: {error}; is the server running, and the URL right?"
                ) from error
            raise _Passing(f"no connection: {error}") from error
        except httpx2.RequestError as error:
            raise _Passing(f"the connection broke: {error or type(error).__name__}") from error
        self._answered = True
        status = answer.status_code
        if status == 200:
            return read_answer(answer.content, len(texts), self.name)
        said = f"the server answered {status}: {self._said(answer)}"
        if status in _PASSING or status >= 500:
            raise _Passing(said, _seconds_asked(answer.headers.get("Retry-After")))
        if status in _TOO_MUCH:
            raise _TooMuch(f"{self.name}: {said}")
        raise ModelError(f"{self.name}: {said}{self._advice(status)}")

    def _said(self, answer: httpx2.Response) -> str:
        """What the server said, on a line, without the key, which some servers repeat."""
        try:
            said = _message(answer.json()) or answer.text
        except ValueError:
            said = answer.text
        if self._key is not None:
            said = said.replace(self._key, "***")
        said = " ".join(said.split())
        return (said if len(said) <= _QUOTED else said[:_QUOTED] + "...") or answer.reason_phrase or "nothing"

    def _advice(self, status: int) -> str:
        if status in (401, 403):
            return (
                "; check the key in OPENAI_API_KEY"
                if self._key is not None
                else "; put the key into the environment variable OPENAI_API_KEY"
            )
        if status in (404, 405):
            return f"; it was asked at {self._url}: check the model's name, and give the URL up to and including /v1"
        if 300 <= status < 400:
            return "; give the URL where the server really is"
        return ""


def _sleep(seconds: float, stop: threading.Event) -> None:
    if stop.wait(max(seconds, 0)):
        raise Stopped


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


def _message(answer: Any) -> str | None:
    """The message in an error as OpenAI, FastAPI and others give it."""
    if isinstance(answer, dict):
        for key in ("error", "message", "detail"):
            value = answer.get(key)
            if isinstance(value, dict):
                value = value.get("message")
            if value:
                return value if isinstance(value, str) else json.dumps(value)
    return None


def _seconds_asked(retry_after: str | None) -> float | None:
    """Read a Retry-After header: seconds, or a date (RFC 9110, section 10.2.3)."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        then = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max((then.replace(tzinfo=then.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)
