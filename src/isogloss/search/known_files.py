"""The files that an index has passages of, in its SQLite file: their names, and what goes when they are read again.

A passage that has no id of its own is called after its file and its place there: `NAME#3` in a document, `NAME:7` in a
table of records.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

_UNSEEN = (
    "UPDATE passages SET state = 2 WHERE state = 1 AND NOT EXISTS (SELECT 1 FROM seen WHERE"
    " seen.id = passages.id AND seen.said_language = passages.said_language)"
)
# Between the digits' neighbours in the order of the index over ids; then nothing but digits after the mark.
_OF_FILE = " AND id >= ? AND id < ? AND substr(id, ?) NOT GLOB '*[^0-9]*'"


def known_files(connection: sqlite3.Connection) -> dict[str, str]:
    """Absolute paths by name; none in an index of an earlier release."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'files'").fetchone():
        return {}
    return dict(connection.execute("SELECT name, path FROM files ORDER BY name"))


def write_known_files(
    connection: sqlite3.Connection, files: Mapping[str, str], vanished: Iterable[str], *, prune: bool
) -> None:
    """Write down what was read and what is gone; inside a transaction.

    Args:
        connection: to the file.
        files: absolute paths by name.
        vanished: names of files that are gone.
        prune: whether there are no others than `files`.
    """
    run = connection.execute
    run("CREATE TABLE IF NOT EXISTS files (name TEXT PRIMARY KEY, path TEXT NOT NULL) WITHOUT ROWID")
    if prune:
        run("DELETE FROM files")
    connection.executemany("DELETE FROM files WHERE name = ?", [(name,) for name in vanished])
    connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?)", files.items())


def kill_unseen(connection: sqlite3.Connection, files: Iterable[str] | None) -> int:
    """Let live passages die that did not come in this update; inside a transaction.

    Args:
        connection: to the file.
        files: names of the files whose passages may die; None for all passages.

    Returns:
        How many died.
    """
    if files is None:
        return connection.execute(_UNSEEN).rowcount
    return sum(
        connection.execute(_UNSEEN + _OF_FILE, (f"{name}{mark}0", f"{name}{mark}:", len(name) + 2)).rowcount
        for name in files
        for mark in "#:"
    )
