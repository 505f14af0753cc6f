"""The translation memory: what was translated once, on disk, so that no sentence is translated and paid for twice.

One SQLite file. What is stored is stored in a transaction: a kill loses at most what the engine is at, and several
processes may use one file. Which sentences a run wants stands in a temporary table, which SQLite keeps on disk as it
grows and which ends with the process, so that no number of sentences fills the memory.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from isogloss.errors import OutputError
from isogloss.files import cache_folder
from isogloss.translation.engine import Failure

_SECONDS_FOR_A_LOCK = 60.0
_KEYS_AT_ONCE = 500
_ROWS_AT_ONCE = 10_000

# CROSS JOIN below has SQLite go through the tables in the order written: from the few rows to look for, never through
# all translations.
_TABLES = """
CREATE TABLE IF NOT EXISTS engines (number INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS sentences (number INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS translations (
    engine INTEGER NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL, sentence INTEGER NOT NULL,
    text TEXT, reason TEXT,
    PRIMARY KEY (engine, source, target, sentence)
) WITHOUT ROWID;
"""
_OF_THIS_RUN = """
CREATE TEMP TABLE wanted (
    target TEXT NOT NULL, known INTEGER NOT NULL, length INTEGER NOT NULL, sentence INTEGER NOT NULL,
    PRIMARY KEY (target, known, length, sentence)
) WITHOUT ROWID;
CREATE TEMP TABLE present (item BLOB NOT NULL, language TEXT NOT NULL, PRIMARY KEY (item, language)) WITHOUT ROWID;
"""
# A table that is only looked at: this one stands before it, and takes the sentences that are to be counted.
_APART = "CREATE TEMP TABLE sentences (number INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, text TEXT NOT NULL);"


class Wanted(NamedTuple):
    """Distinct sentences to have in a language, and their characters; `known` ones were translated before."""

    sentences: int
    characters: int
    known: int


class Sentence(NamedTuple):
    """A sentence to translate, by its number in the memory."""

    number: int
    text: str


def memory_path() -> Path:
    """Return where the translation memory lies by default: `translations.sqlite` in the cache folder."""
    return cache_folder() / "translations.sqlite"


class TranslationMemory:
    """The translations of one engine from one language, and the sentences that this run wants of it.

    Args:
        path: the file; made where it is not there.
        identity: what the engine's translations depend on, as `Engine.identity` gives it.
        read_only: leave the file as it is, and make none; for counting what is wanted.

    Raises:
        OutputError: here and in every method, the file cannot be read or written.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any], *, read_only: bool = False) -> None:
        self.path = path
        key = json.dumps(identity, sort_keys=True, ensure_ascii=False)
        with self._reported():
            self._connection = _looking(path) if read_only else _writing(path)
            self._connection.execute("PRAGMA temp_store = FILE")
            self._connection.executescript(_OF_THIS_RUN + (_APART if read_only else ""))
            if not read_only:
                with self._connection:
                    self._connection.execute("INSERT OR IGNORE INTO engines (identity) VALUES (?)", (key,))
            found = self._connection.execute(
                "SELECT number FROM engines WHERE identity = ?", (key,)
            ).fetchone()
            # An engine that the file does not know has translated nothing.
            self._engine = -1 if found is None else found[0]

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def note_present(self, items: Iterable[tuple[str, str]]) -> None:
        """Note that items, by id, exist in a language."""
        with self._reported(), self._connection:
            self._connection.executemany(
                "INSERT OR IGNORE INTO present VALUES (?, ?)",
                ((_digest(item), language) for item, language in items),
            )

    def is_present(self, item: str, language: str) -> bool:
        """Whether `note_present` was told that an item exists in a language."""
        with self._reported():
            found = self._connection.execute(
                "SELECT 1 FROM present WHERE item = ? AND language = ?", (_digest(item), language)
            ).fetchone()
        return found is not None

    def want(self, sentences: Mapping[str, Collection[str]], source: str, *, retry_failed: bool) -> None:
        """Note which sentences are wanted in which languages.

        Args:
            sentences: the languages for each sentence.
            source: the language of the sentences.
            retry_failed: count sentences that failed before as not translated yet.
        """
        failed = "AND reason IS NULL" if retry_failed else ""
        with self._reported(), self._connection:
            self._connection.executemany(
                "INSERT OR IGNORE INTO sentences (digest, text) VALUES (?, ?)",
                ((_digest(sentence), sentence) for sentence in sentences),
            )
            self._connection.executemany(
                f"""INSERT OR IGNORE INTO wanted SELECT :target,
                    EXISTS (SELECT 1 FROM main.sentences AS kept CROSS JOIN translations ON sentence = kept.number
                            WHERE kept.digest = :digest AND engine = :engine AND source = :source
                            AND target = :target {failed}),
                    length(text), number FROM sentences WHERE digest = :digest""",
                (
                    {"target": target, "engine": self._engine, "source": source, "digest": _digest(sentence)}
                    for sentence, targets in sentences.items()
                    for target in targets
                ),
            )

    def count(self, target: str) -> tuple[Wanted, Wanted]:
        """Count the sentences wanted in a language: all of them, and those still to translate."""
        with self._reported():
            rows = self._connection.execute(
                "SELECT known, count(*), sum(length) FROM wanted WHERE target = ? GROUP BY known", (target,)
            ).fetchall()
        known = sum(count for is_known, count, _ in rows if is_known)
        to_do = sum(count for is_known, count, _ in rows if not is_known)
        left = sum(characters for is_known, _, characters in rows if not is_known)
        everything = sum(characters for _, _, characters in rows)
        return Wanted(known + to_do, everything, known), Wanted(to_do, left, 0)

    def batches(self, target: str, sentences: int, characters: int) -> Iterator[list[Sentence]]:
        """Yield the sentences still to translate, the longest first, in batches of like length.

        Args:
            target: the language.
            sentences: in a batch at most.
            characters: in a batch at most, each sentence counting as its longest; a longer one is alone.
        """
        length, number = 2**62, 2**62
        batch: list[Sentence] = []
        while True:
            with self._reported():
                rows = self._connection.execute(
                    """SELECT length, sentence, text FROM wanted CROSS JOIN sentences ON number = sentence
                       WHERE target = ? AND known = 0 AND (length, sentence) < (?, ?)
                       ORDER BY length DESC, sentence DESC LIMIT ?""",
                    (target, length, number, _ROWS_AT_ONCE),
                ).fetchall()
            if not rows:
                break
            length, number, _ = rows[-1]
            for _, sentence, text in rows:
                if batch and (len(batch) == sentences or (len(batch) + 1) * len(batch[0].text) > characters):
                    yield batch
                    batch = []
                batch.append(Sentence(sentence, text))
        if batch:
            yield batch

    def store(
        self, batch: Sequence[Sentence], results: Sequence[str | Failure], source: str, target: str
    ) -> None:
        """Store what came of sentences; what was stored of them before goes."""
        rows = [
            (self._engine, source, target, sentence.number, *_columns(result))
            for sentence, result in zip(batch, results, strict=True)
        ]
        with self._reported(), self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO translations VALUES (?, ?, ?, ?, ?, ?)", rows
            )

    def find(self, sentences: Collection[str], source: str, target: str) -> dict[str, str | Failure]:
        """Look up what came of sentences; those that were never translated are left out."""
        by_digest = {_digest(sentence): sentence for sentence in sentences}
        keys, found = list(by_digest), dict[str, str | Failure]()
        with self._reported():
            for start in range(0, len(keys), _KEYS_AT_ONCE):
                part = keys[start : start + _KEYS_AT_ONCE]
                rows = self._connection.execute(
                    f"""SELECT digest, translations.text, reason
                        FROM sentences CROSS JOIN translations ON sentence = number
                        WHERE digest IN ({",".join("?" * len(part))}) AND engine = ? AND source = ? AND target = ?""",
                    (*part, self._engine, source, target),
                )
                for digest, text, reason in rows:
                    found[by_digest[digest]] = text if reason is None else Failure(reason, text)
        return found

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise OutputError(
                f"{self.path}: the translation memory cannot be read or written: {error}; remove the file to begin"
                " anew, or give another --cache"
            ) from error


def _writing(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=_SECONDS_FOR_A_LOCK)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.executescript(_TABLES)
    return connection


def _looking(path: Path) -> sqlite3.Connection:
    if not path.exists():
        connection = sqlite3.connect(":memory:")
        connection.executescript(_TABLES)
        return connection
    # Beside a file that nobody writes to, SQLite would make two others to read it, unless it is said not to change.
    unchanging = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=ro{unchanging}", uri=True, timeout=_SECONDS_FOR_A_LOCK
    )


def _columns(result: str | Failure) -> tuple[str | None, str | None]:
    return (result.text, result.reason) if isinstance(result, Failure) else (result, None)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
