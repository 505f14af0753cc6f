"""Benchmarks for exchange: texts in four languages with ties, odd characters and items that some languages lack."""

import numpy as np

from isogloss.corpus import ParallelCorpus, RetrievalBenchmark
from tests.conftest import records


def small_benchmark(items=12, languages=("de", "en", "zh"), ties=True):
    """Parallel items with near misses, one item in one language alone and one without German.

    With `ties` two items have the same passages, and texts are odd.
    """
    kept = [
        one
        for one in records(items, languages, negatives=True)
        if not (one["id"] == "item-001" and one["language"] == "de")
        and not (one["id"] == "item-002" and one["language"] != "en")
    ]
    if not ties:
        return RetrievalBenchmark.from_corpus(ParallelCorpus.from_records(kept, name="small"))
    # Item 3 asks and answers with odd texts; item 5 has item 4's passage, so both answer both.
    for one in kept:
        if one["id"] == "item-003":
            one["query"], one["passage"] = '  "quoted"\tline\u2028break?', " answer\nwith “two” lines "
        if one["id"] == "item-005":
            one["passage"] = next(
                other["passage"]
                for other in kept
                if other["id"] == "item-004" and other["language"] == one["language"]
            )
    return RetrievalBenchmark.from_corpus(ParallelCorpus.from_records(kept, name="small"))


def tied_vectors(benchmark, seed=0, dimensions=3):
    """Unit vectors of which many are equal: (queries, d) and (candidates, d) float32."""
    draw = np.random.default_rng(seed)
    sides = []
    for number in (len(benchmark.query_ids), len(benchmark.candidate_ids)):
        whole = draw.integers(-2, 3, (number, dimensions)).astype(np.float32)
        whole[(whole == 0).all(axis=1)] = 1
        sides.append(whole / np.linalg.norm(whole, axis=1, keepdims=True))
    return sides
