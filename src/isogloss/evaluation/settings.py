"""The three retrieval settings: monolingual, cross-lingual, multilingual.

- mono: a query ranks the candidates of its own language; one setting a language.
- cross: a query ranks the candidates of one other language; one setting an ordered pair (query's,
  candidates').
- multi: a query ranks the candidates of all languages in one list, and its relevant candidates in every
  language, its own included, count; one setting a query language.

Figures are macro-averages: over the queries of a setting that have at least one relevant candidate in it,
then over the settings that have such queries. Source: Elmahdy, Lin and Ahmad, arXiv 2408.10536; Roy et al.,
arXiv 2004.05484.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from isogloss.evaluation.measures import LIST_MEASURES
from isogloss.evaluation.pool import Pool
from isogloss.evaluation.ranking import Ranks

Setting = Literal["mono", "cross", "multi"]
Measure = str
"""The key of a measure of quality: "map", "recall@1"."""
SETTINGS: tuple[Setting, ...] = get_args(Setting)
MEASURES: tuple[Measure, ...] = tuple(measure.definition.key for measure in LIST_MEASURES)


@dataclass(frozen=True)
class Summary:
    """A macro-average and its parts.

    Attributes:
        mean: over the settings (languages, or ordered pairs in cross); None where there are none.
        by_language: by the query's language; in cross the mean over its pairs. Languages without a value are
            absent.
        by_pair: in cross by ordered pair, "en->de" for English queries and German candidates; None elsewhere.
    """

    mean: float | None
    by_language: Mapping[str, float]
    by_pair: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Counts:
    """How many queries a figure stands on.

    Attributes:
        queries: distinct queries measured.
        left_out: queries that have no value.
        by_language: measured queries by their language.
        by_pair: in cross, measured queries by ordered pair; None elsewhere.
    """

    queries: int
    left_out: int
    by_language: Mapping[str, int]
    by_pair: Mapping[str, int] | None = None


@dataclass(frozen=True)
class SettingScores:
    """One setting's values: per query, and averaged.

    Attributes:
        setting: "mono", "cross" or "multi".
        query: (m,) int64, the query's position; in cross a query occurs once for each candidate language.
        candidate_language: (m,) int64, a position in the languages; -1 in multi, where all languages are
            ranked.
        values: for each measure (m,) float64.
        summaries: for each measure its macro-average.
        counts: how many queries were measured and how many left out.
    """

    setting: Setting
    query: NDArray[np.int64]
    candidate_language: NDArray[np.int64]
    values: Mapping[Measure, NDArray[np.float64]]
    summaries: Mapping[Measure, Summary]
    counts: Counts


def score_settings(pool: Pool, ranks: Ranks) -> dict[Setting, SettingScores]:
    """Measure mono, cross and multi from the two ranks of every relevant candidate."""
    query = pool.qrels[:, 0]
    query_language = pool.query_language[query]
    candidate_language = pool.candidate_language[pool.qrels[:, 1]]
    own = query_language == candidate_language
    everything = np.full(len(query), -1, dtype=np.int64)
    return {
        "mono": _score(pool, "mono", query[own], candidate_language[own], ranks.language_rank[own]),
        "cross": _score(pool, "cross", query[~own], candidate_language[~own], ranks.language_rank[~own]),
        "multi": _score(pool, "multi", query, everything, ranks.pool_rank),
    }


def pair_name(query_language: str, candidate_language: str) -> str:
    """The name of an ordered pair, as results use it: "en->de"."""
    return f"{query_language}->{candidate_language}"


def macro_average(
    values: NDArray[np.float64],
    query_language: NDArray[np.int64],
    candidate_language: NDArray[np.int64] | None,
    languages: tuple[str, ...],
) -> Summary:
    """Average over the queries of a setting, then over settings.

    Args:
        values: (m,) float64.
        query_language: (m,) positions in `languages`.
        candidate_language: (m,) positions in `languages` where a setting is an ordered pair, else None.
        languages: the languages' names.
    """
    if candidate_language is None:
        by_language = {
            languages[number]: float(values[query_language == number].mean())
            for number in np.unique(query_language)
        }
        return Summary(_mean(by_language), by_language)
    by_pair: dict[str, float] = {}
    of_language: dict[str, list[float]] = {}
    pair = query_language * len(languages) + candidate_language
    for number in np.unique(pair).tolist():
        source, target = (languages[part] for part in divmod(number, len(languages)))
        value = float(values[pair == number].mean())
        by_pair[pair_name(source, target)] = value
        of_language.setdefault(source, []).append(value)
    by_language = {language: float(np.mean(parts)) for language, parts in of_language.items()}
    return Summary(_mean(by_pair), by_language, by_pair)


def count_queries(
    pool: Pool, query: NDArray[np.int64], candidate_language: NDArray[np.int64] | None = None
) -> Counts:
    """Count the queries measured, those left out, and the measured by language and (where given) by pair."""
    measured = np.unique(query)
    left_out = len(pool.query_ids) - len(measured)
    names = pool.languages
    by_language = _counted(names[number] for number in pool.query_language[measured].tolist())
    if candidate_language is None:
        return Counts(len(measured), left_out, by_language)
    pairs = zip(pool.query_language[query].tolist(), candidate_language.tolist(), strict=True)
    by_pair = _counted(pair_name(names[source], names[target]) for source, target in pairs)
    return Counts(len(measured), left_out, by_language, by_pair)


def ranked_lists(
    query: NDArray[np.int64], candidate_language: NDArray[np.int64], rank: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Group relevant candidates into ranked lists, one a query and candidate language.

    Args:
        query: (n,) query positions.
        candidate_language: (n,) languages, or all -1 for one list a query.
        rank: (n,) ranks.

    Returns:
        The order (n,) that sorts by query, language and rank, and the offsets (lists + 1,) into it.
    """
    order = np.lexsort((rank, candidate_language, query))
    changes = (np.diff(query[order]) != 0) | (np.diff(candidate_language[order]) != 0)
    inner = np.flatnonzero(changes) + 1
    bounds = [0, *inner.tolist(), len(order)] if len(order) else [0]
    return order, np.array(bounds, dtype=np.int64)


def _score(
    pool: Pool,
    setting: Setting,
    query: NDArray[np.int64],
    candidate_language: NDArray[np.int64],
    rank: NDArray[np.int64],
) -> SettingScores:
    order, offsets = ranked_lists(query, candidate_language, rank)
    ranks, first = rank[order], order[offsets[:-1]]
    list_query, list_language = query[first], candidate_language[first]
    pair_language = list_language if setting == "cross" else None
    values: dict[Measure, NDArray[np.float64]] = {
        measure.definition.key: measure.values(ranks, offsets) for measure in LIST_MEASURES
    }
    return SettingScores(
        setting=setting,
        query=list_query,
        candidate_language=list_language,
        values=values,
        summaries={
            measure: macro_average(array, pool.query_language[list_query], pair_language, pool.languages)
            for measure, array in values.items()
        },
        counts=count_queries(pool, list_query, pair_language),
    )


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _mean(parts: Mapping[str, float]) -> float | None:
    return float(np.mean(list(parts.values()))) if parts else None
