"""What finds the nearest vectors: a protocol, and exact search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from isogloss.errors import ModelError

Ranked = list[tuple[int, float]]
"""Rows and scores, the best first; equal scores in ascending order of rows."""


class Backend(Protocol):
    """Vectors of passages by row, each in a language, searched by dot product."""

    def search(
        self,
        queries: NDArray[np.float32],
        count: int,
        languages: Sequence[str],
        allowed: NDArray[np.int64] | None = None,
    ) -> list[dict[str, Ranked]]:
        """Find the passages nearest to each query, in each of some languages.

        Args:
            queries: float32, shape (queries, dimension), unit length.
            count: passages a query and language, at most.
            languages: which; one that has no passage is left out.
            allowed: rows to choose from, ascending, int64; None for all.

        Returns:
            For each query, the ranked passages by language.
        """
        ...

    def search_all(
        self, queries: NDArray[np.float32], count: int, allowed: NDArray[np.int64] | None = None
    ) -> list[Ranked]:
        """Find the passages nearest to each query, whatever their language; arguments as for `search`."""
        ...

    def describe(self) -> dict[str, Any]:
        """Say what it is: `backend`, and its parameters."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


class WritableBackend(Backend, Protocol):
    """A back end that keeps vectors of its own, and is told of changes."""

    def add(self, rows: NDArray[np.int64], languages: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Add vectors, float32, shape (rows, dimension); a row that is there is replaced."""
        ...

    def remove(self, rows: NDArray[np.int64]) -> None:
        """Remove rows; one that is not there is no error."""
        ...

    def rows(self) -> NDArray[np.int64]:
        """All rows that are there, ascending, int64."""
        ...

    def count(self) -> int:
        """How many rows are there."""
        ...

    def settle(self) -> None:
        """Return when everything added can be found, and survives a crash."""
        ...


class ExactBackend:
    """Exact search: a flat FAISS index a language, in memory.

    Args:
        of_language: rows, ascending, int64, shape (passages,), and vectors, float32, shape (passages, dimension).

    Raises:
        ModelError: FAISS is not installed.
    """

    def __init__(self, of_language: Mapping[str, tuple[NDArray[np.int64], NDArray[np.float32]]]) -> None:
        try:
            faiss: Any = import_module("faiss")
        except ImportError as error:
            raise ModelError("search needs FAISS: pip install 'isogloss[search]'") from error
        self._faiss = faiss
        self._of_language = {}
        for language, (rows, vectors) in sorted(of_language.items()):
            index = faiss.IndexFlatIP(vectors.shape[1])
            index.add(vectors)
            self._of_language[language] = (rows, index)

    def search(
        self,
        queries: NDArray[np.float32],
        count: int,
        languages: Sequence[str],
        allowed: NDArray[np.int64] | None = None,
    ) -> list[dict[str, Ranked]]:
        """As `Backend.search`."""
        found: list[dict[str, Ranked]] = [{} for _ in queries]
        for language in languages:
            if language not in self._of_language:
                continue
            for into, ranked in zip(found, self._nearest(language, queries, count, allowed), strict=True):
                if ranked:
                    into[language] = ranked
        return found

    def search_all(
        self, queries: NDArray[np.float32], count: int, allowed: NDArray[np.int64] | None = None
    ) -> list[Ranked]:
        """As `Backend.search_all`."""
        found = self.search(queries, count, list(self._of_language), allowed)
        return [best(one.values(), count) for one in found]

    def describe(self) -> dict[str, Any]:
        """Say what it is."""
        return {"backend": "exact", "index": "FAISS IndexFlatIP, one a language"}

    def close(self) -> None:
        """Nothing is open."""

    def _nearest(
        self, language: str, queries: NDArray[np.float32], count: int, allowed: NDArray[np.int64] | None
    ) -> Iterable[Ranked]:
        rows, index = self._of_language[language]
        parameters = None
        if allowed is not None:
            places = np.flatnonzero(np.isin(rows, allowed, assume_unique=True))
            if not len(places):
                return [[] for _ in queries]
            parameters = self._faiss.SearchParameters(sel=self._faiss.IDSelectorBatch(places))
        scores, places = index.search(queries, min(count, len(rows)), params=parameters)
        return [
            best_first(
                (int(rows[place]), float(score)) for place, score in zip(at, of, strict=True) if place >= 0
            )
            for at, of in zip(places, scores, strict=True)
        ]


def best(lists: Iterable[Ranked], count: int) -> Ranked:
    """Join ranked lists and keep the best."""
    return best_first(pair for ranked in lists for pair in ranked)[:count]


def best_first(pairs: Iterable[tuple[int, float]]) -> Ranked:
    """Put rows and scores in order: higher scores first, then lower rows."""
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))
