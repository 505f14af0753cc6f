"""Vectors that an endpoint gave once, on disk, so that none is asked and paid for twice.

An SQLite file a server and model. What is stored is stored in a transaction: a kill loses at most the answer at hand,
and several processes may use one file.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isogloss.errors import OutputError
from isogloss.files import cache_folder

_SECONDS_FOR_A_LOCK = 60.0
_KEYS_AT_ONCE = 500

_TABLES = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS vectors (text BLOB PRIMARY KEY, vector BLOB NOT NULL);
"""


def cache_path(model: str, url: str) -> Path:
    """Return where the vectors of a server's model lie: `endpoints/MODEL-DIGEST.sqlite` in the cache folder."""
    digest = hashlib.sha256(f"{url}\n{model}".encode()).hexdigest()[:16]
    legible = re.sub(r"[^A-Za-z0-9._-]+", "-", model).strip("-.")[:60]
    return cache_folder() / "endpoints" / f"{legible}-{digest}.sqlite"


class VectorCache:
    """The vectors of texts, by a digest of the text as it is sent, prompt included.

    Args:
        path: the file; made where it is not there.

    Raises:
        OutputError: here and in every method, the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._reported():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=_SECONDS_FOR_A_LOCK, check_same_thread=False)
            with self._connection:
                self._connection.executescript(_TABLES)

    def find(self, texts: Sequence[str]) -> dict[int, NDArray[np.float32]]:
        """Look texts up.

        Returns:
            The vectors of those that are there, float32, shape (d,), by the text's position.
        """
        positions: dict[bytes, list[int]] = {}
        for position, text in enumerate(texts):
            positions.setdefault(_digest(text), []).append(position)
        keys, found = list(positions), {}
        with self._reported():
            for start in range(0, len(keys), _KEYS_AT_ONCE):
                part = keys[start : start + _KEYS_AT_ONCE]
                rows = self._connection.execute(
                    f"SELECT text, vector FROM vectors WHERE text IN ({','.join('?' * len(part))})", part
                )
                for key, vector in rows:
                    for position in positions[key]:
                        found[position] = np.frombuffer(vector, dtype="<f4").astype(np.float32)
        return found

    def add(self, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Store the vectors of texts, shape (texts, d); a text that is there already keeps its vector."""
        rows = [
            (_digest(text), vector.astype("<f4").tobytes())
            for text, vector in zip(texts, vectors, strict=True)
        ]
        with self._reported(), self._connection:
            self._connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows)
            # To see later whether the same model still answers.
            self._connection.execute(
                "INSERT OR IGNORE INTO about VALUES ('probe', ?)", (min(texts, key=len).encode(),)
            )

    def probe(self) -> tuple[str, NDArray[np.float32]] | None:
        """Return a text and its vector, to tell whether the same model still answers; None in an empty cache."""
        with self._reported():
            row = self._connection.execute("SELECT value FROM about WHERE name = 'probe'").fetchone()
        if row is None:
            return None
        text = row[0].decode()
        vector = self.find([text]).get(0)
        return None if vector is None else (text, vector)

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise OutputError(
                f"{self.path}: the cache of vectors cannot be read or written: {error}; remove the file to begin"
                " anew, or set ISOGLOSS_CACHE to another folder"
            ) from error


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
