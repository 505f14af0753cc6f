"""Requests that are refused: each with a status, in one form.

    {"error": {"type": "too_large", "message": "...", "param": "question", "code": 413}}

The form is that of OpenAI's API, whose clients show the message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

TYPES = {
    400: "bad_request",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    422: "invalid",
    500: "internal",
    503: "unavailable",
    504: "timeout",
}
_SECONDS_TO_RETRY = 1


class Refused(Exception):  # noqa: N818 - an answer, not a mistake of ours
    """A request gets an error as its answer.

    Args:
        status: of HTTP.
        message: what is wrong and what to do about it; it is sent to the client.
        param: the field that is wrong.
        headers: to send along.
    """

    def __init__(
        self, status: int, message: str, *, param: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.headers = dict(headers or {})

    def body(self) -> bytes:
        """The answer's body, JSON."""
        return error_body(self.status, self.message, self.param)


class Overloaded(Refused):
    """Too much is waiting already.

    Args:
        message: what.
    """

    def __init__(self, message: str) -> None:
        super().__init__(
            503, f"{message}; try again in a moment", headers={"retry-after": str(_SECONDS_TO_RETRY)}
        )


def error_body(status: int, message: str, param: str | None = None) -> bytes:
    """Write an error as JSON."""
    error = {"type": TYPES.get(status, "error"), "message": message, "param": param, "code": status}
    return as_json({"error": error})


def as_json(value: Any) -> bytes:
    """Write JSON in UTF-8; half of a character, which UTF-8 cannot hold, as its escape.

    Raises:
        ValueError: a number is not finite.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")
