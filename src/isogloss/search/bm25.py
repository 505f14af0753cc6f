"""Rank the live passages of an index by BM25 (k1 = 1.2, b = 0.75, of SQLite's FTS5), in one pass over its words.

A passage has words in the store from when it becomes live until it dies, so all that is found is live.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappush, heapreplace
from typing import Any

from isogloss.search.backend import Ranked, Selection
from isogloss.search.store import PassageStore


def best_by_words(
    store: PassageStore, words: Sequence[str], count: int, allowed: Selection | None = None
) -> Ranked:
    """Rank passages that have any of some words.

    Args:
        store: the passages.
        words: as `question_words` gives them.
        count: how many at most.
        allowed: rows to choose from; None for all.

    Returns:
        Rows and scores, the best first.
    """
    if not words or count < 1:
        return []
    condition, bound = _allowed(allowed)
    query = (
        f"SELECT rowid, -bm25(words) AS score FROM words WHERE words MATCH ?{condition}"
        " ORDER BY score DESC, rowid LIMIT ?"
    )
    return list(store.read(query, [_any_of(words), *bound, count]))


def best_by_words_of(
    store: PassageStore,
    languages: Iterable[str],
    words: Sequence[str],
    count: int,
    allowed: Selection | None = None,
) -> dict[str, Ranked]:
    """Rank the passages of each of some languages; arguments as for `best_by_words`.

    Returns:
        Rows and scores by language, the best first, for each language that has any.
    """
    chosen = list(languages)
    if not words or count < 1:
        return {}
    condition, bound = _allowed(allowed)
    # To find the best here takes less than half the time of SQLite's window functions, which sort all that match.
    query = (
        "SELECT language, -bm25(words), -words.rowid FROM words CROSS JOIN passages ON passages.row = words.rowid"
        f" WHERE words MATCH ?{condition} AND language IN ({','.join('?' * len(chosen))})"
    )
    found: dict[str, list[tuple[float, int]]] = {}
    for language, score, place in store.read(query, [_any_of(words), *bound, *chosen]):
        heap, one = found.setdefault(language, []), (score, place)
        if len(heap) < count:
            heappush(heap, one)
        elif one > heap[0]:
            heapreplace(heap, one)
    return {
        language: [(-row, score) for score, row in sorted(heap, reverse=True)]
        for language, heap in found.items()
    }


def _any_of(words: Sequence[str]) -> str:
    return " OR ".join('"' + word.replace('"', '""') + '"' for word in words)


def _allowed(allowed: Selection | None) -> tuple[str, list[Any]]:
    """Turn a selection into a condition: a byte a row costs less than to look at the passages' metadata again."""
    if allowed is None:
        return "", []
    marks = allowed.marks().tobytes()
    return " AND words.rowid >= ? AND substr(?, words.rowid - ? + 1, 1) = x'01'", [
        allowed.first,
        marks,
        allowed.first,
    ]
