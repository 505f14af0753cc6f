"""Language share: which languages fill the first places."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isogloss.evaluation.measures.definition import Definition

SHARE_DEPTH = 10
"""How many first places are looked at."""


def language_counts(
    top: NDArray[np.integer], candidate_language: NDArray[np.int64], languages: int, k: int
) -> NDArray[np.int64]:
    """Count the languages of the first k places.

    Args:
        top: (queries, depth) candidate positions, best first.
        candidate_language: (candidates,) int64, from 0.
        languages: the number of languages.
        k: places to look at; with fewer in `top`, all of them.

    Returns:
        (queries, languages) int64; a row's sum is the number of places looked at.

    >>> language_counts(np.array([[2, 0, 1]]), np.array([0, 0, 1]), 2, 2)
    array([[1, 1]])
    """
    found = candidate_language[top[:, :k]]
    rows = np.arange(len(found))[:, None] * languages
    return np.bincount((rows + found).ravel(), minlength=len(found) * languages).reshape(-1, languages)


def share_distance(shares: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    """Total variation distance of two distributions over languages: half the sum of absolute differences.

    In [0, 1]: the share of the places that would have to change language.

    >>> share_distance(np.array([1.0, 0.0]), np.array([0.5, 0.5]))
    0.5
    """
    return float(np.abs(shares - reference).sum() / 2)


OWN_SHARE = Definition(
    key=f"own_share@{SHARE_DEPTH}",
    label=f"own share@{SHARE_DEPTH}",
    description=f"share of the first {SHARE_DEPTH} places that the query's language has",
    formula=f"(candidates in the query's language in the first {SHARE_DEPTH} places) / {SHARE_DEPTH}",
    low=0,
    high=1,
    better="neither",
    settings=("multi",),
    source="isogloss",
    even="its share of the relevant",
    second_pass=True,
)

SHARE_DISTANCE = Definition(
    key=f"share_distance@{SHARE_DEPTH}",
    label=f"share distance@{SHARE_DEPTH}",
    description=f"how far the languages of the first {SHARE_DEPTH} places are from those of the relevant candidates",
    formula=(
        "by query language, half the sum over languages of |mean share of the first places - mean share of the "
        "relevant|"
    ),
    low=0,
    high=1,
    better="lower",
    settings=("multi",),
    source="isogloss; total variation distance",
    even="0",
    second_pass=True,
    per_query=False,
)
