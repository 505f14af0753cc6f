"""The settings of a benchmark one by one: what a tool that knows one corpus and its queries at a time is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isogloss.corpus import RetrievalBenchmark
from isogloss.evaluation import Setting


@dataclass(frozen=True)
class Subset:
    """The queries of one language against the candidates of one language, or of all.

    Attributes:
        setting: "mono", "cross" or "multi".
        query_language: of its queries.
        candidate_language: of its candidates; None in multi, where the pool is all of them.
        queries: (q,) int64, positions in the benchmark: those with a relevant candidate here.
        candidates: (c,) int64, positions in the benchmark, ascending.
        relevant: (n, 2) int64, positions in the benchmark, as `RetrievalBenchmark.qrels`.
    """

    setting: Setting
    query_language: str
    candidate_language: str | None
    queries: NDArray[np.int64]
    candidates: NDArray[np.int64]
    relevant: NDArray[np.int64]

    @property
    def name(self) -> str:
        """Its name: "mono-de", "cross-de-en" (German queries, English candidates), "multi-de"."""
        return subset_name(self.setting, self.query_language, self.candidate_language)


def subset_name(setting: Setting, query_language: str, candidate_language: str | None) -> str:
    """The name of a subset, from its setting and languages."""
    if setting == "cross":
        return f"cross-{query_language}-{candidate_language}"
    return f"{setting}-{query_language}"


def parse_subset_name(name: str, languages: Sequence[str]) -> tuple[Setting, str, str | None] | None:
    """The setting and languages that `subset_name` made a name of; None for any other name.

    Args:
        name: the name.
        languages: which languages there are; a code may have hyphens of its own.
    """
    for query in languages:
        if name == f"mono-{query}":
            return "mono", query, query
        if name == f"multi-{query}":
            return "multi", query, None
        candidate = name.removeprefix(f"cross-{query}-")
        if candidate != name and candidate in languages and candidate != query:
            return "cross", query, candidate
    return None


def subsets_of(benchmark: RetrievalBenchmark) -> Iterator[Subset]:
    """Yield the subsets that have queries: mono by language, cross by ordered pair, multi by query language."""
    queries = np.array(benchmark.query_languages)[benchmark.qrels[:, 0]]
    candidates = np.array(benchmark.candidate_languages)[benchmark.qrels[:, 1]]
    language_of = np.array(benchmark.candidate_languages)
    everything = np.arange(len(language_of), dtype=np.int64)
    of_language = {one: np.flatnonzero(language_of == one) for one in benchmark.languages}
    pairs = [(one, one) for one in benchmark.languages]
    pairs += [(one, other) for one in benchmark.languages for other in benchmark.languages if one != other]
    for query, candidate in pairs:
        relevant = benchmark.qrels[(queries == query) & (candidates == candidate)]
        if len(relevant):
            setting: Setting = "mono" if query == candidate else "cross"
            asked = np.unique(relevant[:, 0])
            yield Subset(setting, query, candidate, asked, of_language[candidate], relevant)
    for query in benchmark.languages:
        relevant = benchmark.qrels[queries == query]
        if len(relevant):
            yield Subset("multi", query, None, np.unique(relevant[:, 0]), everything, relevant)
