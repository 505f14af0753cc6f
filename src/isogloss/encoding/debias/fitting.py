"""From a model and a corpus to a cure."""

from __future__ import annotations

from typing import Any

import numpy as np

from isogloss.corpus import RetrievalBenchmark
from isogloss.encoding.debias.cures import Cure, Method, fit
from isogloss.encoding.encoder import Encoder, Progress


def distinct_texts(benchmark: RetrievalBenchmark) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The distinct queries and the distinct candidates of a benchmark, each with its language."""
    queries = set(zip(benchmark.query_texts, benchmark.query_languages, strict=True))
    candidates = set(zip(benchmark.candidate_texts, benchmark.candidate_languages, strict=True))
    return sorted(queries), sorted(candidates)


def fit_on(
    encoder: Encoder,
    benchmark: RetrievalBenchmark,
    method: Method,
    directions: int | None = None,
    progress: Progress | None = None,
) -> tuple[Cure, dict[str, Any]]:
    """Fit a cure on the distinct queries and candidates of a corpus or benchmark; what answers what is not read.

    Args:
        encoder: gives the vectors.
        benchmark: texts and their languages.
        method: one of `METHODS`.
        directions: as for `fit`.
        progress: told of the texts just done.

    Returns:
        The cure, and what it was fitted on: name, checksum and number of texts.

    Raises:
        ModelError: the model fails.
        RecipeError: as `fit`.
    """
    queries, passages = distinct_texts(benchmark)
    vectors = np.concatenate(
        [
            encoder.encode([text for text, _ in queries], "query", progress),
            encoder.encode([text for text, _ in passages], "passage", progress),
        ]
    )
    cure = fit(method, vectors, [language for _, language in (*queries, *passages)], directions)
    texts = len(queries) + len(passages)
    return cure, {"name": benchmark.name, "checksum": benchmark.checksum, "texts": texts}
