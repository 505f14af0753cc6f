"""Connections to an index's SQLite file, one for each thread."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from pathlib import Path

from isogloss.errors import DataError

_SECONDS_FOR_A_LOCK = 30.0


class _Connection(sqlite3.Connection):
    """Closes when its thread ends, and nobody else holds it."""

    def __del__(self) -> None:
        self.close()


class ThreadConnections:
    """A connection for each thread that asks: the statements of one are no safe place for two threads.

    That of a thread that ends is closed then.

    Args:
        path: the file.
        writable: whether it will be changed.
    """

    def __init__(self, path: Path, writable: bool) -> None:
        self._path = path
        self._writable = writable
        self._of_thread = threading.local()
        self._all: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self._closed = False

    def mine(self) -> sqlite3.Connection:
        """The connection of the thread that asks.

        Raises:
            DataError: the file is no whole copy, or was closed.
        """
        if self._closed:
            raise DataError(f"{self._path}: was closed; open the index again")
        there: _Connection | None = getattr(self._of_thread, "connection", None)
        if there is None:
            there = sqlite3.connect(
                self._address(),
                uri=True,
                timeout=_SECONDS_FOR_A_LOCK,
                check_same_thread=False,
                factory=_Connection,
            )
            there.execute("PRAGMA synchronous = FULL" if self._writable else "PRAGMA query_only = 1")
            self._of_thread.connection = there
            self._all.add(there)
        return there

    def close(self) -> None:
        """Close those of all threads."""
        self._closed = True
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
