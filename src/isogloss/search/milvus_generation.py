"""A Milvus collection as of one generation of its index.

A collection holds more than is live: rows that an update is just putting in, and rows that the last one replaced and
is about to take out. They are left out here, and what they push out of the nearest is looked for deeper. Where Milvus
cannot say enough, in its first `MOST_FOUND` rows, the vectors on disk are compared, so every filter is met.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogloss.search.backend import ExactBackend, Ranked, Selection, best, by_language
from isogloss.search.milvus import MOST_FOUND, MilvusCollection
from isogloss.search.store import PassageStore
from isogloss.search.vector_file import VectorFile

_COMPARED = 10_000
"""Rows whose vectors on disk are compared at once, without asking Milvus: sooner done than naming them to it."""
_AT_ONCE = 65_536


class MilvusGeneration:
    """Search of a collection as of one generation.

    Args:
        collection: the collection; closed with this.
        store: the passages; as long as the generation is the same, its answers are.
        file: the vectors of that generation.
        counts: live passages by language.
        last: the last live row.
        dead: rows that are no longer live and may still be in the collection, int64.
    """

    def __init__(
        self,
        collection: MilvusCollection,
        store: PassageStore,
        file: VectorFile,
        counts: Mapping[str, int],
        last: int,
        dead: NDArray[np.int64],
    ) -> None:
        self.collection = collection
        self._store = store
        self._file = file
        self._counts = counts
        self._last = last
        self._dead = Selection.of({"": dead})

    def search(
        self,
        queries: NDArray[np.float32],
        count: int,
        languages: Sequence[str],
        allowed: Selection | None = None,
    ) -> list[dict[str, Ranked]]:
        """As `Backend.search`.

        Raises:
            DataError: the server does not answer.
        """
        return by_language(
            len(queries), languages, lambda language: self._nearest(queries, count, language, allowed)
        )

    def search_all(
        self, queries: NDArray[np.float32], count: int, allowed: Selection | None = None
    ) -> list[Ranked]:
        """As `Backend.search_all`.

        Raises:
            DataError: the server does not answer.
        """
        return self._nearest(queries, count, None, allowed)

    def describe(self) -> dict[str, Any]:
        """Say what it is."""
        return self.collection.describe()

    def close(self) -> None:
        """Close the collection."""
        self.collection.close()

    def _nearest(
        self, queries: NDArray[np.float32], count: int, language: str | None, allowed: Selection | None
    ) -> list[Ranked]:
        counts = self._counts if allowed is None else allowed.counts
        wanted = min(count, sum(counts.values()) if language is None else counts.get(language, 0))
        if not wanted:
            return [[] for _ in queries]
        if allowed is not None and len(allowed) <= _COMPARED:
            return self._compared(queries, wanted, language, allowed)
        # Among all rows those that a filter allows lie deeper; without one, the first are nearly always the ones.
        depth, last = (count if allowed is None else 4 * count), None
        while True:
            depth = min(depth, MOST_FOUND)
            found = self.collection.nearest(queries, depth, language, last)
            kept = [self._kept(ranked, allowed)[:count] for ranked in found]
            short = [at for at, ranked in enumerate(kept) if len(ranked) < wanted]
            if not short:
                return kept
            if depth == MOST_FOUND or all(len(found[at]) < depth for at in short):
                break
            depth, last = 4 * depth, self._last
        for at, ranked in zip(short, self._compared(queries[short], wanted, language, allowed), strict=True):
            kept[at] = ranked
        return kept

    def _kept(self, ranked: Ranked, allowed: Selection | None) -> Ranked:
        rows = np.array([row for row, _ in ranked], np.int64)
        keep = (rows <= self._last) & ~self._dead.has(rows)
        if allowed is not None:
            keep &= allowed.has(rows)
        return [pair for pair, kept in zip(ranked, keep, strict=True) if kept]

    def _compared(
        self, queries: NDArray[np.float32], count: int, language: str | None, allowed: Selection | None
    ) -> list[Ranked]:
        """Find the nearest exactly, by the vectors on disk, a batch of rows in memory at a time."""
        languages = None if language is None else [language]
        if allowed is not None and len(allowed) <= _COMPARED:
            live = self._store.live_among(allowed.rows())
        else:
            live = self._store.live_rows(languages)
        found: list[Ranked] = [[] for _ in queries]
        for name, (rows, positions) in live.items():
            if language not in (None, name):
                continue
            if allowed is not None:
                keep = allowed.has(rows)
                rows, positions = rows[keep], positions[keep]
            for start in range(0, len(rows), _AT_ONCE):
                part = slice(start, start + _AT_ONCE)
                exact = ExactBackend({name: (rows[part], self._file.read(positions[part]))})
                parts = exact.search_all(queries, count)
                found = [best(pair, count) for pair in zip(found, parts, strict=True)]
        return found
