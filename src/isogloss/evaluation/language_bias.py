"""Language bias: whether a model treats right answers alike, whatever their language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isogloss.evaluation.measures import (
    SHARE_DEPTH,
    equal_rank_probability,
    language_counts,
    max_rank,
    order_matters,
    outranked_share,
    rank_distance,
    score_gap,
)
from isogloss.evaluation.measures.language_share import OWN_SHARE
from isogloss.evaluation.measures.max_rank import MAX_RANK
from isogloss.evaluation.measures.own_preference import FOREIGN_PREFERENCE, OWN_PREFERENCE
from isogloss.evaluation.measures.peer import PEER_IRRELEVANT, PEER_RELEVANT
from isogloss.evaluation.measures.rank_distance import RANK_DISTANCE
from isogloss.evaluation.measures.score_gap import SCORE_GAP
from isogloss.evaluation.pool import Pool
from isogloss.evaluation.ranking import Ranks
from isogloss.evaluation.second_pass import SecondPass
from isogloss.evaluation.settings import Counts, Summary, count_queries, macro_average, ranked_lists

_QUERIES_AT_ONCE = 8192

Values = NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True)
class BiasScores:
    """A measure of language bias, per query and averaged.

    Attributes:
        query: (m,) int64, positions of the queries that have a value.
        values: (m,) int64 or float64.
        summary: the mean over a language's queries, then over query languages.
        counts: queries measured, and those left out because the measure is not defined for them.
    """

    query: NDArray[np.int64]
    values: Values
    summary: Summary
    counts: Counts


RankDistances = BiasScores


def rank_distances(pool: Pool, ranks: Ranks) -> BiasScores:
    """Rank distance of the queries with at least two relevant candidates; see `measures.rank_distance`."""
    return _of_parallel_answers(pool, ranks, rank_distance)


def bias_of_ranks(pool: Pool, ranks: Ranks, scores: NDArray[np.float32]) -> dict[str, BiasScores]:
    """The measures that the ranks and scores of relevant candidates give, by key.

    Args:
        pool: Q queries and n qrels.
        ranks: of the n qrels.
        scores: (n,) float32, the relevant candidates' scores.
    """
    query = pool.qrels[:, 0]
    own = _own(pool)
    gaps = score_gap(scores, own, query, len(pool.query_ids))
    return {
        RANK_DISTANCE.key: rank_distances(pool, ranks),
        MAX_RANK.key: _of_parallel_answers(pool, ranks, max_rank),
        PEER_RELEVANT.key: _scored(
            pool, *_tested(query, pool.candidate_language[pool.qrels[:, 1]], ranks.pool_rank)
        ),
        FOREIGN_PREFERENCE.key: _outranked(
            pool, ranks, own, ranks.pool_rank - ranks.language_rank, _foreign_sizes(pool)
        ),
        SCORE_GAP.key: _scored(pool, np.flatnonzero(np.isfinite(gaps)), gaps[np.isfinite(gaps)]),
    }


def bias_of_second_pass(pool: Pool, ranks: Ranks, second: SecondPass) -> dict[str, BiasScores]:
    """The measures that need the second pass, by key."""
    own = _own(pool)
    return {
        PEER_IRRELEVANT.key: _peer_of_irrelevant(pool, second.top),
        OWN_SHARE.key: _own_share(pool, second.top),
        OWN_PREFERENCE.key: _outranked(pool, ranks, ~own, second.own_before, _own_sizes(pool)),
    }


def _scored(pool: Pool, query: NDArray[np.int64], values: Values) -> BiasScores:
    summary = macro_average(values.astype(np.float64), pool.query_language[query], None, pool.languages)
    return BiasScores(query, values, summary, count_queries(pool, query))


def _own(pool: Pool) -> NDArray[np.bool_]:
    """For each of the qrels whether the candidate is in the query's language."""
    own: NDArray[np.bool_] = (
        pool.query_language[pool.qrels[:, 0]] == pool.candidate_language[pool.qrels[:, 1]]
    )
    return own


def _own_sizes(pool: Pool) -> NDArray[np.int64]:
    """For each query the number of candidates in its language."""
    sizes = np.bincount(pool.candidate_language, minlength=len(pool.languages))
    return sizes[pool.query_language]


def _foreign_sizes(pool: Pool) -> NDArray[np.int64]:
    return len(pool.candidate_ids) - _own_sizes(pool)


def _of_parallel_answers(
    pool: Pool,
    ranks: Ranks,
    measure: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64]],
) -> BiasScores:
    """Measure the pool ranks of the queries with at least two relevant candidates."""
    sizes = np.diff(pool.offsets)
    inside = np.repeat(sizes > 1, sizes)
    query = pool.qrels[inside, 0]
    order, offsets = ranked_lists(query, np.full(len(query), -1), ranks.pool_rank[inside])
    values = measure(ranks.pool_rank[inside][order], offsets)
    return _scored(pool, np.flatnonzero(sizes > 1), values)


def _tested(
    query: NDArray[np.int64], language: NDArray[np.int64], rank: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The queries whose list can be tested, and their p-values; `query` ascends."""
    asked, first = np.unique(query, return_index=True)
    offsets = np.append(first, len(query))
    matters = order_matters(language, offsets)
    return asked[matters], equal_rank_probability(rank, language, offsets)[matters]


def _peer_of_irrelevant(pool: Pool, top: NDArray[np.int32]) -> BiasScores:
    """Test the irrelevant of the first places; of the queries that have a relevant candidate, as all measures."""
    depth, number = top.shape[1], len(pool.candidate_ids)
    measured = np.unique(pool.qrels[:, 0])
    asked, values = [], []
    for start in range(0, len(measured), _QUERIES_AT_ONCE):
        queries = measured[start : start + _QUERIES_AT_ONCE]
        query = np.repeat(queries, depth)
        candidate = top[queries].ravel().astype(np.int64)
        relevant = pool.qrels[pool.offsets[queries[0]] : pool.offsets[queries[-1] + 1]]
        kept = ~np.isin(query * number + candidate, relevant[:, 0] * number + relevant[:, 1])
        rank = np.tile(np.arange(1, depth + 1), len(queries))
        found, p = _tested(query[kept], pool.candidate_language[candidate[kept]], rank[kept])
        asked.append(found)
        values.append(p)
    return _scored(pool, np.concatenate(asked), np.concatenate(values))


def _own_share(pool: Pool, top: NDArray[np.int32]) -> BiasScores:
    query = np.unique(pool.qrels[:, 0])
    counts = language_counts(top[query], pool.candidate_language, len(pool.languages), SHARE_DEPTH)
    own = counts[np.arange(len(query)), pool.query_language[query]]
    return _scored(pool, query, own / counts.sum(axis=1))


def _outranked(
    pool: Pool,
    ranks: Ranks,
    measured: NDArray[np.bool_],
    before: NDArray[np.int64],
    sizes: NDArray[np.int64],
) -> BiasScores:
    """How often the irrelevant candidates of one side come before the relevant candidates of the other.

    Args:
        pool: Q queries and n qrels.
        ranks: of the n qrels.
        measured: (n,) bool, the relevant candidates that are outranked, of the one side.
        before: (n,) int64, all candidates of the other side that come before each.
        sizes: (Q,) int64, how many candidates the other side has.
    """
    query = pool.qrels[:, 0]
    order, offsets = ranked_lists(query, np.full(len(query), -1), ranks.pool_rank)
    other = (~measured[order]).astype(np.int64)
    # The relevant candidates of the other side do no wrong in coming first.
    passed = np.cumsum(other) - other
    passed -= np.repeat(passed[offsets[:-1]], np.diff(offsets))
    wrong = before[order] - passed
    irrelevant = sizes - np.bincount(query[~measured], minlength=len(pool.query_ids))
    kept = measured[order] & (irrelevant[query[order]] > 0)
    asked, first = np.unique(query[order][kept], return_index=True)
    values = outranked_share(wrong[kept], irrelevant[asked], np.append(first, np.count_nonzero(kept)))
    return _scored(pool, asked, values)
