"""Seen and unseen: every figure, split by what training met of its languages.

A pair (query language, candidate language) is

- *pair seen*: training paired a query in the one with a passage in the other;
- *pair unseen*: training met both languages, but not this pair;
- *query language unseen*, *candidate language unseen*, *both unseen*: training did not meet that language at all.

In multi a query ranks the candidates of all languages, so its figures, and the language bias, are split by the query's
language alone; the share of the relevant candidates among the first ten of the pool is split by pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

Split = Literal[
    "pair seen", "pair unseen", "query language unseen", "candidate language unseen", "both unseen"
]
QuerySplit = Literal["query language seen", "query language unseen"]
SPLITS: tuple[Split, ...] = get_args(Split)
QUERY_SPLITS: tuple[QuerySplit, ...] = get_args(QuerySplit)


@dataclass(frozen=True)
class TrainedPairs:
    """What a model's training met.

    Attributes:
        languages: every language of a query or a passage.
        pairs: ordered pairs (query language, passage language); within one language as well.
        source: where this is known from, for people.
        corpora: what it was trained on, where that is known.
    """

    languages: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    source: str
    corpora: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        languages: Iterable[str],
        pairs: Iterable[tuple[str, str]],
        source: str,
        corpora: Iterable[str] = (),
    ) -> TrainedPairs:
        """Make one; the languages of the pairs are met as well. Without pairs, every pair of the languages is."""
        pairs = frozenset(pairs)
        met = frozenset(languages) | {language for pair in pairs for language in pair}
        if not pairs:
            pairs = frozenset((query, passage) for query in met for passage in met)
        return cls(met, pairs, source, tuple(dict.fromkeys(corpora)))


def split_of(trained: TrainedPairs, query_language: str, candidate_language: str) -> Split:
    """Which of the five a pair is."""
    if (query_language, candidate_language) in trained.pairs:
        return "pair seen"
    query, candidate = (language in trained.languages for language in (query_language, candidate_language))
    if query and candidate:
        return "pair unseen"
    if query:
        return "candidate language unseen"
    return "query language unseen" if candidate else "both unseen"


def split_results(results: Mapping[str, Any], trained: TrainedPairs) -> dict[str, Any]:
    """Split the figures of results.

    Args:
        results: as `results_of` makes and `read_results` reads them.
        trained: what training met.

    Returns:
        For mono and cross by split {"pairs": how many ordered pairs, measure: mean over them}; for multi by the
        query's split {"languages": how many, measure: mean over them}, measures of quality and of bias; and for
        multi by pair, as for cross, the recall in the pool. Splits without a pair are absent, and so are figures that
        no pair has.
    """
    mono, cross, multi = (results["settings"][setting] for setting in ("mono", "cross", "multi"))
    own = {
        measure: {(language, language): value for language, value in summary["by_language"].items()}
        for measure, summary in mono.items()
    }
    bias = results["language_bias"]
    foreign = {measure: _pairs(summary) for measure, summary in cross.items()}
    asked = {measure: summary["by_language"] for measure, summary in (*multi.items(), *bias.items())}
    in_pool = {measure: _pairs(summary) for measure, summary in bias.items() if "by_pair" in summary}
    return {
        "mono": _split_pairs(own, trained),
        "cross": _split_pairs(foreign, trained),
        "multi by pair": _split_pairs(in_pool, trained),
        "multi": _split(
            asked,
            {language: _query_split(trained, language) for language in multi["map"]["by_language"]},
            QUERY_SPLITS,
            "languages",
        ),
    }


def with_training(results: Mapping[str, Any], trained: TrainedPairs) -> dict[str, Any]:
    """Results with the keys "training" and "seen_unseen" added."""
    return {
        **results,
        "training": {
            "languages": sorted(trained.languages),
            "pairs": sorted("->".join(pair) for pair in trained.pairs),
            "source": trained.source,
            "corpora": list(trained.corpora),
        },
        "seen_unseen": split_results(results, trained),
    }


def _pairs(summary: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    """By (query language, candidate language) instead of by the pair's name."""
    return {(pair.split("->")[0], pair.split("->")[1]): value for pair, value in summary["by_pair"].items()}


def _split_pairs(
    figures: Mapping[str, Mapping[tuple[str, str], float]], trained: TrainedPairs
) -> dict[str, dict[str, float | int]]:
    pairs = {pair for values in figures.values() for pair in values}
    return _split(figures, {pair: split_of(trained, *pair) for pair in sorted(pairs)}, SPLITS, "pairs")


def _query_split(trained: TrainedPairs, language: str) -> QuerySplit:
    return "query language seen" if language in trained.languages else "query language unseen"


def _split(
    figures: Mapping[str, Mapping[Any, float]],
    split_of_key: Mapping[Any, str],
    splits: Iterable[str],
    counted: str,
) -> dict[str, dict[str, float | int]]:
    """Means over the keys (pairs or languages) of each split, for every measure."""
    found: dict[str, dict[str, float | int]] = {}
    for split in splits:
        keys = [key for key, its in split_of_key.items() if its == split]
        if not keys:
            continue
        found[split] = {counted: len(keys)}
        for measure, values in figures.items():
            parts = [values[key] for key in keys if key in values]
            if parts:
                found[split][measure] = float(np.mean(parts))
    return found
