"""What is told of a passage that was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from isogloss.search.backend import Ranked
from isogloss.search.passage import Passage


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found.

    Attributes:
        rank: 1 for the best.
        score: what it was ranked by: similarity; centred, if that was asked; or similarity and words fused.
        id: the passage's.
        language: its language.
        title: its title, if it has one.
        text: its text.
        metadata: what else is known of it.
        similarity: dot product of its vector and the question's; None where only its words were found.
        words: its BM25 score; None where its words were not asked for or not found.
    """

    rank: int
    score: float
    id: str
    language: str
    title: str | None
    text: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    similarity: float | None = None
    words: float | None = None

    def as_record(self) -> dict[str, Any]:
        """The hit in JSON's types."""
        record = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**record, "metadata": dict(self.metadata)}


def hits_of(
    order: Ranked,
    found: Mapping[int, Passage],
    similarity: Mapping[int, float],
    worded: Mapping[str, Ranked] | None,
) -> list[Hit]:
    """Put together what is told of the passages that were found.

    Args:
        order: rows and scores, the best first.
        found: the passages by row.
        similarity: of the question and the passages that were found so, by row.
        worded: rows and BM25 scores, by language; None where words were not asked for.
    """
    words = {row: score for ranked in (worded or {}).values() for row, score in ranked}
    return [
        Hit(
            rank,
            score,
            found[row].id,
            str(found[row].language),
            found[row].title,
            found[row].text,
            found[row].metadata,
            similarity.get(row),
            words.get(row),
        )
        for rank, (row, score) in enumerate(order, start=1)
    ]
