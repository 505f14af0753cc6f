"""Queries and graded relevance (qrels) of a large corpus: MIRACL's topics and TREC qrels, BEIR's files."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from isogloss.corpus.jsonl import jsonl_source
from isogloss.corpus.passages import record_id, record_language, record_metadata, record_objects, record_text
from isogloss.corpus.records import RecordSource
from isogloss.errors import BenchmarkError

QUERY_SUFFIXES = (".jsonl", ".jsonl.gz", ".tsv")

_ID_KEYS = ("_id", "qid", "query_id", "id")
QUERY_FIELDS = (*_ID_KEYS, "text", "query", "language", "parallel_id", "metadata")
_TREC, _BEIR = 4, 3

Qrels = Mapping[str, Mapping[str, int]]
"""For each query id the judged passage ids and their relevance; above 0 is relevant."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query.

    Attributes:
        id: unique in its file, without white space.
        text: what is asked.
        language: the standard form of its language code, or None where the record has none.
        parallel_id: what it shares with its translations, or None where the record does not tell.
    """

    id: str
    text: str
    language: str | None = None
    parallel_id: str | None = None


def read_queries(path: Path) -> list[Query]:
    """Read queries: JSON Lines (`_id`, `text`, optionally `language`, `parallel_id`) or lines of id, tab, text.

    The optional fields may stand in `metadata`.

    Raises:
        BenchmarkError: a line of a `.tsv` is no query, an id comes twice, a text is empty, or there are no queries.
        CorpusError: a record of a `.jsonl` is wrong.
    """
    queries: dict[str, Query] = {}
    for where, query in _tsv_queries(path) if path.suffix == ".tsv" else _jsonl_queries(path):
        if query.id in queries:
            raise BenchmarkError(f"{where}: query id {query.id!r} comes twice; ids must be unique")
        if not query.text.strip():
            raise BenchmarkError(f"{where}: query {query.id!r} has no text")
        queries[query.id] = query
    if not queries:
        raise BenchmarkError(f"{path}: no queries in this file")
    return list(queries.values())


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Read qrels in TREC form (query, anything, passage, relevance) or BEIR's (query, passage, relevance).

    A first line of column names, as BEIR's files have it, is passed over.

    Raises:
        BenchmarkError: a line has another number of columns or no whole number as its relevance, a pair is judged
            twice, or no pair is relevant.
    """
    qrels: dict[str, dict[str, int]] = {}
    width = 0
    for number, line in _lines(path):
        columns = line.split()
        if not columns:
            continue
        if width not in (0, len(columns)) or len(columns) not in (_TREC, _BEIR):
            raise BenchmarkError(
                f"{path}:{number}: {len(columns)} columns; expected {width or '4 (TREC) or 3 (BEIR)'} in every line"
            )
        first, width = width == 0, len(columns)
        query, passage, relevance = columns[0], columns[-2], columns[-1]
        if not relevance.removeprefix("-").isdecimal():
            if first and number == 1:
                continue
            raise BenchmarkError(f"{path}:{number}: the relevance {relevance!r} is not a whole number")
        judged = qrels.setdefault(query, {})
        if passage in judged:
            raise BenchmarkError(f"{path}:{number}: passage {passage!r} is judged twice for query {query!r}")
        judged[passage] = int(relevance)
    if not any(relevance > 0 for judged in qrels.values() for relevance in judged.values()):
        raise BenchmarkError(f"{path}: no passage is relevant to any query, so there is nothing to measure")
    return qrels


def _jsonl_queries(path: Path) -> Iterator[tuple[str, Query]]:
    source = jsonl_source(path)
    for place, fields in record_objects(source):
        yield source.describe(place), query_of_record(source, place, fields)


def query_of_record(source: RecordSource, place: int, record: Mapping[str, object]) -> Query:
    """The query of a record with the fields `QUERY_FIELDS`.

    Raises:
        CorpusError: it has no id, or a field is wrong.
    """
    return Query(
        record_id(source, place, record, _ID_KEYS),
        record_text(source, place, record, "text" if "text" in record else "query"),
        record_language(source, place, record),
        record_text(source, place, record, "parallel_id")
        or record_text(source, place, record_metadata(record), "parallel_id")
        or None,
    )


def _tsv_queries(path: Path) -> Iterator[tuple[str, Query]]:
    for number, line in _lines(path):
        if not line.strip():
            continue
        name, tab, text = line.partition("\t")
        if not tab or name.split() != [name]:
            raise BenchmarkError(f"{path}:{number}: expected a query id, a tab and the query")
        yield f"{path}:{number}", Query(name, text)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    number = 0
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                yield number, line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise BenchmarkError(f"{path}:{number + 1}: invalid UTF-8 near here ({error.reason})") from error
    except (EOFError, OSError, zlib.error) as error:
        raise BenchmarkError(f"{path}: cannot read after line {number}: {error}") from error
