"""Recall at a depth."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from isogloss.evaluation.measures.definition import ListMeasure, first_places
from isogloss.evaluation.measures.ranked import checked_depth, checked_sizes, list_sums


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
    checked_depth("recall", k)
    sizes = checked_sizes(ranks, offsets)
    return list_sums((ranks <= k).astype(np.float64), offsets) / sizes


def recall(k: int) -> ListMeasure:
    """The measure Recall@k."""
    return ListMeasure.of(
        partial(recall_at, k=k),
        key=f"recall@{k}",
        label=f"R@{k}",
        description=f"share of the relevant candidates in {first_places(k)}",
        formula=f"(relevant candidates in {first_places(k)}) / (relevant candidates)",
        source="`recall` of trec_eval",
    )
