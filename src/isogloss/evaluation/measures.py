"""Measures of one ranked list, from the ranks of its relevant candidates.

Many lists are measured at once. `ranks` holds the ranks of the relevant candidates of all lists, one list
after the other, ascending within a list and counted from 1; list i is `ranks[offsets[i]:offsets[i + 1]]` and
is not empty: a query without a relevant candidate has no value. All values lie in [0, 1], and higher is
better.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isogloss.errors import EvaluationError


def average_precision(ranks: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Average precision: the mean of i / r_i, where r_i is the rank of the i-th relevant candidate.

    In (0, 1], higher is better; 1 when all relevant candidates come first. Its mean over queries is mAP.
    Source: Buckley and Voorhees, "Evaluating evaluation measure stability", SIGIR 2000; the same as `map` of
    trec_eval on a full ranking.

    Args:
        ranks: (n,) int64, ascending within a list.
        offsets: (lists + 1,) int64.

    Returns:
        (lists,) float64.

    Raises:
        EvaluationError: a list is empty, or its ranks do not ascend from 1 on.

    >>> average_precision(np.array([1, 4]), np.array([0, 2]))  # (1/1 + 2/4) / 2
    array([0.75])
    """
    sizes = _checked_sizes(ranks, offsets)
    place = np.arange(1, len(ranks) + 1) - np.repeat(offsets[:-1], sizes)
    return _sums(place / ranks, offsets) / sizes


def recall_at(ranks: NDArray[np.int64], offsets: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Recall at k: the share of a list's relevant candidates whose rank is at most k.

    In [0, 1], higher is better; with more than k relevant candidates it cannot reach 1. The same as
    `recall_k` of trec_eval and `R@k` of ir-measures.

    Args:
        ranks: (n,) int64, ascending within a list.
        offsets: (lists + 1,) int64.
        k: the depth, at least 1.

    Returns:
        (lists,) float64.

    Raises:
        EvaluationError: a list is empty, its ranks do not ascend from 1 on, or k is less than 1.

    >>> recall_at(np.array([1, 4]), np.array([0, 2]), 3)  # one of two
    array([0.5])
    """
    if k < 1:
        raise EvaluationError(f"recall at {k}: the depth must be at least 1")
    sizes = _checked_sizes(ranks, offsets)
    return _sums((ranks <= k).astype(np.float64), offsets) / sizes


def _sums(values: NDArray[np.float64], offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    if len(offsets) == 1:
        return np.zeros(0)
    return np.add.reduceat(values, offsets[:-1])


def _checked_sizes(ranks: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
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
