"""Which languages fill the first places, and in which of them the answers are found there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isogloss.evaluation.measures import SHARE_DEPTH, language_counts, recall_at, share_distance
from isogloss.evaluation.measures.pool_recall import POOL_RECALL_DEPTH
from isogloss.evaluation.pool import Pool
from isogloss.evaluation.ranking import Ranks
from isogloss.evaluation.second_pass import SecondPass
from isogloss.evaluation.settings import Counts, Summary, count_queries, macro_average, ranked_lists


@dataclass(frozen=True)
class LanguageShares:
    """Which languages fill the first places, by query language, beside what they would have by right.

    Attributes:
        depth: how many first places.
        top: query language to candidate language to its mean share of the first places.
        relevant: likewise its mean share of the queries' relevant candidates.
        pool: candidate language to its share of the pool.
        distance: total variation distance of `top` and `relevant`.
        counts: the queries it stands on: those with a relevant candidate.
    """

    depth: int
    top: Mapping[str, Mapping[str, float]]
    relevant: Mapping[str, Mapping[str, float]]
    pool: Mapping[str, float]
    distance: Summary
    counts: Counts


def language_shares(pool: Pool, second: SecondPass) -> LanguageShares:
    """Share of each language in the first places, in the relevant candidates and in the pool."""
    names, number = pool.languages, len(pool.languages)
    measured = np.unique(pool.qrels[:, 0])
    counts = language_counts(second.top[measured], pool.candidate_language, number, SHARE_DEPTH)
    cell = pool.qrels[:, 0] * number + pool.candidate_language[pool.qrels[:, 1]]
    relevant = np.bincount(cell, minlength=len(pool.query_ids) * number).reshape(-1, number)[measured]
    top, right, distance = {}, {}, {}
    for language in np.unique(pool.query_language[measured]).tolist():
        asked = pool.query_language[measured] == language
        shares, reference = (_mean_shares(table[asked]) for table in (counts, relevant))
        top[names[language]] = _named(names, shares)
        right[names[language]] = _named(names, reference)
        distance[names[language]] = share_distance(shares, reference)
    in_pool = np.bincount(pool.candidate_language, minlength=number) / len(pool.candidate_ids)
    mean = float(np.mean(list(distance.values()))) if distance else None
    return LanguageShares(
        depth=min(SHARE_DEPTH, second.top.shape[1]),
        top=top,
        relevant=right,
        pool=_named(names, in_pool),
        distance=Summary(mean, distance),
        counts=count_queries(pool, measured),
    )


def pool_recall(pool: Pool, ranks: Ranks) -> tuple[Summary, Counts]:
    """By pair of languages, how many of the relevant candidates in the one are among the first of the whole pool.

    Returns:
        The mean over a pair's queries and then over pairs, those of one language included; and the counts.
    """
    query, language = pool.qrels[:, 0], pool.candidate_language[pool.qrels[:, 1]]
    order, offsets = ranked_lists(query, language, ranks.pool_rank)
    values = recall_at(ranks.pool_rank[order], offsets, POOL_RECALL_DEPTH)
    asked, found = query[order[offsets[:-1]]], language[order[offsets[:-1]]]
    summary = macro_average(values, pool.query_language[asked], found, pool.languages)
    return summary, count_queries(pool, asked, found)


def _mean_shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = (counts / counts.sum(axis=1, keepdims=True)).mean(axis=0)
    return shares


def _named(names: tuple[str, ...], shares: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(names, shares.tolist(), strict=True))
