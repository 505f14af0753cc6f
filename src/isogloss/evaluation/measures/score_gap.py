"""Score gap: how much higher a model scores a right answer for being in the asker's language."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isogloss.evaluation.measures.definition import Definition


def score_gap(
    scores: NDArray[np.float32], own: NDArray[np.bool_], query: NDArray[np.int64], queries: int
) -> NDArray[np.float64]:
    """The mean score of a query's relevant candidates in its own language minus that of those in other languages.

    From -2 to 2 for cosines; 0 is even-handed. It is on the model's own scale: a model whose cosines all lie between
    0.7 and 1 has smaller gaps than one that uses the whole range, so compare a model with itself, before and after.

    Args:
        scores: (n,) float32, of relevant pairs.
        own: (n,) bool, whether the pair's languages are the same.
        query: (n,) int64, the pair's query, from 0.
        queries: the number of queries.

    Returns:
        (queries,) float64; NaN where a query lacks one of the two kinds.

    >>> score_gap(np.array([0.9, 0.5, 0.25]), np.array([True, False, False]), np.array([0, 0, 0]), 1)
    array([0.525])
    """
    means = []
    for kind in (own, ~own):
        count = np.bincount(query[kind], minlength=queries)
        total = np.bincount(query[kind], weights=scores[kind].astype(np.float64), minlength=queries)
        means.append(np.divide(total, count, out=np.full(queries, np.nan), where=count > 0))
    gap: NDArray[np.float64] = means[0] - means[1]
    return gap


SCORE_GAP = Definition(
    key="score_gap",
    label="score gap",
    description="how much higher relevant candidates score for being in the query's language",
    formula="mean score of the relevant candidates in the query's language minus that of those in others",
    low=-2,
    high=2,
    better="neither",
    settings=("multi",),
    source="isogloss",
    even="0",
)
