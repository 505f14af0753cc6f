"""Ranked lists as arrays: the form in which measures take the ranks of relevant candidates.

Many lists are measured at once. `ranks` holds the ranks of the relevant candidates of all lists, one list
after the other, ascending within a list and counted from 1; list i is `ranks[offsets[i]:offsets[i + 1]]` and
is not empty: a query without a relevant candidate has no value.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isogloss.errors import EvaluationError


def list_sums(values: NDArray[np.float64], offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """The sum of each list's values, (lists,) float64; no list is empty."""
    if len(offsets) == 1:
        return np.zeros(0)
    return np.add.reduceat(values, offsets[:-1])


def places(sizes: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each rank its place among the ranks of its list, from 1: (n,) int64."""
    return np.arange(1, offsets[-1] + 1) - np.repeat(offsets[:-1], sizes)


def checked_depth(name: str, k: int) -> int:
    """Return k.

    Raises:
        EvaluationError: k is less than 1.
    """
    if k < 1:
        raise EvaluationError(f"{name} at {k}: the depth must be at least 1")
    return k


def checked_sizes(ranks: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Check lists and return how many ranks each has, (lists,) int64.

    Raises:
        EvaluationError: a list is empty, or its ranks do not ascend from 1 on.
    """
    sizes: NDArray[np.int64] = np.diff(offsets)
    if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != len(ranks):
        raise EvaluationError(f"the offsets of the ranked lists do not cover their {len(ranks)} ranks")
    if (sizes < 1).any():
        first = int(np.flatnonzero(sizes < 1)[0])
        raise EvaluationError(f"ranked list {first} has no relevant candidate; leave such lists out")
    ascends = np.diff(ranks, prepend=0) > 0
    ascends[offsets[:-1]] = ranks[offsets[:-1]] > 0
    if not ascends.all():
        first = int(np.flatnonzero(~ascends)[0])
        raise EvaluationError(f"rank {ranks[first]} at {first} is less than 1 or does not ascend in its list")
    return sizes
