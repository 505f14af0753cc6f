"""Normalised discounted cumulative gain at a depth, of binary relevance."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from isogloss.evaluation.measures.definition import ListMeasure, first_places
from isogloss.evaluation.measures.ranked import checked_depth, checked_sizes, list_sums, places


def ndcg_at(ranks: NDArray[np.int64], offsets: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Discounted gain at k, 1 for a relevant candidate: the sum of 1 / log2(r + 1) over ranks r <= k, over its best.

    In [0, 1], higher is better; 1 when the first k, or all relevant candidates where there are fewer, are
    relevant. Source: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002, with
    the discount of trec_eval's `ndcg_cut`.

    Args:
        ranks: (n,) int64, ascending within a list.
        offsets: (lists + 1,) int64.
        k: the depth, at least 1.

    Returns:
        (lists,) float64.

    Raises:
        EvaluationError: a list is empty, its ranks do not ascend from 1 on, or k is less than 1.

    >>> ndcg_at(np.array([1, 3]), np.array([0, 2]), 10)  # (1 + 1/2) / (1 + 1/log2(3))
    array([0.91972079])
    """
    checked_depth("nDCG", k)
    sizes = checked_sizes(ranks, offsets)
    best = places(sizes, offsets)
    gained = list_sums((ranks <= k) / np.log2(ranks + 1.0), offsets)
    return gained / list_sums((best <= k) / np.log2(best + 1.0), offsets)


def ndcg(k: int) -> ListMeasure:
    """The measure nDCG@k."""
    return ListMeasure.of(
        partial(ndcg_at, k=k),
        key=f"ndcg@{k}",
        label=f"nDCG@{k}",
        description=f"discounted gain of {first_places(k)}, over that of the best order",
        formula=f"sum over relevant ranks r <= {k} of 1 / log2(r + 1), divided by its largest possible value",
        source="Järvelin and Kekäläinen, TOIS 2002; `ndcg_cut` of trec_eval",
    )
