"""Own-language preference: does the wrong answer in the asker's language come before the right one in another?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isogloss.evaluation.measures.definition import Definition
from isogloss.evaluation.measures.ranked import list_sums


def outranked_share(
    before: NDArray[np.int64], irrelevant: NDArray[np.int64], offsets: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The share of pairs (irrelevant candidate, relevant candidate) in which the irrelevant one comes first.

    In [0, 1]; 1/2 for an order that knows nothing of relevance or language. One minus the area under the ROC curve
    between the two groups.

    Args:
        before: (n,) int64, for each relevant candidate of one query after the other how many of the query's irrelevant
            candidates in question come before it.
        irrelevant: (queries,) int64, how many there are; at least 1.
        offsets: (queries + 1,) int64; every query has a relevant candidate.

    Returns:
        (queries,) float64.

    >>> outranked_share(np.array([1, 4]), np.array([10]), np.array([0, 2]))
    array([0.25])
    """
    return list_sums(before.astype(np.float64), offsets) / (np.diff(offsets) * irrelevant)


OWN_PREFERENCE = Definition(
    key="own_preference",
    label="own first",
    description="how often an irrelevant candidate in the query's language outranks a relevant one in another",
    formula=(
        "share of the pairs (irrelevant in the query's language, relevant in another) in which the irrelevant one "
        "comes first"
    ),
    low=0,
    high=1,
    better="lower",
    settings=("multi",),
    source="isogloss",
    even="as low as its inverse",
    second_pass=True,
)

FOREIGN_PREFERENCE = Definition(
    key="foreign_preference",
    label="foreign first",
    description=(
        "the inverse: how often an irrelevant candidate in another language outranks a relevant one in the query's"
    ),
    formula=(
        "share of the pairs (irrelevant in another language, relevant in the query's) in which the irrelevant one "
        "comes first"
    ),
    low=0,
    high=1,
    better="lower",
    settings=("multi",),
    source="isogloss",
    even="as low as its inverse",
)
