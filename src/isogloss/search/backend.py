"""What finds the nearest vectors: a protocol, and exact search."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from isogloss.errors import ModelError

Ranked = list[tuple[int, float]]
"""Rows and scores, the best first; equal scores in ascending order of rows."""


@dataclass(frozen=True, eq=False)
class Selection:
    """Rows to choose from, as a bitmap: a bit for each row from the first to the last of them.

    Attributes:
        first: the row of the first bit, a multiple of 8.
        bits: uint8, eight rows a byte, the lowest bit first.
        counts: how many rows by language.
    """

    first: int
    bits: NDArray[np.uint8]
    counts: Mapping[str, int]

    @classmethod
    def of(cls, rows: Mapping[str, NDArray[np.int64]]) -> Selection:
        """Select rows, int64, by language."""
        every = [some for some in rows.values() if len(some)]
        counts = {language: len(some) for language, some in rows.items() if len(some)}
        if not every:
            return cls(0, np.empty(0, np.uint8), counts)
        first = int(min(some.min() for some in every)) & ~7
        marks = np.zeros(int(max(some.max() for some in every)) - first + 1, np.uint8)
        for some in every:
            marks[some - first] = 1
        return cls(first, np.packbits(marks, bitorder="little"), counts)

    def __len__(self) -> int:
        return sum(self.counts.values())

    def marks(self) -> NDArray[np.uint8]:
        """A 1 for each row that is selected and a 0 for each that is not, from `first` on, uint8."""
        return np.unpackbits(self.bits, bitorder="little")

    def rows(self) -> NDArray[np.int64]:
        """The rows, ascending, int64."""
        return np.flatnonzero(self.marks()) + self.first

    def has(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell of each row whether it is selected."""
        marks, places = self.marks(), rows - self.first
        inside = (places >= 0) & (places < len(marks))
        if inside.all():
            return marks[places].view(np.bool_)
        found = np.zeros(len(rows), np.bool_)
        found[inside] = marks[places[inside]]
        return found


class Backend(Protocol):
    """Vectors of passages by row, each in a language, searched by dot product."""

    def search(
        self,
        queries: NDArray[np.float32],
        count: int,
        languages: Sequence[str],
        allowed: Selection | None = None,
    ) -> list[dict[str, Ranked]]:
        """Find the passages nearest to each query, in each of some languages.

        Args:
            queries: float32, shape (queries, dimension), unit length.
            count: passages a query and language, at most.
            languages: which; one that has no passage is left out.
            allowed: rows to choose from; None for all.

        Returns:
            For each query, the ranked passages by language.
        """
        ...

    def search_all(
        self, queries: NDArray[np.float32], count: int, allowed: Selection | None = None
    ) -> list[Ranked]:
        """Find the passages nearest to each query, whatever their language; arguments as for `search`."""
        ...

    def describe(self) -> dict[str, Any]:
        """Say what it is: `backend`, and its parameters."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


class WritableBackend(Protocol):
    """Where a back end keeps vectors of its own, and is told of changes."""

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

    def close(self) -> None:
        """Let go of files and connections."""
        ...


def by_language(
    queries: int, languages: Iterable[str], nearest: Callable[[str], Iterable[Ranked]]
) -> list[dict[str, Ranked]]:
    """Arrange by query what `nearest` finds for all of them in each language; languages without any are left out."""
    found: list[dict[str, Ranked]] = [{} for _ in range(queries)]
    for language in languages:
        for into, ranked in zip(found, nearest(language), strict=True):
            if ranked:
                into[language] = ranked
    return found


class ExactBackend:
    """Exact search by FAISS, in memory: every vector of a language is compared.

    It keeps the arrays that it is given and makes no copies, so it takes 4 bytes a number of a vector, and 8 a row.

    Args:
        of_language: rows, ascending, int64, shape (passages,), and vectors, float32, contiguous, shape (passages,
            dimension).

    Raises:
        ModelError: FAISS is not installed.
    """

    def __init__(self, of_language: Mapping[str, tuple[NDArray[np.int64], NDArray[np.float32]]]) -> None:
        try:
            self._faiss: Any = import_module("faiss")
        except ImportError as error:
            raise ModelError("search needs FAISS: pip install 'isogloss[search]'") from error
        self._of_language = {
            language: (rows, np.ascontiguousarray(vectors, dtype=np.float32))
            for language, (rows, vectors) in sorted(of_language.items())
        }

    def vectors_of(self, language: str, rows: NDArray[np.int64]) -> NDArray[np.float32] | None:
        """The vectors of a language where its rows are exactly these, for another to share; None where they are not."""
        there = self._of_language.get(language)
        return there[1] if there is not None and np.array_equal(there[0], rows) else None

    def search(
        self,
        queries: NDArray[np.float32],
        count: int,
        languages: Sequence[str],
        allowed: Selection | None = None,
    ) -> list[dict[str, Ranked]]:
        """As `Backend.search`."""
        there = [language for language in languages if language in self._of_language]
        return by_language(
            len(queries), there, lambda language: self._nearest(language, queries, count, allowed)
        )

    def search_all(
        self, queries: NDArray[np.float32], count: int, allowed: Selection | None = None
    ) -> list[Ranked]:
        """As `Backend.search_all`."""
        found = self.search(queries, count, list(self._of_language), allowed)
        return [best(one.values(), count) for one in found]

    def describe(self) -> dict[str, Any]:
        """Say what it is."""
        return {"backend": "exact", "index": "FAISS, every inner product, by language"}

    def close(self) -> None:
        """Nothing is open."""

    def _nearest(
        self, language: str, queries: NDArray[np.float32], count: int, allowed: Selection | None
    ) -> Iterable[Ranked]:
        rows, vectors = self._of_language[language]
        selector = None
        if allowed is not None:
            marks = allowed.has(rows)
            if not marks.any():
                return [[] for _ in queries]
            selector = self._faiss.IDSelectorBitmap(np.packbits(marks, bitorder="little"))
        count = min(count, len(rows))
        asked = np.ascontiguousarray(queries, dtype=np.float32)
        scores = np.empty((len(asked), count), np.float32)
        places = np.empty((len(asked), count), np.int64)
        pointer = self._faiss.swig_ptr
        # An index of FAISS's own would hold a copy of the vectors, and two while it grows.
        self._faiss.knn_inner_product(
            pointer(asked),
            pointer(vectors),
            vectors.shape[1],
            len(asked),
            len(rows),
            count,
            pointer(scores),
            pointer(places),
            selector,
        )
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
