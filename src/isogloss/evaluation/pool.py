"""What is ranked: a benchmark's queries, candidates and qrels, checked and turned into integers.

The order of ties is decided here: of two candidates with the same score the one with the smaller id comes
first, ids compared as Python compares strings (by code point). Where a benchmark's candidates are not in the
order of their ids already, `Pool.tie_position` is that order; positions in results always refer to the
benchmark's own order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from isogloss.errors import EvaluationError


class Benchmark(Protocol):
    """What evaluation needs of a retrieval benchmark; `isogloss.corpus.RetrievalBenchmark` is one."""

    @property
    def name(self) -> str:
        """The benchmark's name, for people."""

    @property
    def query_ids(self) -> Sequence[str]:
        """One unique id a query."""

    @property
    def query_languages(self) -> Sequence[str]:
        """One language a query."""

    @property
    def candidate_ids(self) -> Sequence[str]:
        """One unique id a candidate."""

    @property
    def candidate_languages(self) -> Sequence[str]:
        """One language a candidate."""

    @property
    def qrels(self) -> NDArray[np.int64]:
        """(n, 2): a query's position and a relevant candidate's position."""

    @property
    def checksum(self) -> str:
        """A checksum over the content."""

    @property
    def languages(self) -> tuple[str, ...]:
        """All languages of queries and candidates, sorted."""


@dataclass(frozen=True)
class Pool:
    """A checked benchmark in integers.

    Attributes:
        languages: the languages; every language below is a position in this tuple.
        query_ids: Q query ids.
        candidate_ids: C candidate ids.
        query_language: (Q,) int64.
        candidate_language: (C,) int64.
        tie_order: (C,) int64, candidate positions by ascending id.
        tie_position: (C,) int64, the inverse: each candidate's place in that order.
        qrels: (n, 2) int64, sorted by query, then candidate.
        offsets: (Q + 1,) int64; query q's relevant candidates are `qrels[offsets[q]:offsets[q + 1], 1]`.
    """

    languages: tuple[str, ...]
    query_ids: tuple[str, ...]
    candidate_ids: tuple[str, ...]
    query_language: NDArray[np.int64]
    candidate_language: NDArray[np.int64]
    tie_order: NDArray[np.int64]
    tie_position: NDArray[np.int64]
    qrels: NDArray[np.int64]
    offsets: NDArray[np.int64]


def pool_of(benchmark: Benchmark) -> Pool:
    """Check a benchmark and turn it into integers.

    Raises:
        EvaluationError: no queries, candidates or qrels; an id twice; numbers of ids and languages that
            differ; a language that `benchmark.languages` lacks; qrels that are no (n, 2) integers, out of
            range or repeated.
    """
    name = benchmark.name
    query_ids, candidate_ids = tuple(benchmark.query_ids), tuple(benchmark.candidate_ids)
    languages = tuple(benchmark.languages)
    query_language = _sides(name, "query", query_ids, benchmark.query_languages, languages)
    candidate_language = _sides(name, "candidate", candidate_ids, benchmark.candidate_languages, languages)
    qrels = _checked_qrels(name, np.asarray(benchmark.qrels), query_ids, candidate_ids)
    tie_order = np.array(sorted(range(len(candidate_ids)), key=candidate_ids.__getitem__), dtype=np.int64)
    tie_position = np.empty_like(tie_order)
    tie_position[tie_order] = np.arange(len(tie_order))
    return Pool(
        languages=languages,
        query_ids=query_ids,
        candidate_ids=candidate_ids,
        query_language=query_language,
        candidate_language=candidate_language,
        tie_order=tie_order,
        tie_position=tie_position,
        qrels=qrels,
        offsets=np.searchsorted(qrels[:, 0], np.arange(len(query_ids) + 1)).astype(np.int64),
    )


def _sides(
    name: str, side: str, ids: tuple[str, ...], of_each: Sequence[str], languages: tuple[str, ...]
) -> NDArray[np.int64]:
    """Check the ids and languages of the queries or the candidates; return the languages as positions."""
    plural = "queries" if side == "query" else "candidates"
    if not ids:
        raise EvaluationError(
            f"{name}: no {plural}, so there is nothing to rank; check the data's languages and filters"
        )
    if len(of_each) != len(ids):
        raise EvaluationError(
            f"{name}: {len(ids)} {side} ids but {len(of_each)} {side} languages; give one each"
        )
    identifier, times = Counter(ids).most_common(1)[0]
    if times > 1:
        raise EvaluationError(f"{name}: {side} id {identifier!r} occurs {times} times; ids must be unique")
    position = {language: number for number, language in enumerate(languages)}
    for identifier, language in zip(ids, of_each, strict=True):
        if language not in position:
            known = ", ".join(languages)
            raise EvaluationError(
                f"{name}: {side} {identifier!r} has language {language!r}, not one of the"
                f" benchmark's: {known}"
            )
    return np.array([position[language] for language in of_each], dtype=np.int64)


def _checked_qrels(
    name: str, qrels: NDArray[np.int64], query_ids: tuple[str, ...], candidate_ids: tuple[str, ...]
) -> NDArray[np.int64]:
    if not qrels.size:
        raise EvaluationError(f"{name}: no relevant candidate for any query, so there is nothing to measure")
    if qrels.ndim != 2 or qrels.shape[1] != 2 or not np.issubdtype(qrels.dtype, np.integer):
        raise EvaluationError(
            f"{name}: qrels are {qrels.dtype} of shape {qrels.shape}; expected integers (n, 2)"
        )
    outside = (qrels < 0) | (qrels >= (len(query_ids), len(candidate_ids)))
    if outside.any():
        row = int(np.flatnonzero(outside.any(axis=1))[0])
        raise EvaluationError(
            f"{name}: qrels row {row} is {tuple(qrels[row].tolist())}, outside the"
            f" {len(query_ids)} queries and {len(candidate_ids)} candidates"
        )
    ordered = qrels[np.lexsort((qrels[:, 1], qrels[:, 0]))].astype(np.int64)
    repeated = np.flatnonzero((ordered[1:] == ordered[:-1]).all(axis=1))
    if repeated.size:
        query, candidate = ordered[repeated[0]]
        raise EvaluationError(
            f"{name}: the qrels name candidate {candidate_ids[candidate]!r} twice for query"
            f" {query_ids[query]!r}"
        )
    return ordered
