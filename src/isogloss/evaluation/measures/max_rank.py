"""Max@R: how far down a reader has to go to have the answer in every language."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isogloss.evaluation.measures.definition import Definition
from isogloss.evaluation.measures.ranked import checked_sizes


def max_rank(ranks: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Max@R: the worst rank of a list's R relevant candidates, as a rank, not normalised.

    From R to the number of candidates, lower is better. Rank distance is Max@R minus the rank of the first relevant
    candidate, so it alone excuses a model that ranks all answers equally low; Max@R does not. Source: Hong et al.,
    "Improving semantic proximity in information retrieval through cross-lingual alignment", arXiv 2604.05684: the rank
    needed to have all parallel answers. They have two a query; here it is the worst of as many as there are.

    Args:
        ranks: (n,) int64 ranks in the pool, ascending within a list.
        offsets: (lists + 1,) int64.

    Returns:
        (lists,) int64.

    Raises:
        EvaluationError: a list is empty, or its ranks do not ascend from 1 on.

    >>> max_rank(np.array([2, 3, 9]), np.array([0, 3]))
    array([9])
    """
    checked_sizes(ranks, offsets)
    return ranks[offsets[1:] - 1]


MAX_RANK = Definition(
    key="max@r",
    label="Max@R",
    description="the rank needed to have the answer in every language",
    formula="highest pool rank of the relevant candidates; queries with one are left out",
    low=1,
    high=None,
    better="lower",
    settings=("multi",),
    source="Hong et al., arXiv 2604.05684",
    decimals=0,
    even="small",
)
