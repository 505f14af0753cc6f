"""TREC run files and qrels, so that any other tool can measure the same rankings.

A run line is `query Q0 candidate rank score tag`, a qrels line `query 0 candidate 1`. Mono and multi keep the
query's id; in cross a query ranks the candidates of each other language apart, and is called `id@language`
there, with the language of the candidates. A file holds the queries that its setting measures: those with at
least one relevant candidate in it.

Tools sort by score and break ties each in its own way, trec_eval by *descending* id. The scores written
therefore fall strictly: a candidate tied with the one before it gets the next smaller float32, and nine
significant digits tell any two float32 apart. Subnormal numbers are stepped over, as some tools are built to
take them for zero.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isogloss.errors import EvaluationError
from isogloss.evaluation.columns import distinct_sides
from isogloss.evaluation.pool import Benchmark, Pool, pool_of
from isogloss.evaluation.ranking import Progress
from isogloss.evaluation.scoring import BLOCK_BYTES, score_blocks
from isogloss.evaluation.settings import SETTINGS, Setting
from isogloss.files import finished_file

_SMALLEST_NORMAL_BITS = 0x00800000
_LARGEST_BITS = 0x7F7FFFFF
_GZIP_LEVEL = 6


def write_runs(
    benchmark: Benchmark,
    query_vectors: ArrayLike,
    candidate_vectors: ArrayLike,
    paths: Mapping[Setting, Path],
    *,
    query_index: ArrayLike | None = None,
    candidate_index: ArrayLike | None = None,
    depth: int | None = 100,
    tag: str = "isogloss",
    progress: Progress | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> None:
    """Write run files from the same scores, and in the same order, that `evaluate_vectors` measures.

    Args:
        benchmark: the benchmark.
        query_vectors: as for `evaluate_vectors`.
        candidate_vectors: as for `evaluate_vectors`.
        paths: a file for each wanted setting; compressed where its name ends in `.gz`. Existing files are
            replaced.
        query_index: as for `evaluate_vectors`.
        candidate_index: as for `evaluate_vectors`.
        depth: candidates a list. None writes the whole ranking: only then is average precision of the file
            that of `evaluate_vectors`, but XQuAD-R's cross and multi runs have 155 and 170 million lines.
        tag: the run's name, in the last column.
        progress: called with the queries done and the number of all queries.
        block_bytes: bytes of scores held at once; changes nothing that is written.

    Raises:
        EvaluationError: as `evaluate_vectors`; a depth below 1, an unknown setting; white space in an id or
            the tag.
        OutputError: a file cannot be written.
    """
    if depth is not None and depth < 1:
        raise EvaluationError(f"a run of depth {depth}: give at least 1, or None for whole rankings")
    pool = pool_of(benchmark)
    _check_trec(benchmark.name, pool, paths, tag)
    queries, candidates = distinct_sides(
        pool, query_vectors, candidate_vectors, query_index=query_index, candidate_index=candidate_index
    )
    column_vector = candidates.index[pool.tie_order]
    column_language = pool.candidate_language[pool.tie_order]
    column_id = [pool.candidate_ids[candidate] for candidate in pool.tie_order.tolist()]
    by_vector, offsets = queries.texts_by_row()
    with ExitStack() as stack:
        files = {setting: stack.enter_context(text_file(path)) for setting, path in paths.items()}
        for block in score_blocks(queries, candidates, block_bytes=block_bytes):
            for vector, scores in enumerate(block.scores, start=block.start):
                row = scores[column_vector]
                order = np.argsort(-row, kind="stable")  # columns are in tie order, which a stable sort keeps
                language_of = column_language[order]
                for query in by_vector[offsets[vector] : offsets[vector + 1]].tolist():
                    for setting, language, name in _lists(pool, query):
                        if setting not in files:
                            continue
                        ranked = (order if language is None else order[language_of == language])[:depth]
                        lines = zip(ranked.tolist(), falling(row[ranked]).tolist(), strict=True)
                        files[setting].writelines(
                            f"{name} Q0 {column_id[column]} {rank} {score:.9g} {tag}\n"
                            for rank, (column, score) in enumerate(lines, start=1)
                        )
            if progress is not None:
                progress(offsets[block.start + len(block.scores)], len(by_vector))


def write_qrels(benchmark: Benchmark, paths: Mapping[Setting, Path]) -> None:
    """Write qrels files whose query ids fit the run files of `write_runs`.

    Args:
        benchmark: the benchmark.
        paths: a file for each wanted setting; compressed where its name ends in `.gz`. Existing files are
            replaced.

    Raises:
        EvaluationError: the benchmark is empty or inconsistent; an unknown setting; white space in an id.
        OutputError: a file cannot be written.
    """
    pool = pool_of(benchmark)
    _check_trec(benchmark.name, pool, paths, tag="isogloss")
    with ExitStack() as stack:
        files = {setting: stack.enter_context(text_file(path)) for setting, path in paths.items()}
        for query in range(len(pool.query_ids)):
            relevant = pool.qrels[pool.offsets[query] : pool.offsets[query + 1], 1]
            for setting, language, name in _lists(pool, query):
                if setting in files:
                    inside = (
                        relevant
                        if language is None
                        else relevant[pool.candidate_language[relevant] == language]
                    )
                    files[setting].writelines(
                        f"{name} 0 {pool.candidate_ids[one]} 1\n" for one in inside.tolist()
                    )


def falling(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lower scores that do not fall strictly by the least that float32 allows.

    Args:
        scores: (n,) float32, finite, from highest to lowest.

    Returns:
        (n,) float32, strictly falling, without subnormal numbers; equal to `scores` where they fall already
        and are no subnormal numbers.

    Raises:
        EvaluationError: the lowest would be beyond float32.

    >>> falling(np.array([1, 1, 0.5], dtype=np.float32)).tolist()
    [1.0, 0.9999999403953552, 0.5]
    """
    bits = np.ascontiguousarray(scores, dtype=np.float32).view(np.int32).astype(np.int64)
    magnitude = bits & 0x7FFFFFFF
    # Floats in their order as consecutive integers: 0 for zero and subnormal numbers, 1 for the smallest
    # normal one.
    step = np.maximum(magnitude - _SMALLEST_NORMAL_BITS + 1, 0) * np.where(bits < 0, -1, 1)
    # The wanted t_i = min(s_i, t_(i-1) - 1) is the running minimum of s_i + i, less i.
    place = np.arange(len(step))
    step = np.minimum.accumulate(step + place) - place
    magnitude = np.where(step == 0, 0, np.abs(step) + _SMALLEST_NORMAL_BITS - 1)
    if (magnitude > _LARGEST_BITS).any():
        raise EvaluationError(
            "scores too low to be told apart in float32; normalise the vectors to unit length"
        )
    lowered: NDArray[np.float32] = magnitude.astype(np.int32).view(np.float32)
    return np.where(step < 0, -lowered, lowered)


def _lists(pool: Pool, query: int) -> Iterator[tuple[Setting, int | None, str]]:
    """The ranked lists of a query that have a relevant candidate: setting, language (None: all), name."""
    relevant = pool.qrels[pool.offsets[query] : pool.offsets[query + 1], 1]
    name, own = pool.query_ids[query], int(pool.query_language[query])
    for language in np.unique(pool.candidate_language[relevant]).tolist():
        if language == own:
            yield "mono", language, name
        else:
            yield "cross", language, f"{name}@{pool.languages[language]}"
    if len(relevant):
        yield "multi", None, name


def _check_trec(benchmark: str, pool: Pool, paths: Mapping[Setting, Path], tag: str) -> None:
    unknown = [setting for setting in paths if setting not in SETTINGS]
    if unknown:
        raise EvaluationError(f"no setting {unknown[0]!r}; the settings are {', '.join(SETTINGS)}")
    if not paths:
        raise EvaluationError("no setting to write; name a file for at least one of " + ", ".join(SETTINGS))
    for kind, names in (
        ("query id", pool.query_ids),
        ("candidate id", pool.candidate_ids),
        ("run tag", (tag,)),
    ):
        for name in names:
            if name.split() != [name]:
                raise EvaluationError(
                    f"{benchmark}: {kind} {name!r} is empty or holds white space, which TREC files"
                    " cannot hold"
                )


@contextmanager
def text_file(path: Path) -> Iterator[TextIO]:
    """Open a file for writing that is there whole or not at all; compressed where its name ends in `.gz`."""
    with finished_file(path) as temporary, temporary.open("wb") as raw:
        if path.suffix == ".gz":
            # No name and no time, so that the same run gives the same bytes.
            with (
                gzip.GzipFile("", "wb", _GZIP_LEVEL, raw, mtime=0) as packed,
                io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as text,
            ):
                yield text
        else:
            with io.TextIOWrapper(raw, encoding="utf-8", newline="\n") as text:
                yield text
