"""Success at a depth."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from isogloss.evaluation.measures.definition import ListMeasure, first_places
from isogloss.evaluation.measures.ranked import checked_depth, checked_sizes


def success_at(ranks: NDArray[np.int64], offsets: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Success at k: 1 where a relevant candidate is among the first k, else 0.

    Higher is better. With one relevant candidate it is Recall@k. The same as `success` of trec_eval.

    Args:
        ranks: (n,) int64, ascending within a list.
        offsets: (lists + 1,) int64.
        k: the depth, at least 1.

    Returns:
        (lists,) float64.

    Raises:
        EvaluationError: a list is empty, its ranks do not ascend from 1 on, or k is less than 1.

    >>> success_at(np.array([2, 3]), np.array([0, 2]), 1)
    array([0.])
    """
    checked_depth("success", k)
    checked_sizes(ranks, offsets)
    return (ranks[offsets[:-1]] <= k).astype(np.float64)


def success(k: int) -> ListMeasure:
    """The measure Success@k."""
    return ListMeasure.of(
        partial(success_at, k=k),
        key=f"success@{k}",
        label=f"S@{k}",
        description=f"share of the queries with a relevant candidate in {first_places(k)}",
        formula=f"1 if a relevant candidate is in {first_places(k)}, else 0",
        source="`success` of trec_eval",
    )
