"""The server's log: a JSON object a line, without what people asked unless that is wanted."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TextIO

from isogloss.errors import IsoglossError
from isogloss.serving.guard import Served


class ServerLog:
    """Writes events.

    Args:
        questions: whether texts of requests may be written.
        stream: where to; None takes standard error.
    """

    def __init__(self, *, questions: bool = False, stream: TextIO | None = None) -> None:
        self._questions = questions
        self._stream = stream

    def write(self, event: str, **values: Any) -> None:
        """Write an event; values that are None are left out."""
        record = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event}
        record |= {name: value for name, value in values.items() if value is not None}
        # Who reads the log may go away; the server goes on.
        with suppress(OSError):
            print(json.dumps(record), file=self._stream or sys.stderr, flush=True)

    def served(self, request: Served) -> None:
        """Write a request that is over."""
        facts = dict(request.facts)
        if not self._questions:
            facts.pop("question", None)
        self.write(
            "request",
            id=request.number,
            method=request.method,
            route=request.route,
            status=request.status,
            seconds=round(request.seconds, 6),
            **facts,
        )
        if request.error is not None:
            self.failed(request.number, request.error)

    def failed(self, number: str, error: BaseException) -> None:
        """Write what went wrong in the server.

        The message of an error that we did not raise ourselves may hold a text, so only its kind and place are written.
        """
        ours = isinstance(error, IsoglossError)
        self.write(
            "error",
            id=number,
            kind=type(error).__name__,
            message=str(error) if ours or self._questions else None,
            where=[f"{frame.name} in {frame.filename}:{frame.lineno}" for frame in _frames(error)],
        )


class UvicornHandler(logging.Handler):
    """Hands what the HTTP server says to the log."""

    def __init__(self, log: ServerLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        self._log.write("server", level=record.levelname.lower(), message=record.getMessage())


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    return list(traceback.extract_tb(error.__traceback__))[-6:]
