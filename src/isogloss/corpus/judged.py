"""A folder in BEIR's form as a benchmark of the three settings: every passage and query says its language.

    corpus.jsonl        {"_id": "de-1", "title": "", "text": "...", "metadata": {"language": "de"}}
    queries.jsonl       {"_id": "q1", "text": "...", "metadata": {"language": "en", "parallel_id": "1"}}
    qrels/SPLIT.tsv     query-id, corpus-id, score, with a first line of column names

The pool is all passages; what is relevant to a query is what the qrels say, above 0 being relevant, in whatever
language. `parallel_id` is what a query shares with its translations. The larger world of such folders, streamed and
measured as one corpus, is in `isogloss.evaluation.collections`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from isogloss.corpus.benchmark import RetrievalBenchmark
from isogloss.corpus.collection import find_collections, passage_files
from isogloss.corpus.judgements import Query, read_qrels, read_queries
from isogloss.corpus.passages import (
    PASSAGE_ID_KEYS,
    passage_source,
    record_id,
    record_language,
    record_metadata,
    record_objects,
    record_text,
)
from isogloss.corpus.records import RecordSource
from isogloss.errors import BenchmarkError

LARGEST_BYTES = 2 * 10**9
"""Of passages that are read into memory; with more the folder is one for `isogloss evaluate --work`."""

_AS_A_COLLECTION = "`isogloss evaluate --work FOLDER` measures it as one large corpus"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One passage of the pool.

    Attributes:
        id: unique, without white space.
        text: what a model encodes.
        language: the standard form of its language code.
        parallel_ids: the items that it answers; None where the record does not tell.
    """

    id: str
    text: str
    language: str
    parallel_ids: tuple[str, ...] | None = None


def names_languages(folder: Path) -> bool:
    """Whether a folder holds one corpus in BEIR's form whose first passage says its language.

    Raises:
        CorpusError: the first passage cannot be read.
    """
    if not folder.is_dir():
        return False
    for path in passage_files(folder):
        source = passage_source(path)
        for place, record in record_objects(source):
            return record_language(source, place, record) is not None
    return False


def read_judged_folder(folder: Path, *, split: str | None = None) -> RetrievalBenchmark:
    """Read a folder in BEIR's form, all its passages one pool.

    Queries without a relevant passage are left out. Where no query says its parallel id, each is its own item. A
    passage's text is its title and text joined by a space, and exactly its text where it has no title.

    Args:
        folder: the folder.
        split: which qrels; None takes the only ones besides "train".

    Raises:
        CorpusError: a record is wrong.
        BenchmarkError: a file is missing, the qrels do not fit the queries and passages, some passages or queries have
            no language, or the passages are too large for memory.
    """
    found = find_collections(folder, split=split)
    if len(found) != 1 or found[0].language is not None:
        raise BenchmarkError(
            f"{folder}: a corpus for each language, not one in all of them; {_AS_A_COLLECTION}"
        )
    collection = found[0]
    size = sum(path.stat().st_size for path in collection.passages)
    if size > LARGEST_BYTES:
        raise BenchmarkError(
            f"{folder}: {size / 1e9:.1f} GB of passages, more than is read into memory; {_AS_A_COLLECTION}"
        )
    qrels = read_qrels(collection.qrels)
    queries = read_queries(collection.queries)
    if missing := sorted(set(qrels) - {query.id for query in queries}):
        raise BenchmarkError(
            f"{collection.qrels}: {len(missing)} of {len(qrels)} judged queries, the first {missing[0]!r}, are not in"
            f" {collection.queries}; check that the two files belong together"
        )
    return judged_benchmark(
        collection.name,
        queries,
        [candidate for path in collection.passages for candidate in read_candidates(path)],
        qrels,
        where=str(folder),
    )


def judged_benchmark(
    name: str,
    queries: Sequence[Query],
    candidates: Iterable[Candidate],
    qrels: Mapping[str, Mapping[str, int]],
    *,
    where: str,
) -> RetrievalBenchmark:
    """Put queries, candidates and qrels together.

    Args:
        name: of the benchmark.
        queries: with their languages; those without a relevant candidate are left out.
        candidates: in any order.
        qrels: relevance by query id and candidate id, above 0 relevant.
        where: begins error messages.

    Raises:
        BenchmarkError: a query has no language, only some have a parallel id, or a relevant candidate is not there.
    """
    pool = sorted(candidates, key=lambda candidate: candidate.id)
    position = {candidate.id: number for number, candidate in enumerate(pool)}
    if len(position) < len(pool):
        twice = next(one.id for one, other in pairwise(pool) if one.id == other.id)
        raise BenchmarkError(f"{where}: candidate id {twice!r} comes twice; ids must be unique in the pool")
    asked = [query for query in queries if any(grade > 0 for grade in qrels.get(query.id, {}).values())]
    for query in asked:
        if query.language is None:
            raise BenchmarkError(f"{where}: query {query.id!r} has no language; give metadata.language")
    without = [query.id for query in asked if query.parallel_id is None]
    if 0 < len(without) < len(asked):
        raise BenchmarkError(
            f"{where}: query {without[0]!r} has no parallel id, but others have; give all queries"
            " metadata.parallel_id, or none"
        )
    pairs: list[tuple[int, int]] = []
    answers: list[set[str]] = [set() for _ in pool]
    lost: list[str] = []
    for number, query in enumerate(asked):
        relevant = [candidate for candidate, grade in qrels[query.id].items() if grade > 0]
        lost += [candidate for candidate in relevant if candidate not in position]
        for candidate in sorted(position[one] for one in relevant if one in position):
            pairs.append((number, candidate))
            answers[candidate].add(query.parallel_id or query.id)
    if lost:
        raise BenchmarkError(
            f"{where}: {len(lost)} relevant passages, the first {lost[0]!r}, are not in the corpus; check that the"
            f" files belong together ({_AS_A_COLLECTION}, where they count as never found)"
        )
    told = any(candidate.parallel_ids is not None for candidate in pool)
    return RetrievalBenchmark(
        name=name,
        query_ids=[query.id for query in asked],
        query_texts=[query.text for query in asked],
        query_languages=[query.language or "" for query in asked],
        query_parallel_ids=[query.parallel_id or query.id for query in asked],
        candidate_ids=[candidate.id for candidate in pool],
        candidate_texts=[candidate.text for candidate in pool],
        candidate_languages=[candidate.language for candidate in pool],
        candidate_parallel_ids=(
            [list(candidate.parallel_ids or ()) for candidate in pool] if told else list(map(sorted, answers))
        ),
        qrels=np.array(pairs, np.int64).reshape(-1, 2),
    )


def read_candidates(path: Path, otherwise: Callable[[], str] | None = None) -> Iterator[Candidate]:
    """Yield the passages of a file.

    Args:
        path: a `.jsonl`, `.jsonl.gz` or `.parquet` file.
        otherwise: gives the language of records that say none; where it is None, they are an error.

    Raises:
        CorpusError: a record is wrong, or says no language.
    """
    source = passage_source(path)
    for place, record in record_objects(source):
        name = record_id(source, place, record, PASSAGE_ID_KEYS)
        if record.get("text") is None:
            raise source.error(place, "the field 'text' is missing")
        title, text = (record_text(source, place, record, key) for key in ("title", "text"))
        said = record_language(source, place, record)
        if said is None and otherwise is not None:
            said = otherwise()
        if said is None:
            raise source.error(
                place,
                f"passage {name!r} has no language; give all of them metadata.language ({_AS_A_COLLECTION})",
            )
        yield Candidate(
            name, f"{title} {text}".strip() if title else text, said, _parallel_ids(source, place, record)
        )


def _parallel_ids(source: RecordSource, place: int, record: Mapping[str, object]) -> tuple[str, ...] | None:
    value = record.get("parallel_ids") or record_metadata(record).get("parallel_ids")
    if value is None:
        return None
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise source.error(place, f"parallel_ids must be a list of strings, not {value!r:.60}")
    return tuple(value)
