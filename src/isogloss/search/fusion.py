"""Join ranked lists into one."""

from __future__ import annotations

from collections.abc import Sequence

RANK_CONSTANT = 60
"""Cormack, Clarke and Büttcher 2009 (SIGIR), section 2: found best there and kept by those who came after."""


def reciprocal_rank_fusion(
    lists: Sequence[Sequence[int]], *, constant: int = RANK_CONSTANT
) -> list[tuple[int, float]]:
    """Fuse ranked lists by the sum of 1 / (constant + rank), Cormack et al. 2009, equation 1.

    Args:
        lists: candidates, the best first; each candidate at most once in a list.
        constant: how little the first ranks count more than the later ones.

    Returns:
        Candidates and scores, the best first; equal scores in ascending order of candidates.
    """
    scores: dict[int, float] = {}
    for ranked in lists:
        for rank, candidate in enumerate(ranked, start=1):
            scores[candidate] = scores.get(candidate, 0.0) + 1.0 / (constant + rank)
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
