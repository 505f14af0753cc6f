"""A retrieval benchmark: queries, a pool of candidates, and which candidate answers which query."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from isogloss.corpus.languages import is_language, standard_language
from isogloss.corpus.parallel import ParallelCorpus
from isogloss.corpus.reading import corpus_name
from isogloss.corpus.records import Defect
from isogloss.corpus.squad_r import language_files, read_paragraphs
from isogloss.errors import BenchmarkError

_Value = TypeVar("_Value")

_UNFIT = re.compile(r"[%\s]")


@dataclass(frozen=True, eq=False)
class RetrievalBenchmark:
    """Queries and candidates in several languages, with relevance.

    Attributes:
        name: the benchmark's name.
        query_ids: unique, without white space, one a query; likewise the next three.
        query_texts: query texts.
        query_languages: language codes.
        query_parallel_ids: the item a query asks about; parallel queries have the same one.
        candidate_ids: unique, without white space, in ascending order, one a candidate; likewise the next
            three.
        candidate_texts: candidate texts; not always distinct.
        candidate_languages: language codes.
        candidate_parallel_ids: the items that a candidate answers, often none.
        qrels: relevant pairs (query position, candidate position), int64 of shape (pairs, 2), in ascending
            order.

    Raises:
        BenchmarkError: the parts do not fit together, or a query has no relevant candidate.
    """

    name: str
    query_ids: list[str]
    query_texts: list[str]
    query_languages: list[str]
    query_parallel_ids: list[str]
    candidate_ids: list[str]
    candidate_texts: list[str]
    candidate_languages: list[str]
    candidate_parallel_ids: list[list[str]]
    qrels: NDArray[np.int64]

    def __post_init__(self) -> None:
        for side in ("query", "candidate"):
            ids = getattr(self, f"{side}_ids")
            for what in ("texts", "languages", "parallel_ids"):
                if len(getattr(self, f"{side}_{what}")) != len(ids):
                    count = len(getattr(self, f"{side}_{what}"))
                    raise self._error(f"{len(ids)} {side}_ids, but {count} {side}_{what}")
            if not ids:
                raise self._error("no queries" if side == "query" else "no candidates")
            if len(set(ids)) != len(ids):
                raise self._error(f"{side} id {_first_repeated(ids)!r} comes twice")
            spaced = [text for text in ids if not text or re.search(r"\s", text)]
            if spaced:
                raise self._error(
                    f"{side} id {spaced[0]!r} is empty or has white space: no id for a run file"
                )
        if self.candidate_ids != sorted(self.candidate_ids):
            raise self._error("candidates are not sorted by id")
        self._check_qrels()

    def _check_qrels(self) -> None:
        qrels = self.qrels
        if qrels.ndim != 2 or qrels.shape[1] != 2 or qrels.dtype != np.int64:
            raise self._error(
                f"qrels must be int64 of shape (pairs, 2), not {qrels.dtype} of shape {qrels.shape}"
            )
        limits = np.array([len(self.query_ids), len(self.candidate_ids)])
        if ((qrels < 0) | (qrels >= limits)).any():
            pair = qrels[((qrels < 0) | (qrels >= limits)).any(axis=1)][0].tolist()
            raise self._error(
                f"qrels pair {pair} lies outside {limits[0]} queries and {limits[1]} candidates"
            )
        keys = qrels[:, 0] * limits[1] + qrels[:, 1]
        if (np.diff(keys) <= 0).any():
            raise self._error("qrels are not in ascending order without repetition")
        unanswered = np.setdiff1d(np.arange(limits[0]), qrels[:, 0])
        if len(unanswered):
            raise self._error(f"query {self.query_ids[unanswered[0]]!r} has no relevant candidate")

    def _error(self, message: str) -> BenchmarkError:
        return BenchmarkError(f"benchmark {self.name!r}: {message}")

    def __repr__(self) -> str:
        return (
            f"<RetrievalBenchmark {self.name!r}: {len(self.query_ids)} queries, "
            f"{len(self.candidate_ids)} candidates in {', '.join(self.languages)}>"
        )

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages of queries and candidates, sorted."""
        return tuple(sorted({*self.query_languages, *self.candidate_languages}))

    @cached_property
    def checksum(self) -> str:
        """SHA-256 in hexadecimal over queries, candidates and qrels; the order of queries does not count."""
        relevant: dict[int, list[str]] = {}
        for query, candidate in self.qrels.tolist():
            relevant.setdefault(query, []).append(self.candidate_ids[candidate])
        queries = zip(
            self.query_ids, self.query_texts, self.query_languages, self.query_parallel_ids, strict=True
        )
        candidates = zip(
            self.candidate_ids,
            self.candidate_texts,
            self.candidate_languages,
            map(sorted, self.candidate_parallel_ids),
            strict=True,
        )
        lines = [*sorted((*query, relevant[number]) for number, query in enumerate(queries)), *candidates]
        digest = hashlib.sha256(b"isogloss benchmark 1\n")
        for line in lines:
            digest.update(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        return digest.hexdigest()

    def subset(self, languages: Iterable[str]) -> RetrievalBenchmark:
        """The benchmark in some of its languages: queries and candidates of the others are left out.

        Raises:
            BenchmarkError: the benchmark lacks a language, or a query loses all its relevant candidates.
        """
        wanted = {standard_language(code) if is_language(code) else code for code in languages}
        if missing := sorted(wanted - set(self.languages)):
            raise self._error(f"has no language {', '.join(missing)}; it has {', '.join(self.languages)}")
        queries = np.array([language in wanted for language in self.query_languages], np.bool_)
        candidates = np.array([language in wanted for language in self.candidate_languages], np.bool_)
        kept = self.qrels[queries[self.qrels[:, 0]] & candidates[self.qrels[:, 1]]]
        positions = [np.cumsum(queries) - 1, np.cumsum(candidates) - 1]
        return RetrievalBenchmark(
            name=self.name,
            query_ids=_kept(self.query_ids, queries),
            query_texts=_kept(self.query_texts, queries),
            query_languages=_kept(self.query_languages, queries),
            query_parallel_ids=_kept(self.query_parallel_ids, queries),
            candidate_ids=_kept(self.candidate_ids, candidates),
            candidate_texts=_kept(self.candidate_texts, candidates),
            candidate_languages=_kept(self.candidate_languages, candidates),
            candidate_parallel_ids=_kept(self.candidate_parallel_ids, candidates),
            qrels=np.stack([positions[0][kept[:, 0]], positions[1][kept[:, 1]]], axis=1).astype(np.int64),
        )

    @classmethod
    def from_corpus(cls, corpus: ParallelCorpus) -> RetrievalBenchmark:
        """The benchmark that a parallel corpus makes.

        Every version is a query. Candidates are the distinct passages and negatives of each language. A query
        is answered by its item's passage in every language the item exists in.
        """
        queries: list[_Query] = []
        candidates: dict[tuple[str, str], _Candidate] = {}
        numbers: dict[str, int] = {}

        def candidate(language: str, text: str) -> _Candidate:
            if (language, text) not in candidates:
                number = numbers[language] = numbers.get(language, -1) + 1
                candidates[language, text] = _Candidate(f"{language}-{number:06d}", text, language, [])
            return candidates[language, text]

        for version in corpus.versions():
            queries.append(_Query(version.id, version.query, version.language))
            candidate(version.language, version.passage).items.append(version.id)
            for negative in version.negatives:
                candidate(version.language, negative)
        return _assemble(corpus.name, queries, list(candidates.values()))

    @classmethod
    def from_squad_r(cls, folder: str | Path, *, name: str | None = None) -> RetrievalBenchmark:
        """The benchmark in a SQuAD-R folder: each sentence of each paragraph is a candidate, repeated or not.

        Raises:
            BenchmarkError: a file is damaged or not of the SQuAD-R form.
        """
        queries: list[_Query] = []
        candidates: list[_Candidate] = []
        for language, file in language_files(Path(folder)).items():
            for number, paragraph in enumerate(read_paragraphs(file)):
                if isinstance(paragraph, Defect):
                    raise BenchmarkError(f"{file}: {paragraph.message}")
                sentences = [
                    _Candidate(f"{language}-{number:05d}-{position:03d}", text, language, [])
                    for position, text in enumerate(paragraph.sentences)
                ]
                for question in paragraph.questions:
                    if isinstance(question, Defect):
                        raise BenchmarkError(f"{file}: id {question.id!r}: {question.message}")
                    queries.append(_Query(question.id, question.text, language))
                    sentences[question.sentence].items.append(question.id)
                candidates.extend(sentences)
        return _assemble(name or corpus_name(Path(folder)), queries, candidates)


@dataclass(slots=True)
class _Query:
    item: str
    text: str
    language: str

    @property
    def id(self) -> str:
        # No language code has a colon, so ids are unique; white space would break run files.
        return f"{self.language}:{_UNFIT.sub(_percent_encoded, self.item)}"


@dataclass(slots=True)
class _Candidate:
    id: str
    text: str
    language: str
    items: list[str]


def _assemble(name: str, queries: list[_Query], candidates: list[_Candidate]) -> RetrievalBenchmark:
    queries.sort(key=lambda query: query.language)
    candidates.sort(key=lambda candidate: candidate.id)
    answers: dict[str, list[int]] = {}
    for position, candidate in enumerate(candidates):
        for item in candidate.items:
            answers.setdefault(item, []).append(position)
    pairs = [(number, answer) for number, query in enumerate(queries) for answer in answers[query.item]]
    return RetrievalBenchmark(
        name=name,
        query_ids=[query.id for query in queries],
        query_texts=[query.text for query in queries],
        query_languages=[query.language for query in queries],
        query_parallel_ids=[query.item for query in queries],
        candidate_ids=[candidate.id for candidate in candidates],
        candidate_texts=[candidate.text for candidate in candidates],
        candidate_languages=[candidate.language for candidate in candidates],
        candidate_parallel_ids=[candidate.items for candidate in candidates],
        qrels=np.array(sorted(pairs), np.int64).reshape(-1, 2),
    )


def _kept(values: list[_Value], mask: NDArray[np.bool_]) -> list[_Value]:
    return [value for value, keep in zip(values, mask.tolist(), strict=True) if keep]


def _first_repeated(values: list[str]) -> str:
    return next(value for value, count in Counter(values).items() if count > 1)


def _percent_encoded(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())
