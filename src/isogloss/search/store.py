"""The passages of an index, their words and what is known of their vectors: one SQLite file, changed in transactions.

A row is a passage as it was once: it never changes, and a changed passage has a new row. Rows are *staged* while an
index is being brought up to date, *live* once that is done, and *dead* when another has taken their place. All rows
that an update stages become live in one transaction, so a reader sees the index before the update or after it, and a
crash leaves the one before.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from isogloss.errors import DataError, OutputError
from isogloss.search.connections import ThreadConnections
from isogloss.search.filters import Condition, as_sql
from isogloss.search.known_files import kill_unseen, known_files, write_known_files
from isogloss.search.passage import Passage
from isogloss.search.tables import TABLES

STAGED, LIVE, DEAD = 0, 1, 2
_AT_ONCE = 500


class LiveRows(NamedTuple):
    """All live passages of a language: rows and positions of their vectors, int64, in ascending order of rows."""

    rows: NDArray[np.int64]
    positions: NDArray[np.int64]


class Published(NamedTuple):
    """How many passages an update added, changed and removed."""

    added: int
    changed: int
    removed: int


class PassageStore:
    """The SQLite file of an index.

    Args:
        path: the file.
        writable: whether it will be changed; a new file is then made.

    Raises:
        DataError: the file cannot be read, or is no index.
        OutputError: it cannot be written.
    """

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        self.path = path
        self._writable = writable
        if not writable and not path.is_file():
            raise DataError(f"{path}: no such file; make an index with `isogloss index`")
        self._connections = ThreadConnections(path, writable)
        try:
            with self.reported():
                if (
                    writable
                    and not self._connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
                ):
                    # Readers go on reading what was there while a writer writes.
                    self._connection.execute("PRAGMA journal_mode = WAL")
                    self._connection.executescript(f"BEGIN; {TABLES} COMMIT;")
                self._connection.execute("SELECT 1 FROM passages LIMIT 1")
        except BaseException:
            self._connections.close()
            raise

    @property
    def _connection(self) -> sqlite3.Connection:
        return self._connections.mine()

    def close(self) -> None:
        """Close the file; what was written is then in it alone."""
        if self._writable:
            with suppress(sqlite3.Error, DataError):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connections.close()

    @contextmanager
    def reported(self) -> Iterator[None]:
        """Turn SQLite's errors into ours."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            kind = OutputError if self._writable else DataError
            raise kind(
                f"{self.path}: cannot be {'changed' if self._writable else 'read'}: {error}"
            ) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all changes in the block at once, or none of them."""
        with self.reported(), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Let all that this thread reads in the block be of one moment."""
        with self.reported():
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("ROLLBACK")

    def read(self, query: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        """Ask in SQL; the rows of the answer, one after the other."""
        with self.reported():
            yield from self._connection.execute(query, values)

    def about(self) -> dict[str, Any]:
        """What was written down of the index, by name."""
        with self.reported():
            return {
                name: json.loads(value) for name, value in self._connection.execute("SELECT * FROM about")
            }

    def write_about(self, values: Mapping[str, Any]) -> None:
        """Write down values by name; inside a transaction."""
        rows = [(name, json.dumps(value, ensure_ascii=False)) for name, value in values.items()]
        self._connection.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", rows)

    def generation(self) -> int:
        """How often the index was brought up to date."""
        with self.reported():
            found = self._connection.execute("SELECT value FROM about WHERE name = 'generation'").fetchone()
        return int(json.loads(found[0])) if found else 0

    # What a reader asks for.

    def counts(self) -> dict[str, int]:
        """Live passages by language, in alphabetic order."""
        query = "SELECT language, count(*) FROM passages WHERE state = 1 GROUP BY language ORDER BY language"
        with self.reported():
            return dict(self._connection.execute(query).fetchall())

    def last_row(self) -> int:
        """The last live row; 0 where there is none. Every row that is staged now comes after it."""
        query = "SELECT max(row) FROM passages INDEXED BY live_languages WHERE state = 1"
        with self.reported():
            return self._connection.execute(query).fetchone()[0] or 0

    def live_rows(self, languages: Iterable[str] | None = None) -> dict[str, LiveRows]:
        """All live passages by language; of some languages alone, if they are given."""
        query = "SELECT row, position FROM passages WHERE state = 1 AND language = ? ORDER BY row"
        found = {}
        with self.reported():
            for language in self.counts() if languages is None else languages:
                numbers = array("q")
                for pair in self._connection.execute(query, (language,)):
                    numbers.extend(pair)
                pairs = np.array(numbers, np.int64).reshape(-1, 2)
                if len(pairs):
                    found[language] = LiveRows(pairs[:, 0].copy(), pairs[:, 1].copy())
        return found

    def live_among(self, rows: NDArray[np.int64]) -> dict[str, LiveRows]:
        """The live passages among rows, ascending, by language."""
        found: dict[str, list[tuple[int, int]]] = {}
        with self.reported():
            for start in range(0, len(rows), _AT_ONCE):
                part = rows[start : start + _AT_ONCE].tolist()
                query = (
                    "SELECT language, row, position FROM passages WHERE state = 1"
                    f" AND row IN ({','.join('?' * len(part))}) ORDER BY row"
                )
                for language, *pair in self._connection.execute(query, part):
                    found.setdefault(language, []).append((pair[0], pair[1]))
        of = {language: np.array(pairs, np.int64) for language, pairs in found.items()}
        return {language: LiveRows(pairs[:, 0], pairs[:, 1]) for language, pairs in of.items()}

    def passages(self, rows: Sequence[int]) -> dict[int, Passage]:
        """The live passages among rows, by row."""
        found: dict[int, Passage] = {}
        with self.reported():
            for start in range(0, len(rows), _AT_ONCE):
                part = [int(row) for row in rows[start : start + _AT_ONCE]]
                marks = ",".join("?" * len(part))
                query = f"SELECT {_COLUMNS} FROM passages WHERE state = 1 AND row IN ({marks})"
                for row, *values in self._connection.execute(query, part):
                    found[row] = _passage(values)
        return found

    def matching(self, conditions: Iterable[Condition]) -> dict[str, NDArray[np.int64]]:
        """The rows of live passages that meet all conditions, ascending, int64, by language."""
        expression, bound = as_sql(conditions, "metadata")
        query = f"SELECT language, row FROM passages WHERE state = 1 AND {expression} ORDER BY row"
        found: dict[str, array[int]] = {}
        with self.reported():
            for language, row in self._connection.execute(query, bound):
                found.setdefault(language, array("q")).append(row)
        return {language: np.array(rows, np.int64) for language, rows in found.items()}

    # What a writer does.

    def known_files(self) -> dict[str, str]:
        """The files that were read into the index: absolute paths by name."""
        with self.reported():
            return known_files(self._connection)

    def forget_staged(self) -> NDArray[np.int64]:
        """Remove what an update that did not end has staged; its vectors stay.

        Returns:
            The rows, int64.
        """
        with self.transaction():
            rows = self._connection.execute("SELECT row FROM passages WHERE state = 0").fetchall()
            self._connection.execute("DELETE FROM passages WHERE state = 0")
            self._connection.execute("DELETE FROM seen")
        return np.array([row for (row,) in rows], np.int64)

    def known_vectors(self, texts: Sequence[bytes]) -> dict[bytes, int]:
        """Look up where the vectors of texts lie, by the texts' digests."""
        found: dict[bytes, int] = {}
        with self.reported():
            for start in range(0, len(texts), _AT_ONCE):
                part = list(texts[start : start + _AT_ONCE])
                query = f"SELECT text, position FROM vectors WHERE text IN ({','.join('?' * len(part))})"
                found.update(self._connection.execute(query, part))
        return found

    def add_vectors(self, positions: Mapping[bytes, int]) -> None:
        """Write down where new vectors lie, by the texts' digests; inside a transaction."""
        self._connection.executemany("INSERT INTO vectors VALUES (?, ?)", positions.items())
        # No place is used twice in a file, as a reader may still look at it.
        self.write_about({"next_position": max(positions.values()) + 1})

    def digests(self, passages: Sequence[Passage]) -> list[bytes | None]:
        """The digest of the live passage of the same id and said language, for each; None where there is none."""
        query = "SELECT digest FROM passages WHERE state = 1 AND id = ? AND said_language = ?"
        with self.reported():
            rows = [
                self._connection.execute(query, (one.id, one.said_language)).fetchone() for one in passages
            ]
        return [row[0] if row else None for row in rows]

    def see(self, passages: Iterable[Passage]) -> Passage | None:
        """Write down that passages came in this update; inside a transaction.

        Returns:
            The first that came before, if one did.
        """
        for one in passages:
            try:
                self._connection.execute("INSERT INTO seen VALUES (?, ?)", (one.id, one.said_language))
            except sqlite3.IntegrityError:
                return one
        return None

    def stage(self, passages: Sequence[Passage], positions: Sequence[int]) -> None:
        """Stage passages whose vectors lie at positions; inside a transaction."""
        self._connection.executemany(
            "INSERT INTO passages (state, id, said_language, language, title, text, metadata, digest, position)"
            " VALUES (0, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    one.id,
                    one.said_language,
                    one.language,
                    one.title,
                    one.text,
                    json.dumps(dict(one.metadata), ensure_ascii=False, sort_keys=True),
                    one.digest(),
                    position,
                )
                for one, position in zip(passages, positions, strict=True)
            ],
        )

    def staged(self) -> Iterator[tuple[int, str, int]]:
        """The row, language and position of each staged passage, in order of rows."""
        with self.reported():
            yield from self._connection.execute(
                "SELECT row, language, position FROM passages WHERE state = 0 ORDER BY row"
            )

    def publish(
        self,
        *,
        prune: bool,
        count_words: Callable[[str, str], Sequence[str]] | None,
        files: Mapping[str, str] | None = None,
        vanished: Sequence[str] = (),
    ) -> Published:
        """Let staged passages take the place of live ones of the same id and said language; inside a transaction.

        Args:
            prune: whether live passages that did not come in this update die as well.
            count_words: gives the words of a text in a language, for BM25; None counts none.
            files: those that were read, absolute paths by name; what is called after them and did not come dies.
            vanished: names of files that are gone; what is called after them dies.
        """
        run = self._connection.execute
        changed = run(
            "UPDATE passages SET state = 2 WHERE state = 1 AND EXISTS (SELECT 1 FROM passages AS new WHERE"
            " new.state = 0 AND new.id = passages.id AND new.said_language = passages.said_language)"
        ).rowcount
        removed = kill_unseen(self._connection, None if prune else [*(files or {}), *vanished])
        write_known_files(self._connection, files or {}, vanished, prune=prune)
        if count_words is not None:
            for row, language, title, text in run(
                "SELECT row, language, title, text FROM passages WHERE state = 0"
            ):
                found = " ".join(count_words(f"{title}\n{text}" if title else text, language))
                run("INSERT INTO words (rowid, stems) VALUES (?, ?)", (row, found))
        added = run("UPDATE passages SET state = 1 WHERE state = 0").rowcount - changed
        self._finish()
        return Published(added, changed, removed)

    def kill(self, ids: Sequence[str]) -> list[str]:
        """Let the live passages of ids die, in all their languages; inside a transaction.

        Returns:
            The ids that no live passage has.
        """
        unknown = []
        for one in ids:
            if not self._connection.execute(
                "UPDATE passages SET state = 2 WHERE state = 1 AND id = ?", (one,)
            ).rowcount:
                unknown.append(one)
        self._finish()
        return unknown

    def _finish(self) -> None:
        self._connection.execute(
            "DELETE FROM words WHERE rowid IN (SELECT row FROM passages WHERE state = 2)"
        )
        self._connection.execute("DELETE FROM seen")
        self.write_about({"generation": self.generation() + 1})

    def dead_rows(self) -> NDArray[np.int64]:
        """The rows of dead passages, int64."""
        with self.reported():
            rows = self._connection.execute("SELECT row FROM passages WHERE state = 2").fetchall()
        return np.array([row for (row,) in rows], np.int64)

    def bury(self) -> None:
        """Remove dead passages; inside a transaction."""
        self._connection.execute("DELETE FROM passages WHERE state = 2")

    def unused_positions(self) -> NDArray[np.int64]:
        """The positions of vectors that no passage has, ascending, int64."""
        query = "SELECT position FROM vectors WHERE position NOT IN (SELECT position FROM passages) ORDER BY position"
        with self.reported():
            return np.array([row for (row,) in self._connection.execute(query)], np.int64)

    def forget_vectors(self, positions: NDArray[np.int64]) -> None:
        """Forget the vectors at positions; inside a transaction."""
        query = "DELETE FROM vectors WHERE position IN (SELECT value FROM json_each(?))"
        self._connection.execute(query, (json.dumps(positions.tolist()),))

    def used_positions(self) -> NDArray[np.int64]:
        """The positions of all vectors that are written down, ascending, int64."""
        with self.reported():
            rows = self._connection.execute("SELECT position FROM vectors ORDER BY position").fetchall()
        return np.array([row for (row,) in rows], np.int64)

    def move_vectors(self, positions: NDArray[np.int64]) -> None:
        """Write down that the vectors at these positions, ascending, lie one after another now; in a transaction."""
        run = self._connection.execute
        run("CREATE TEMP TABLE moved (old INTEGER PRIMARY KEY, new INTEGER NOT NULL)")
        self._connection.executemany(
            "INSERT INTO moved VALUES (?, ?)", [(int(old), new) for new, old in enumerate(positions)]
        )
        for table in ("passages", "vectors"):
            run(f"UPDATE {table} SET position = (SELECT new FROM moved WHERE old = {table}.position)")
        run("DROP TABLE moved")
        self.write_about({"next_position": len(positions), "generation": self.generation() + 1})


_COLUMNS = "row, id, said_language, language, title, text, metadata"


def _passage(values: Sequence[Any]) -> Passage:
    number, said, language, title, text, metadata = values
    return Passage(number, text, language, title, json.loads(metadata), detected=not said)
