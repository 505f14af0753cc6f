"""Requests to an OpenAI-compatible server: asked again where that may help."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

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


class TooMuch(Exception):  # noqa: N818 - a reason to ask for less
    """The server cannot take this request; it says why."""


class GivenUpError(ModelError):
    """The server went on failing, which may be the fault of this one request.

    Attributes:
        reason: what it failed with.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class _Passing(Exception):  # noqa: N818 - a reason to try again
    def __init__(self, reason: str, asked: float | None = None) -> None:
        super().__init__(reason)
        self.asked = asked


class EndpointRequests:
    """Asks one server of one model; may be used from several threads.

    Args:
        name: what to call the endpoint in errors.
        model: the model's name in requests.
        url: where requests go, the path after ``/v1`` included.
        key: sent as a bearer token, and nowhere else; None sends none.
        patience: how often and how long to try.
        kept: what the caller keeps of the answers, for errors: "vectors".
    """

    def __init__(
        self, name: str, model: str, url: str, key: str | None, patience: Patience, *, kept: str
    ) -> None:
        self.name = name
        self._model, self._url, self._key, self._patience, self._kept = model, url, key, patience, kept
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

    def ask(self, body: Mapping[str, Any], stop: threading.Event, *, once: bool = False) -> bytes:
        """Send a request, again and again where that may help.

        Args:
            body: sent as JSON, the model's name added.
            stop: set by another thread to have no further try begin.
            once: give up after the first try.

        Returns:
            What the server answered with status 200.

        Raises:
            TooMuch: the server finds fault with this request, and a smaller one may do.
            GivenUpError: the server went on failing.
            ModelError: the server refuses.
            Stopped: `stop` was set.
        """
        content = json.dumps({"model": self._model, **body}).encode()
        patience = self._patience
        before, tries, wait = self._successes, 0, patience.first_wait
        while True:
            _sleep(self._not_before - time.monotonic(), stop)
            try:
                answer = self._once(content)
            except _Passing as failure:
                tries += 1
                in_vain = self._successes == before and tries >= patience.tries_in_vain
                if once or in_vain or tries >= patience.tries:
                    raise GivenUpError(
                        f"{self.name}: given up after {tries} tries: {failure}; {self._kept} that came are"
                        " kept, so the same command goes on from there",
                        f"{failure}, {tries} times",
                    ) from failure
                if failure.asked is not None and failure.asked > patience.longest_asked:
                    raise ModelError(
                        f"{self.name}: {failure}; the server asks to wait {failure.asked:.0f} s: run the same command"
                        f" again then, {self._kept} that came are kept"
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
            return answer

    def _once(self, content: bytes) -> bytes:
        try:
            answer = self._client.post(self._url, content=content)
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
            return answer.content
        said = f"the server answered {status}: {self._said(answer)}"
        if status in _PASSING or status >= 500:
            raise _Passing(said, _seconds_asked(answer.headers.get("Retry-After")))
        if status in _TOO_MUCH:
            raise TooMuch(f"{self.name}: {said}")
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
