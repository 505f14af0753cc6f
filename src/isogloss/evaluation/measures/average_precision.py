"""Average precision; its mean over queries is mAP."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isogloss.evaluation.measures.definition import ListMeasure
from isogloss.evaluation.measures.ranked import checked_sizes, list_sums, places


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
    sizes = checked_sizes(ranks, offsets)
    return list_sums(places(sizes, offsets) / ranks, offsets) / sizes


AVERAGE_PRECISION = ListMeasure.of(
    average_precision,
    key="map",
    label="mAP",
    description="mean average precision: how early the relevant candidates come, all of them counted",
    formula="mean over the relevant candidates, best first, of i / (rank of the i-th)",
    source="Buckley and Voorhees, SIGIR 2000; `map` of trec_eval",
)
