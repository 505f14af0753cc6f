"""The generations of an index that are searched: one at a time, and the next read beside it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isogloss.errors import DataError
from isogloss.search.backend import Backend, ExactBackend, Selection
from isogloss.search.filters import Condition
from isogloss.search.folder import IndexSettings, language_means, open_milvus, vector_file
from isogloss.search.milvus_generation import MilvusGeneration
from isogloss.search.selections import Selections
from isogloss.search.store import LiveRows, PassageStore
from isogloss.search.vector_file import VectorFile

_TRIES = 5


class Generation:
    """An index as of one generation, which threads may search while another reads a newer one.

    Attributes:
        number: how often the index was brought up to date.
        backend: what searches its vectors.
        counts: live passages by language.
        last: the last live row.
    """

    def __init__(
        self,
        number: int,
        backend: Backend,
        counts: dict[str, int],
        last: int,
        *,
        folder: Path,
        store: PassageStore,
        settings: IndexSettings,
    ) -> None:
        self.number = number
        self.backend = backend
        self.counts = counts
        self.last = last
        self._folder, self._store, self._settings = folder, store, settings
        self._selections = Selections()
        self._means: dict[str, NDArray[np.float32]] | None = None
        self._means_lock = threading.Lock()

    @property
    def is_newest(self) -> bool:
        """Whether the index was not changed since."""
        return self._store.generation() == self.number

    @property
    def stands_alone(self) -> bool:
        """Whether its vectors are its own; those of Milvus change with the index."""
        return isinstance(self.backend, ExactBackend)

    def selection(self, conditions: Sequence[Condition]) -> Selection | None:
        """The rows that meet conditions; None where the index was changed, and they cannot be told any more."""

        def read() -> Selection | None:
            found = Selection.of(self._store.matching(conditions))
            return found if self.is_newest else None

        return self._selections.get(frozenset(conditions), read)

    def language_means(self) -> dict[str, NDArray[np.float32]] | None:
        """The mean vector of each language; None where the index was changed, and they cannot be told any more."""
        with self._means_lock:
            if self._means is None:
                try:
                    file = vector_file(self._folder, self._store, self._settings)
                    languages, means = language_means(self._store, file)
                except DataError:
                    if self.is_newest:
                        raise
                    return None
                if not self.is_newest:
                    return None
                self._means = dict(zip(languages, means, strict=True))
            return self._means


def exact_backend(
    live: Mapping[str, LiveRows], file: VectorFile, before: ExactBackend | None = None
) -> ExactBackend:
    """Read the vectors of live rows into memory, by language; those of a language that is as before are shared."""
    of_language = {}
    for language, (rows, positions) in live.items():
        shared = None if before is None else before.vectors_of(language, rows)
        of_language[language] = (rows, file.read(positions) if shared is None else shared)
    return ExactBackend(of_language)


def read_generation(
    folder: Path,
    store: PassageStore,
    settings: IndexSettings,
    token: str | None = None,
    before: Generation | None = None,
) -> Generation:
    """Read the newest generation of an index.

    Args:
        folder: the index.
        store: its passages.
        settings: what it was made with.
        token: of a Milvus server.
        before: an earlier generation, whose vectors are shared where they are the same.

    Raises:
        DataError: vectors are missing, or the server does not answer.
        ModelError: a package is not installed.
    """
    exact = settings.backend != "milvus"
    for tries_left in reversed(range(_TRIES)):
        with store.reading():
            number, counts, last = store.generation(), store.counts(), store.last_row()
            file = vector_file(folder, store, settings)
            live = store.live_rows(counts) if exact else {}
            dead = np.empty(0, np.int64) if exact else store.dead_rows()
        backend: Backend
        if exact:
            there = before.backend if before is not None else None
            try:
                backend = exact_backend(live, file, there if isinstance(there, ExactBackend) else None)
            except DataError:
                # The file is written anew, and the old one removed, where most of its vectors are in no use.
                if not tries_left or store.generation() == number:
                    raise
                continue
        elif before is not None and isinstance(before.backend, MilvusGeneration):
            backend = MilvusGeneration(before.backend.collection, store, file, counts, last, dead)
        else:
            collection = open_milvus(folder, settings, token)
            backend = MilvusGeneration(collection, store, file, counts, last, dead)
        break
    return Generation(number, backend, counts, last, folder=folder, store=store, settings=settings)


class Generations:
    """The newest generation of an index that was read; several threads may ask.

    Args:
        folder: the index.
        store: its passages; whoever opened it closes it.
        settings: what it was made with.
        token: of a Milvus server.

    Raises:
        DataError: vectors are missing, or the server does not answer.
        ModelError: a package is not installed.
    """

    def __init__(
        self, folder: Path, store: PassageStore, settings: IndexSettings, token: str | None = None
    ) -> None:
        self._folder, self._store, self._settings, self._token = folder, store, settings, token
        self._reading = threading.Lock()
        self._closed = False
        self._read = read_generation(folder, store, settings, token)

    def now(self, *, wait: bool = False) -> Generation:
        """The index as it is now.

        The first thread that asks after an update reads the new generation beside the one before, so that memory holds
        both for so long.

        Args:
            wait: whether to wait for a new generation that another thread is reading; otherwise it is the one before.

        Raises:
            DataError: the index cannot be read, or was closed.
        """
        there = self._read
        if there.is_newest or not self._reading.acquire(blocking=wait):
            return there
        try:
            if self._closed:
                raise DataError(f"{self._folder}: the index was closed")
            if not self._read.is_newest:
                self._read = read_generation(
                    self._folder, self._store, self._settings, self._token, self._read
                )
            return self._read
        finally:
            self._reading.release()

    def close(self) -> None:
        """Let go of files and connections, when what is being read is read."""
        with self._reading:
            if not self._closed:
                self._closed = True
                self._read.backend.close()
