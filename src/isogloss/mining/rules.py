"""Which places of ranked lists hold no negatives: right answers, and what scores too high to be surely wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isogloss.mining.block import Block
from isogloss.mining.searching import Listed
from isogloss.mining.settings import MiningSettings

RULES = {
    "answer": "its own passage, or a translation of it",
    "same text": "a passage of an item with which it shares a query or a passage",
    "margin": "above the positive's score less the margin",
    "relative margin": "above the relative margin",
}
"""Why a place holds no negative, in the order in which it is asked."""

# A matrix product in single precision is this near to the true score of unit vectors, with room to spare.
_NEAR = 1e-4


def limits(
    positives: NDArray[np.float64], settings: MiningSettings
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The highest scores that the margin and the relative margin allow beside positives that score so.

    Of a positive below zero, the relative margin takes as much off as of one as far above zero.
    """
    margin = np.full(positives.shape, np.inf) if settings.margin is None else positives - settings.margin
    if settings.relative_margin is None:
        return margin, np.full(positives.shape, np.inf)
    # For positives above zero the product itself: the same bits as everyone else's.
    product = np.where(positives >= 0, settings.relative_margin, 2 - settings.relative_margin)
    return margin, positives * product


def sift(block: Block, listed: Listed) -> tuple[Listed, dict[str, int]]:
    """Take away what the rules forbid.

    Returns:
        The places left, and how many each of `RULES` took away.
    """
    answer, same_text = right_answers(block, listed.query, listed.candidate)
    positives = block.positives[listed.query, listed.language]
    margin, relative = limits(positives, block.settings)
    scores = _exact_near(block, listed, np.minimum(margin, relative))
    removed: dict[str, int] = {}
    left = np.ones(len(scores), np.bool_)
    for rule, taken in zip(RULES, (answer, same_text, scores > margin, scores > relative), strict=True):
        removed[rule] = int(np.count_nonzero(left & taken))
        left &= ~taken
    return listed.part(left), removed


def right_answers(
    block: Block, version: NDArray[np.int64], candidate: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether candidates are passages of the versions' items, and whether they are ones of other items of their groups.

    The latter includes negatives that read like a passage of the group.
    """
    candidates = block.candidates
    item = block.item[version]
    answer = candidates.of_item[item, candidates.language(candidate)] == candidate
    # An item's group is that of its own passage, in whatever language.
    group = candidates.group[candidates.of_item[item, block.language[version]]]
    return answer, ~answer & (candidates.group[candidate] == group)


def _exact_near(block: Block, listed: Listed, limit: NDArray[np.float64]) -> NDArray[np.float64]:
    """The scores; those so near their limit that rounding could decide are computed anew, in double precision."""
    scores = listed.score.astype(np.float64)
    near = np.flatnonzero(np.abs(scores - limit) <= _NEAR * (1 + np.abs(scores)))
    scores[near] = block.scores(listed.query[near], listed.candidate[near])
    return scores
