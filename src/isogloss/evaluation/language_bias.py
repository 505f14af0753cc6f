"""Language bias: how far apart a model ranks answers that say the same in different languages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isogloss.evaluation.pool import Pool
from isogloss.evaluation.ranking import Ranks
from isogloss.evaluation.settings import Counts, Summary, count_queries, macro_average


@dataclass(frozen=True)
class RankDistances:
    """Rank distances per query, and averaged.

    Attributes:
        query: (m,) int64, positions of the queries with at least two relevant candidates.
        values: (m,) int64, in ranks of the whole pool.
        summary: the mean over a language's queries, then over query languages.
        counts: queries measured, and those left out because they have fewer than two relevant candidates.
    """

    query: NDArray[np.int64]
    values: NDArray[np.int64]
    summary: Summary
    counts: Counts


def rank_distances(pool: Pool, ranks: Ranks) -> RankDistances:
    """Rank distance: the highest minus the lowest pool rank of a query's relevant candidates.

    From (number of relevant candidates - 1) to (number of candidates - 1), lower is better; undefined for a
    query with fewer than two relevant candidates, which is left out and counted. It grows with the pool, so
    figures compare between models on one benchmark, not between benchmarks, and belong beside the quality
    figures: a model that ranks all answers equally low has little bias. Source: Elmahdy, Lin and Ahmad,
    arXiv 2408.10536.
    """
    sizes = np.diff(pool.offsets)
    query = np.flatnonzero(sizes > 1)
    inside = np.repeat(sizes > 1, sizes)
    kept = ranks.pool_rank[inside]
    starts = np.cumsum(sizes[query]) - sizes[query]
    values = (
        np.maximum.reduceat(kept, starts) - np.minimum.reduceat(kept, starts)
        if len(query)
        else np.zeros(0, dtype=np.int64)
    )
    summary = macro_average(values.astype(np.float64), pool.query_language[query], None, pool.languages)
    return RankDistances(query, values, summary, count_queries(pool, query))
