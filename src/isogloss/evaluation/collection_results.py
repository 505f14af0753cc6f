"""Results of retrieval over large corpora: `results.json`, per-query values, run and qrels files.

    format                                            "collections 1"
    settings.{mono,cross,multi}.{ndcg@10,recall@100,map@100,mrr@10}.{mean,by_language}    cross also by_pair
    counts.{mono,cross,multi}.{queries,by_language}                                       cross also by_pair
    model, data.{name,split,checksum,languages,queries,left_out,candidates,relevant,lost,collections}, versions,
    seconds.{encoding,ranking,total}

A setting that no query is in is not there. `left_out` counts judged queries without a relevant passage, `lost` the
relevant pairs whose passage the corpus lacks.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from isogloss._version import __version__
from isogloss.evaluation.collections import MEASURES, CollectionScores
from isogloss.evaluation.run_files import falling, text_file
from isogloss.evaluation.settings import SETTINGS, Setting, macro_average, pair_name
from isogloss.files import finished_file

COLLECTIONS_FORMAT = "collections 1"


def collection_results(
    scores: Sequence[CollectionScores],
    *,
    name: str,
    model: Mapping[str, Any],
    versions: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Turn the scores of one or more collections into the dictionary that `results.json` holds.

    Args:
        scores: at least one collection's.
        name: of the data.
        model: what JSON can hold that describes the model.
        versions: versions of further libraries; those of isogloss, Python and NumPy are always there.
    """
    languages = tuple(
        sorted({*(language for one in scores for language in one.languages), *_corpora(scores)})
    )
    there = [setting for setting in SETTINGS if any(setting in one.settings for one in scores)]
    checksums = [[one.collection.name, one.checksum] for one in scores]
    seconds = {stage: sum(one.seconds[stage] for one in scores) for stage in ("encoding", "ranking")}
    return {
        "format": COLLECTIONS_FORMAT,
        "model": dict(model),
        "data": {
            "name": name,
            "split": scores[0].collection.split,
            "checksum": hashlib.sha256(json.dumps(checksums).encode()).hexdigest(),
            "languages": list(languages),
            "queries": sum(len(one.queries) for one in scores),
            "left_out": sum(one.left_out for one in scores),
            "candidates": sum(one.survey.passages for one in scores),
            "relevant": sum(one.relevant for one in scores),
            "lost": sum(one.lost for one in scores),
            "collections": {
                one.collection.name: {
                    "checksum": one.checksum,
                    "candidates": one.survey.passages,
                    "queries": len(one.queries),
                }
                for one in scores
            },
        },
        "settings": {setting: _setting(scores, setting, languages) for setting in there},
        "counts": {setting: _counts(scores, setting) for setting in there},
        "versions": {
            "isogloss": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            **(versions or {}),
        },
        "seconds": {**seconds, "total": sum(seconds.values())},
    }


def write_collection_per_query(scores: Sequence[CollectionScores], path: Path) -> None:
    """Write every query's figures as Parquet: its collection, id, language and setting, and a column a measure.

    Raises:
        OutputError: the file cannot be written.
    """
    columns: dict[str, Any] = {
        "collection": [one.collection.name for one in scores for _ in one.queries],
        "query_id": [query.id for one in scores for query in one.queries],
        "query_language": [language for one in scores for language in one.languages],
        "setting": [setting for one in scores for setting in one.settings],
        **{measure: np.concatenate([one.values[measure] for one in scores]) for measure in MEASURES},
    }
    with finished_file(path) as temporary:
        pq.write_table(pa.table(columns), temporary)


def write_collection_runs(
    scores: Sequence[CollectionScores], folder: Path, *, depth: int, tag: str = "isogloss"
) -> None:
    """Write a TREC run and the qrels of the measured queries for each collection: `NAME.run.gz`, `NAME.qrels.gz`.

    Args:
        scores: the collections'.
        folder: where to, made if it is not there.
        depth: candidates a query, at most as many as were ranked.
        tag: the run's name, in the last column.

    Raises:
        EvaluationError: scores too low to be told apart.
        OutputError: a file cannot be written.
    """
    for one in scores:
        with text_file(folder / f"{one.collection.name}.run.gz") as file:
            for query, ranked in zip(one.queries, one.lists, strict=True):
                lines = zip(ranked.ids[:depth], falling(ranked.scores[:depth]).tolist(), strict=True)
                file.writelines(
                    f"{query.id} Q0 {candidate} {rank} {score:.9g} {tag}\n"
                    for rank, (candidate, score) in enumerate(lines, start=1)
                )
        with text_file(folder / f"{one.collection.name}.qrels.gz") as file:
            for query, judged in zip(one.queries, one.judged, strict=True):
                file.writelines(f"{query.id} 0 {passage} {grade}\n" for passage, grade in judged.items())


def _corpora(scores: Sequence[CollectionScores]) -> set[str]:
    return {
        language
        for one in scores
        for language in ((one.corpus_language,) if one.corpus_language else one.survey.languages)
    }


def _setting(
    scores: Sequence[CollectionScores], setting: Setting, languages: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    number = {language: place for place, language in enumerate(languages)}
    inside = [np.array([own == setting for own in one.settings], np.bool_) for one in scores]
    query_language = np.array([number[query] for query, _ in _pairs(scores, setting)], np.int64)
    corpus_language = np.array([number[corpus] for _, corpus in _pairs(scores, setting)], np.int64)
    figures = {}
    for measure in MEASURES:
        values = np.concatenate([one.values[measure][mask] for one, mask in zip(scores, inside, strict=True)])
        summary = macro_average(
            values, query_language, corpus_language if setting == "cross" else None, languages
        )
        figures[measure] = {"mean": summary.mean, "by_language": dict(summary.by_language)}
        if summary.by_pair is not None:
            figures[measure]["by_pair"] = dict(summary.by_pair)
    return figures


def _counts(scores: Sequence[CollectionScores], setting: Setting) -> dict[str, Any]:
    pairs = _pairs(scores, setting)
    counts: dict[str, Any] = {
        "queries": len(pairs),
        "by_language": dict(sorted(Counter(query for query, _ in pairs).items())),
    }
    if setting == "cross":
        counts["by_pair"] = dict(sorted(Counter(pair_name(*pair) for pair in pairs).items()))
    return counts


def _pairs(scores: Sequence[CollectionScores], setting: Setting) -> list[tuple[str, str]]:
    """The query's and the corpus's language of each query in a setting; the query's twice in multi."""
    return [
        (language, one.corpus_language or language)
        for one in scores
        for language, own in zip(one.languages, one.settings, strict=True)
        if own == setting
    ]
