"""Small benchmarks made by hand and at random, and an obvious, slow evaluation of them."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from statistics import fmean

import numpy as np


@dataclass(frozen=True)
class SmallBenchmark:
    query_ids: list
    query_languages: list
    candidate_ids: list
    candidate_languages: list
    qrels: np.ndarray
    languages: tuple
    name: str = "small"
    checksum: str = "0" * 64
    query_parallel_ids: list | None = field(default=None)


def random_benchmark(seed, *, languages=("ar", "de", "en"), queries=12, candidates=20, relevant=25):
    """Candidates in no order of ids; some queries have no relevant candidate, some several a language."""
    draw = np.random.default_rng(seed)
    candidate_ids = [f"c{number:04d}" for number in draw.permutation(candidates)]
    pairs = {(int(draw.integers(queries)), int(draw.integers(candidates))) for _ in range(relevant)}
    return SmallBenchmark(
        query_ids=[f"q{number}" for number in range(queries)],
        query_languages=draw.choice(languages, queries).tolist(),
        candidate_ids=candidate_ids,
        candidate_languages=draw.choice(languages, candidates).tolist(),
        qrels=np.array(list(pairs), dtype=np.int64),
        languages=tuple(languages),
        query_parallel_ids=[f"item{number % 3}" for number in range(queries)],
    )


def integer_vectors(seed, rows, dimensions=4, largest=1):
    """Small integers: their products are exact in float32, and many are equal."""
    draw = np.random.default_rng(seed)
    return draw.integers(-largest, largest + 1, (rows, dimensions)).astype(np.float32)


def slow_ranking(benchmark, scores, language=None):
    """Candidate positions from first to last, of one language or all."""
    places = [
        place
        for place, of_candidate in enumerate(benchmark.candidate_languages)
        if language is None or of_candidate == language
    ]
    return sorted(places, key=lambda place: (-scores[place], benchmark.candidate_ids[place]))


def slow_evaluation(benchmark, scores):
    """Everything from sorted lists, query by query.

    Returns:
        Ranks {(query, candidate): (pool rank, language rank)}, values {setting: {(query, candidate language):
        a value for each of MEASURES}}, distances {query: rank distance}.
    """
    relevant_of = defaultdict(set)
    for query, candidate in benchmark.qrels.tolist():
        relevant_of[query].add(candidate)
    ranks, distances = {}, {}
    values = {"mono": {}, "cross": {}, "multi": {}}
    for query, relevant in relevant_of.items():
        whole = slow_ranking(benchmark, scores[query])
        values["multi"][query, None] = slow_measures(whole, relevant)
        places = [rank for rank, candidate in enumerate(whole, start=1) if candidate in relevant]
        if len(places) > 1:
            distances[query] = max(places) - min(places)
        for language in benchmark.languages:
            inside = {one for one in relevant if benchmark.candidate_languages[one] == language}
            if not inside:
                continue
            ranking = slow_ranking(benchmark, scores[query], language)
            setting = "mono" if benchmark.query_languages[query] == language else "cross"
            values[setting][query, language] = slow_measures(ranking, inside)
            for one in inside:
                ranks[query, one] = (whole.index(one) + 1, ranking.index(one) + 1)
    return ranks, values, distances


def slow_measures(ranking, relevant):
    found, precisions = 0, []
    for rank, candidate in enumerate(ranking, start=1):
        if candidate in relevant:
            found += 1
            precisions.append(found / rank)
    first = next(rank for rank, candidate in enumerate(ranking, start=1) if candidate in relevant)
    gain = sum(1 / math.log2(rank + 1) for rank, one in enumerate(ranking[:10], start=1) if one in relevant)
    best = sum(1 / math.log2(rank + 1) for rank in range(1, min(10, len(relevant)) + 1))
    return (
        fmean(precisions),
        len(relevant & set(ranking[:1])) / len(relevant),
        len(relevant & set(ranking[:10])) / len(relevant),
        gain / best,
        1 / first,
        float(first <= 1),
        float(first <= 10),
    )


def slow_macro_average(benchmark, values, column, *, pairs):
    """Mean over queries of a language or ordered pair, then over those; and the parts."""
    parts = defaultdict(list)
    for (query, language), measured in values.items():
        source = benchmark.query_languages[query]
        parts[(source, language) if pairs else source].append(measured[column])
    means = {key: fmean(part) for key, part in parts.items()}
    return (fmean(means.values()) if means else None), means
