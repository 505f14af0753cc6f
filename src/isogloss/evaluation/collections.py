"""Retrieval over corpora too large for memory: encode into shards, rank block by block, measure the first hundred.

A collection's queries rank its whole corpus. The setting is mono where the corpus is in the query's language or no
language is given, cross where it is in one other language, multi where it is in several.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogloss.corpus.collection import Collection, Survey, survey_passages
from isogloss.corpus.judgements import Qrels, Query, read_qrels, read_queries
from isogloss.corpus.passages import Passage, read_passages
from isogloss.encoding.encoder import Encoder, encode_distinct, running_total, uses_languages
from isogloss.encoding.shards import SHARD_PASSAGES, ShardFolder
from isogloss.errors import BenchmarkError, Interrupted
from isogloss.evaluation import graded
from isogloss.evaluation.model_evaluation import StageProgress
from isogloss.evaluation.settings import Setting
from isogloss.evaluation.top_k import RankedList, top_k

DEPTH = 100
"""How many candidates a query's list needs for the measures below."""

UNKNOWN_LANGUAGE = "und"
"""BCP-47 for a language that is not given."""

TEXT_FORM = "title, a space, text"

MEASURES: Mapping[str, Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]]] = {
    "ndcg@10": lambda found, relevant: graded.ndcg(found, relevant, 10),
    "recall@100": lambda found, relevant: graded.recall(found, relevant, 100),
    "map@100": lambda found, relevant: graded.average_precision(found, relevant, 100),
    "mrr@10": lambda found, relevant: graded.reciprocal_rank(found, relevant, 10),
}


@dataclass(frozen=True)
class CollectionScores:
    """One collection's lists and figures.

    Attributes:
        collection: where it lies.
        survey: its passages counted.
        checksum: SHA-256 in hexadecimal over passages, queries and qrels.
        queries: the m queries measured: those with a relevant passage.
        languages: for each of them its language; `UNKNOWN_LANGUAGE` where nothing tells it.
        settings: for each of them its setting.
        corpus_language: the corpus's language where it has exactly one that is known, else None.
        judged: for each of them the judged passages and their relevance.
        lists: for each of them its best passages.
        values: for each measure (m,) float64.
        left_out: judged queries without a relevant passage.
        relevant: relevant pairs.
        lost: relevant pairs whose passage the corpus lacks; they count as never found.
        seconds: how long encoding and ranking took.
    """

    collection: Collection
    survey: Survey
    checksum: str
    queries: Sequence[Query]
    languages: Sequence[str]
    settings: Sequence[Setting]
    corpus_language: str | None
    judged: Sequence[Mapping[str, int]]
    lists: Sequence[RankedList]
    values: Mapping[str, NDArray[np.float64]]
    left_out: int
    relevant: int
    lost: int
    seconds: Mapping[str, float]


def evaluate_collections(
    encoder: Encoder,
    collections: Sequence[Collection],
    work: Path,
    *,
    identity: Mapping[str, Any],
    depth: int = DEPTH,
    progress: StageProgress | None = None,
    shard_passages: int = SHARD_PASSAGES,
) -> list[CollectionScores]:
    """Measure retrieval in each collection; what is encoded stays in `work`, for a resume or another evaluation.

    Queries and qrels are held in memory; passages and their vectors a shard at a time.

    Args:
        encoder: the model.
        collections: as `find_collections` gives them.
        work: a folder of vectors for each collection is made in it, named after the collection.
        identity: what passage vectors depend on besides the texts (`passage_identity`); vectors that are there must
            have been made with the same.
        depth: candidates a list, at least `DEPTH`.
        progress: told of each stage.
        shard_passages: passages encoded and ranked at once, in new folders.

    Raises:
        DataError: something is wrong with the files, said with file and line; or qrels, queries and passages do not
            belong together.
        RecipeError: the vectors in `work` were made with other settings or files.
        Interrupted: by Ctrl-C; whole shards are kept.
        ModelError: the model fails.
        EvaluationError: its vectors cannot be ranked.
        OutputError: `work` cannot be written.
    """
    try:
        # All are looked through before the first text is encoded: hours later is too late for a broken line.
        prepared = [_prepare(one, work / one.name, identity, progress, shard_passages) for one in collections]
        return [_evaluate(encoder, one, max(depth, DEPTH), progress) for one in prepared]
    except KeyboardInterrupt:
        raise Interrupted(f"stopped: what is encoded is kept in {work}; the same command goes on") from None


@dataclass(frozen=True)
class _Prepared:
    """A collection that was read and found to be sound; attributes as in `CollectionScores`."""

    collection: Collection
    survey: Survey
    queries: list[Query]
    judged: list[Mapping[str, int]]
    left_out: int
    relevant: int
    lost: int
    shards: ShardFolder


def _prepare(
    collection: Collection,
    folder: Path,
    identity: Mapping[str, Any],
    progress: StageProgress | None,
    shard_passages: int,
) -> _Prepared:
    queries, qrels = _judged_queries(collection)
    measured = [query for query in queries if any(relevance > 0 for relevance in qrels[query.id].values())]
    judged = [qrels[query.id] for query in measured]
    relevant = [passage for one in judged for passage, relevance in one.items() if relevance > 0]
    survey = survey_passages(collection, relevant, _stage(progress, f"reading {collection.name} (files)"))
    lost = sum(passage not in survey.found for passage in relevant)
    if lost == len(relevant):
        raise BenchmarkError(
            f"{collection.qrels}: none of the {lost} relevant passages is in the corpus"
            f" ({collection.passages[0]} ...), the first {relevant[0]!r}; check that the files belong together"
        )
    shards = ShardFolder.open(
        folder,
        passages=survey.passages,
        settings={"model": identity, "text": TEXT_FORM, "files": survey.files},
        shard_passages=shard_passages,
    )
    left_out = len(queries) - len(measured)
    return _Prepared(collection, survey, measured, judged, left_out, len(relevant), lost, shards)


def _evaluate(
    encoder: Encoder, prepared: _Prepared, depth: int, progress: StageProgress | None
) -> CollectionScores:
    collection, queries = prepared.collection, prepared.queries
    began = time.perf_counter()
    prepared.shards.encode(
        encoder,
        lambda: _passages(collection, uses_languages(encoder)),
        _stage(progress, f"encoding {collection.name}"),
    )
    vectors, index = encode_distinct(
        encoder,
        [query.text for query in queries],
        "query",
        languages=[query.language or collection.language for query in queries],
    )
    encoded = time.perf_counter()
    lists = top_k(
        [query.id for query in queries],
        vectors,
        prepared.shards.blocks(),
        depth,
        query_index=index,
        progress=_running(_stage(progress, f"ranking {collection.name}"), prepared.survey.passages),
    )
    languages = [query.language or collection.language or UNKNOWN_LANGUAGE for query in queries]
    corpus_languages = [collection.language] if collection.language else list(prepared.survey.languages)
    return CollectionScores(
        collection=collection,
        survey=prepared.survey,
        checksum=_checksum(collection, prepared.survey),
        queries=queries,
        languages=languages,
        settings=[_setting(language, corpus_languages) for language in languages],
        corpus_language=corpus_languages[0] if len(corpus_languages) == 1 else None,
        judged=prepared.judged,
        lists=lists,
        values=measure_lists(lists, prepared.judged),
        left_out=prepared.left_out,
        relevant=prepared.relevant,
        lost=prepared.lost,
        seconds={"encoding": encoded - began, "ranking": time.perf_counter() - encoded},
    )


def _passages(collection: Collection, with_language: bool) -> Iterator[Passage]:
    """The passages; where their languages count, those that do not say it have that of the folder."""
    for passage in read_passages(collection.passages):
        if with_language and passage.language is None:
            yield replace(passage, language=collection.language)
        else:
            yield passage


def measure_lists(
    lists: Sequence[RankedList], judged: Sequence[Mapping[str, int]]
) -> dict[str, NDArray[np.float64]]:
    """Measure ranked lists of at least `DEPTH` candidates, or of all there are.

    Args:
        lists: m lists.
        judged: for each list the relevance of judged candidates by id, at least one above 0.

    Returns:
        For each of `MEASURES` (m,) float64.
    """
    relevant_of = [[relevance for relevance in one.values() if relevance > 0] for one in judged]
    found = np.zeros((len(lists), DEPTH), dtype=np.int64)
    relevant = np.zeros((len(lists), max(map(len, relevant_of), default=0)), dtype=np.int64)
    for row, (ranked, of_query, grades) in enumerate(zip(lists, judged, relevant_of, strict=True)):
        first = [of_query.get(candidate, 0) for candidate in ranked.ids[:DEPTH]]
        found[row, : len(first)], relevant[row, : len(grades)] = first, grades
    return {name: measure(found, relevant) for name, measure in MEASURES.items()}


def _judged_queries(collection: Collection) -> tuple[list[Query], Qrels]:
    queries, qrels = read_queries(collection.queries), read_qrels(collection.qrels)
    judged = [query for query in queries if query.id in qrels]
    if len(judged) != len(qrels):
        missing = sorted(set(qrels) - {query.id for query in judged})
        raise BenchmarkError(
            f"{collection.qrels}: {len(missing)} of {len(qrels)} judged queries, the first {missing[0]!r}, are not in"
            f" {collection.queries}; check that the two files belong together"
        )
    return judged, qrels


def _setting(language: str, corpus_languages: Sequence[str]) -> Setting:
    if len(corpus_languages) > 1:
        return "multi"
    return "mono" if not corpus_languages or language == corpus_languages[0] else "cross"


def _checksum(collection: Collection, survey: Survey) -> str:
    files: list[object] = [file["sha256"] for file in survey.files]
    for path in (collection.queries, collection.qrels):
        with path.open("rb") as file:
            files.append(hashlib.file_digest(file, "sha256").hexdigest())
    return hashlib.sha256(json.dumps(files).encode()).hexdigest()


def _stage(progress: StageProgress | None, stage: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(stage, done, total)


def _running(progress: Callable[[int, int], None] | None, total: int) -> Callable[[int], None] | None:
    return None if progress is None else running_total(lambda done: progress(done, total))
