"""Ranked lists: for each query of a block of items, the nearest candidates of one language or of every language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isogloss.evaluation.top_k import top_k
from isogloss.mining.candidates import Candidates
from isogloss.mining.settings import MiningSettings
from isogloss.mining.vectors import DiskVectors

CANDIDATES_AT_ONCE = 8192
"""How many candidates' vectors are in memory at once."""


@dataclass(frozen=True)
class Listed:
    """What stands at the wanted ranks of the lists of some queries: n places.

    Attributes:
        query: (n,) int64, the query, as its place in the block.
        language: (n,) int64, the column of the language whose candidates are ranked.
        rank: (n,) int64, from 1.
        candidate: (n,) int64.
        score: (n,) float32.
    """

    query: NDArray[np.int64]
    language: NDArray[np.int64]
    rank: NDArray[np.int64]
    candidate: NDArray[np.int64]
    score: NDArray[np.float32]

    def part(self, mask: NDArray[np.bool_]) -> Listed:
        """Those places that a mask keeps."""
        return Listed(
            self.query[mask], self.language[mask], self.rank[mask], self.candidate[mask], self.score[mask]
        )


def search(
    queries: NDArray[np.float32],
    languages: NDArray[np.int64],
    candidates: Candidates,
    vectors: DiskVectors,
    settings: MiningSettings,
    candidates_at_once: int = CANDIDATES_AT_ONCE,
) -> Listed:
    """Rank the candidates of each language exactly, right answers included; higher score first, then smaller number.

    Args:
        queries: (Q, d) vectors.
        languages: (Q,) their languages, as columns.
        candidates: what is ranked.
        vectors: of the candidates' texts.
        settings: the ranks, and whether a query meets every language or its own.
        candidates_at_once: changes no list.

    Raises:
        EvaluationError: vectors cannot be ranked.
    """
    found: list[Listed] = []
    for column in range(len(candidates.starts) - 1):
        asking = np.arange(len(queries)) if settings.search == "all" else np.flatnonzero(languages == column)
        if not len(asking):
            continue
        blocks = _blocks(candidates, column, vectors, candidates_at_once)
        lists = top_k([str(one) for one in asking.tolist()], queries[asking], blocks, settings.rank_to)
        kept = [ranked.ids[settings.rank_from - 1 :] for ranked in lists]
        counts = np.array([len(ids) for ids in kept], np.int64)
        starts = np.cumsum(counts) - counts
        found.append(
            Listed(
                query=np.repeat(asking, counts),
                language=np.full(counts.sum(), column),
                rank=np.arange(counts.sum()) - np.repeat(starts, counts) + settings.rank_from,
                candidate=np.array([one for ids in kept for one in ids], dtype="U12").astype(np.int64),
                score=np.concatenate([ranked.scores[settings.rank_from - 1 :] for ranked in lists]),
            )
        )
    return Listed(
        *(
            np.concatenate([getattr(one, name) for one in found])
            for name in ("query", "language", "rank", "candidate", "score")
        )
    )


def _blocks(
    candidates: Candidates, column: int, vectors: DiskVectors, at_once: int
) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
    stop = int(candidates.starts[column + 1])
    for start in range(int(candidates.starts[column]), stop, at_once):
        numbers = np.arange(start, min(start + at_once, stop))
        # Of one length, so that they stand in the order of the numbers.
        yield [f"{number:012d}" for number in numbers.tolist()], vectors.take(candidates.text[numbers])
