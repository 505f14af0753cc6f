"""A model and a benchmark in, every figure out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isogloss.corpus import RetrievalBenchmark
from isogloss.encoding.encoder import Encoder, encode_distinct, running_total
from isogloss.evaluation.evaluation import Evaluation, evaluate_vectors
from isogloss.evaluation.ranking import MEMORY_BUDGET
from isogloss.evaluation.run_files import write_qrels, write_runs
from isogloss.evaluation.settings import SETTINGS

StageProgress = Callable[[str, int, int], None]
"""Called with the stage's name, how much of it is done, and how much it is in all."""


@dataclass(frozen=True)
class EncodedBenchmark:
    """The vectors of a benchmark's distinct texts, and each text's row in them.

    Attributes:
        query_vectors: float32, shape (distinct queries, dimension).
        query_index: int64, shape (queries,).
        candidate_vectors: float32, shape (distinct candidates, dimension).
        candidate_index: int64, shape (candidates,).
        seconds: how long encoding took.
    """

    query_vectors: NDArray[np.float32]
    query_index: NDArray[np.int64]
    candidate_vectors: NDArray[np.float32]
    candidate_index: NDArray[np.int64]
    seconds: float


def encode_benchmark(
    encoder: Encoder, benchmark: RetrievalBenchmark, progress: StageProgress | None = None
) -> EncodedBenchmark:
    """Encode each distinct query and each distinct candidate once.

    Raises:
        ModelError: the model fails.
    """
    began = time.perf_counter()
    queries, query_index = encode_distinct(
        encoder,
        benchmark.query_texts,
        "query",
        _counter("encoding queries", benchmark.query_texts, progress),
        benchmark.query_languages,
    )
    candidates, candidate_index = encode_distinct(
        encoder,
        benchmark.candidate_texts,
        "passage",
        _counter("encoding candidates", benchmark.candidate_texts, progress),
        benchmark.candidate_languages,
    )
    return EncodedBenchmark(queries, query_index, candidates, candidate_index, time.perf_counter() - began)


def evaluate_model(
    encoder: Encoder,
    benchmark: RetrievalBenchmark,
    progress: StageProgress | None = None,
    *,
    memory_budget: float = MEMORY_BUDGET,
    second: bool = True,
) -> tuple[Evaluation, EncodedBenchmark]:
    """Encode a benchmark once and measure mono, cross and multi retrieval and language bias.

    Args:
        encoder: the model.
        benchmark: queries, candidates and qrels.
        progress: told of encoding and ranking.
        memory_budget: gigabytes of scores that ranking holds at once; changes no figure.
        second: also take the measures of language bias that need a second pass over the scores.

    Raises:
        ModelError: the model fails.
        EvaluationError: its vectors cannot be ranked.
    """
    encoded = encode_benchmark(encoder, benchmark, progress)
    evaluation = evaluate_vectors(
        benchmark,
        encoded.query_vectors,
        encoded.candidate_vectors,
        query_index=encoded.query_index,
        candidate_index=encoded.candidate_index,
        progress=None if progress is None else lambda done, total: progress("ranking", done, total),
        memory_budget=memory_budget,
        second=second,
        second_progress=(
            None if progress is None else lambda done, total: progress("second pass", done, total)
        ),
    )
    return evaluation, encoded


def _counter(stage: str, texts: list[str], progress: StageProgress | None) -> Callable[[int], None] | None:
    if progress is None:
        return None
    total = len(set(texts))
    return running_total(lambda done: progress(stage, done, total))


def write_benchmark_runs(
    benchmark: RetrievalBenchmark, encoded: EncodedBenchmark, folder: Path, *, depth: int | None = None
) -> None:
    """Write TREC run and qrels files of the three settings, compressed, named ``mono.run.gz`` and so on.

    Args:
        benchmark: the benchmark.
        encoded: its vectors.
        folder: where to, made if it is not there.
        depth: candidates a query; None writes the whole ranking.

    Raises:
        EvaluationError: an id holds white space.
        OutputError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_runs(
        benchmark,
        encoded.query_vectors,
        encoded.candidate_vectors,
        {setting: folder / f"{setting}.run.gz" for setting in SETTINGS},
        query_index=encoded.query_index,
        candidate_index=encoded.candidate_index,
        depth=depth,
    )
    write_qrels(benchmark, {setting: folder / f"{setting}.qrels.gz" for setting in SETTINGS})
