"""Reciprocal rank; its mean over queries is MRR."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isogloss.evaluation.measures.definition import ListMeasure
from isogloss.evaluation.measures.ranked import checked_sizes


def reciprocal_rank(ranks: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Reciprocal rank: 1 / the rank of the first relevant candidate.

    In (0, 1], higher is better. It does not see what comes after the first relevant candidate, so in `multi` a model
    that finds the answer in one language alone has the best value. Source: Voorhees, "The TREC-8 question
    answering track report", 1999; `recip_rank` of trec_eval.

    Args:
        ranks: (n,) int64, ascending within a list.
        offsets: (lists + 1,) int64.

    Returns:
        (lists,) float64.

    Raises:
        EvaluationError: a list is empty, or its ranks do not ascend from 1 on.

    >>> reciprocal_rank(np.array([2, 3]), np.array([0, 2]))
    array([0.5])
    """
    checked_sizes(ranks, offsets)
    return 1.0 / ranks[offsets[:-1]]


RECIPROCAL_RANK = ListMeasure.of(
    reciprocal_rank,
    key="mrr",
    label="MRR",
    description="mean reciprocal rank: how early the first relevant candidate comes",
    formula="1 / (rank of the first relevant candidate)",
    source="Voorhees, TREC-8, 1999; `recip_rank` of trec_eval",
)
