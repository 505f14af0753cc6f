"""A block of items whose negatives are mined together: its versions, their vectors and what their passages score."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from isogloss.mining.candidates import Candidates, Versions
from isogloss.mining.settings import MiningSettings
from isogloss.mining.vectors import DiskVectors, pair_scores


@dataclass(frozen=True)
class Block:
    """Consecutive versions, all of some items.

    Attributes:
        item: (n,) int64, the item of each version.
        language: (n,) int64, its language as a column.
        queries: (n, d) float32, its query's vector.
        candidates: what negatives are looked for among.
        passages: vectors of the candidates' texts.
        settings: the rules.
    """

    item: NDArray[np.int64]
    language: NDArray[np.int64]
    queries: NDArray[np.float32]
    candidates: Candidates
    passages: DiskVectors
    settings: MiningSettings

    @classmethod
    def of(
        cls,
        some: slice,
        versions: Versions,
        candidates: Candidates,
        queries: DiskVectors,
        passages: DiskVectors,
        settings: MiningSettings,
    ) -> Block:
        """The block of a slice of the versions."""
        vectors = queries.take(versions.query[some])
        return cls(versions.item[some], versions.language[some], vectors, candidates, passages, settings)

    def __len__(self) -> int:
        """The number of versions."""
        return len(self.item)

    @cached_property
    def positives(self) -> NDArray[np.float64]:
        """What each version's query and its item's passage in each language score: (n, L).

        Where the item lacks a language, the lowest score of those that it has stands in, the most careful guess at what
        its passage would score. Queries that meet their own language alone are not scored against others.
        """
        own = self.candidates.of_item[self.item]
        wanted = own >= 0
        if self.settings.search != "all":
            wanted &= np.arange(own.shape[1]) == self.language[:, None]
        rows, columns = np.nonzero(wanted)
        scores = np.full(own.shape, np.inf)
        scores[rows, columns] = self.scores(rows, own[rows, columns])
        return np.where(wanted, scores, scores.min(axis=1, keepdims=True))

    @cached_property
    def own_positive(self) -> NDArray[np.float64]:
        """What each version's query and passage score: (n,)."""
        return np.asarray(self.positives[np.arange(len(self)), self.language])

    def scores(self, rows: NDArray[np.int64], candidates: NDArray[np.int64]) -> NDArray[np.float64]:
        """What some versions' queries and candidates score, pair by pair: (n,) float64."""
        return pair_scores(self.queries, rows, self.passages, self.candidates.text[candidates])
