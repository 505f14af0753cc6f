"""How scores are spread: right and wrong answers, in the query's own language and in others.

A model scores fairly where right answers lie above wrong ones whatever the language. Where right answers in other
languages lie among the wrong ones in the query's own, the pool's order cannot be fair.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isogloss.evaluation.pool import Pool

KINDS = (
    "relevant, query's language",
    "relevant, other languages",
    "irrelevant, query's language",
    "irrelevant, other languages",
)
_AT_ONCE = 128


@dataclass(frozen=True)
class ScoreHistogram:
    """Counts of scores by bin.

    Attributes:
        edges: (bins + 1,) float64, ascending; a bin holds its lower edge, the last both of its edges.
        counts: for each of `KINDS` (bins,) int64.
        queries: how many queries the scores are of.
    """

    edges: NDArray[np.float64]
    counts: Mapping[str, NDArray[np.int64]]
    queries: int

    def shares(self, kind: str) -> NDArray[np.float64]:
        """(bins,) float64, the share of a kind's scores in each bin; zeros where there are none."""
        counts = self.counts[kind]
        return counts / max(int(counts.sum()), 1)


def score_histogram(
    pool: Pool,
    query_vectors: NDArray[np.float32],
    candidate_vectors: NDArray[np.float32],
    query_index: NDArray[np.int64],
    candidate_index: NDArray[np.int64],
    *,
    bins: int = 60,
    queries: int = 400,
    seed: int = 0,
) -> ScoreHistogram:
    """Count the scores of all candidates for some queries, drawn at random where there are more.

    Args:
        pool: Q queries, C candidates and n qrels.
        query_vectors: (V, d) float32, finite.
        candidate_vectors: (W, d) float32, finite.
        query_index: (Q,) int64, each query's row of `query_vectors`.
        candidate_index: (C,) int64, likewise.
        bins: how many, of equal width, from the lowest score to the highest.
        queries: how many queries at most.
        seed: of the draw.
    """
    every = len(pool.query_ids)
    chosen = np.arange(every)
    if every > queries:
        chosen = np.sort(np.random.default_rng(seed).choice(every, queries, replace=False))
    low, high = np.inf, -np.inf
    for start in range(0, len(chosen), _AT_ONCE):
        scores = query_vectors[query_index[chosen[start : start + _AT_ONCE]]] @ candidate_vectors.T
        low, high = min(low, float(scores.min())), max(high, float(scores.max()))
    edges = np.linspace(low, high if high > low else low + 1e-6, bins + 1)
    counts = {kind: np.zeros(bins, dtype=np.int64) for kind in KINDS}
    for start in range(0, len(chosen), _AT_ONCE):
        some = chosen[start : start + _AT_ONCE]
        scores = (query_vectors[query_index[some]] @ candidate_vectors.T)[:, candidate_index]
        for query, row in zip(some.tolist(), scores, strict=True):
            own = pool.candidate_language == pool.query_language[query]
            relevant = np.zeros(len(row), dtype=np.bool_)
            relevant[pool.qrels[pool.offsets[query] : pool.offsets[query + 1], 1]] = True
            masks = (relevant & own, relevant & ~own, ~relevant & own, ~relevant & ~own)
            for kind, mask in zip(KINDS, masks, strict=True):
                # Clipped: another shape of product may round the extreme scores otherwise.
                counts[kind] += np.histogram(np.clip(row[mask], edges[0], edges[-1]), edges)[0]
    return ScoreHistogram(edges, counts, len(chosen))
