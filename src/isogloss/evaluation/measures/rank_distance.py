"""Rank distance: how far apart a model ranks answers that say the same in different languages."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isogloss.evaluation.measures.definition import Definition
from isogloss.evaluation.measures.ranked import checked_sizes


def rank_distance(ranks: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rank distance: the highest minus the lowest rank of a list's relevant candidates.

    From (number of relevant candidates - 1) to (number of candidates - 1), lower is better; 0 with one relevant
    candidate, which says nothing. It grows with the pool, so figures compare between models on one benchmark, not
    between benchmarks. Source: Elmahdy, Lin and Ahmad, arXiv 2408.10536.

    Args:
        ranks: (n,) int64 ranks in the pool, ascending within a list.
        offsets: (lists + 1,) int64.

    Returns:
        (lists,) int64.

    Raises:
        EvaluationError: a list is empty, or its ranks do not ascend from 1 on.

    >>> rank_distance(np.array([2, 3, 9]), np.array([0, 3]))
    array([7])
    """
    checked_sizes(ranks, offsets)
    return ranks[offsets[1:] - 1] - ranks[offsets[:-1]]


RANK_DISTANCE = Definition(
    key="rank_distance",
    label="rank distance",
    description="places between the first and the last of equally right answers",
    formula="highest minus lowest pool rank of the relevant candidates; queries with one are left out",
    low=0,
    high=None,
    better="lower",
    settings=("multi",),
    source="Elmahdy, Lin and Ahmad, arXiv 2408.10536",
    decimals=0,
    even="small",
)
