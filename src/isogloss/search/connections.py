"""Connections to an index's SQLite file, one for each thread."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

from isogloss.errors import DataError

_SECONDS_FOR_A_LOCK = 30.0


class ThreadConnections:
    """A connection for each thread that asks: the statements of one are no safe place for two threads.

    Args:
        path: the file.
        writable: whether it will be changed.
    """

    def __init__(self, path: Path, writable: bool) -> None:
        self._path = path
        self._writable = writable
        self._of_thread = threading.local()
        self._all: list[sqlite3.Connection] = []

    def mine(self) -> sqlite3.Connection:
        """The connection of the thread that asks.

        Raises:
            DataError: the file is no whole copy.
        """
        there: sqlite3.Connection | None = getattr(self._of_thread, "connection", None)
        if there is None:
            there = sqlite3.connect(
                self._address(), uri=True, timeout=_SECONDS_FOR_A_LOCK, check_same_thread=False
            )
            there.execute("PRAGMA synchronous = FULL" if self._writable else "PRAGMA query_only = 1")
            self._of_thread.connection = there
            self._all.append(there)
        return there

    def close(self) -> None:
        """Close those of all threads."""
        while self._all:
            self._all.pop().close()
        self._of_thread = threading.local()

    def _address(self) -> str:
        """SQLite's address; a file in a folder that may not be written in is taken for a copy that does not change."""
        at = self._path.absolute().as_uri()
        if self._writable or os.access(self._path.parent, os.W_OK):
            return at
        beside = self._path.with_name(f"{self._path.name}-wal")
        if beside.is_file() and beside.stat().st_size:
            raise DataError(
                f"{self._path}: was copied while it was written, or its writer was killed; run `isogloss index` on it"
                " where it may be written, and copy the folder after that"
            )
        return f"{at}?immutable=1"
