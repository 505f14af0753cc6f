"""Queries, judgements and a corpus of passages by language: MIRACL and Mr. TyDi.

MIRACL, of which the corpus is published apart (both folders in one source folder):

    miracl-v1.0-xx/topics/topics.miracl-v1.0-xx-SPLIT.tsv       query id, query
    miracl-v1.0-xx/qrels/qrels.miracl-v1.0-xx-SPLIT.tsv         query id, Q0, passage id, 1 or 0
    miracl-corpus-v1.0-xx/docs-N.jsonl.gz                       {"docid": "1#0", "title": "...", "text": "..."}

Mr. TyDi, as its archives are; or, as on the hub, records of Tevatron's form in mrtydi-v1.1-arabic/SPLIT.jsonl.gz:

    mrtydi-v1.1-arabic/topic.SPLIT.tsv                          query id, query
    mrtydi-v1.1-arabic/qrels.SPLIT.txt                          query id, Q0, passage id, 1
    mrtydi-v1.1-arabic/collection/docs.jsonl.gz                 {"id": "1#0", "contents": "title, blank line, text"}

The queries of two languages are no translations of one another, so ids begin with the language.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from isogloss.corpus.published.languages import chosen_language, coded_language, named_language
from isogloss.corpus.published.reading import Json, Reading, Records, find_files
from isogloss.corpus.published.text_table import TextTable
from isogloss.corpus.published.triplets import tevatron_records
from isogloss.corpus.records import Defect
from isogloss.errors import CorpusError

_MIRACL = re.compile(r"miracl(?:-corpus)?-v1\.0-([a-z]{2,3})(?=[-./]|$)")


@dataclass(frozen=True)
class _Files:
    topics: Path
    qrels: Path
    passages: tuple[Path, ...]


def read_miracl(source: Path, reading: Reading) -> Records:
    """An item a query and relevant passage; passages judged not relevant are its negatives."""
    split = reading.options.split or "train"
    files = find_files(source, (".tsv", ".jsonl.gz", ".jsonl"))
    by_language: dict[str, dict[str, list[Path]]] = {}
    for path in files:
        match = _MIRACL.search(str(path.relative_to(source.parent)))
        language = coded_language(match[1]) if match else None
        if language is None:
            continue
        for part in ("topics", "qrels"):
            if path.name.startswith(f"{part}.") and path.name.endswith(f"-{split}.tsv"):
                by_language.setdefault(language, {}).setdefault(part, []).append(path)
        if path.name.startswith("docs"):
            by_language.setdefault(language, {}).setdefault("docs", []).append(path)
    names = {"topics": f"topics.*-{split}.tsv", "qrels": f"qrels.*-{split}.tsv", "docs": "docs-*.jsonl.gz"}
    for language, found in _complete(source, reading, by_language, names):
        yield from _judged(reading, language, found, "miracl", "docid")


def read_mr_tydi(source: Path, reading: Reading) -> Records:
    """An item a query and relevant passage, of archives or of the hub's records."""
    split = reading.options.split or "train"
    if source.is_file():
        yield from _hub_records(reading, [source])
        return
    files = find_files(source, (".tsv", ".txt", ".jsonl.gz", ".jsonl"))
    records = [path for path in files if path.name in (f"{split}.jsonl.gz", f"{split}.jsonl")]
    if records:
        yield from _hub_records(reading, records)
        return
    by_language: dict[str, dict[str, list[Path]]] = {}
    for path in files:
        language = named_language(str(path.relative_to(source.parent)))
        parts = {f"topic.{split}.tsv": "topics", f"qrels.{split}.txt": "qrels"}
        part = parts.get(path.name) or ("docs" if path.name.startswith("docs.jsonl") else None)
        if language is not None and part is not None:
            by_language.setdefault(language, {}).setdefault(part, []).append(path)
    names = {
        "topics": f"topic.{split}.tsv",
        "qrels": f"qrels.{split}.txt",
        "docs": "collection/docs.jsonl.gz",
    }
    for language, found in _complete(source, reading, by_language, names):
        yield from _judged(reading, language, found, "mr-tydi", "id")


def _hub_records(reading: Reading, paths: list[Path]) -> Records:
    chosen = [
        (path, chosen_language(reading.options, path, named_language(str(path.absolute().parent.name))))
        for path in paths
    ]
    reading.expect(*(path for path, language in chosen if language is not None))
    for path, language in chosen:
        if language is not None:
            yield from tevatron_records(reading, path, language, "mr-tydi", f"{language}-")


def _complete(
    source: Path, reading: Reading, by_language: dict[str, dict[str, list[Path]]], names: dict[str, str]
) -> Iterator[tuple[str, _Files]]:
    """The languages with all files, the others counted; an error where there is none."""
    complete: list[tuple[str, _Files]] = []
    for language, found in sorted(by_language.items()):
        if reading.options.languages and language not in reading.options.languages:
            continue
        if missing := [names[part] for part in names if part not in found]:
            reading.skipped[f"languages without {' and '.join(missing)}: {language}"] += 1
            continue
        complete.append(
            (language, _Files(found["topics"][0], found["qrels"][0], tuple(sorted(found["docs"]))))
        )
    if not complete:
        raise CorpusError(f"{source}: no language with all of {', '.join(names.values())}")
    for _, files in complete:
        reading.expect(files.topics, files.qrels, files.qrels, *files.passages)
    yield from complete


def _judged(reading: Reading, language: str, files: _Files, dataset: str, id_field: str) -> Records:
    def passage_id(line: bytes) -> bytes:
        try:
            return str(json.loads(line)[id_field]).encode()
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"no passage with the field {id_field!r} ({error})") from error

    def query_id(line: bytes) -> bytes:
        return line.partition(b"\t")[0]

    wanted = {
        judgement[1].encode()
        for _, judgement in _judgements(reading, files.qrels)
        if not isinstance(judgement, Defect)
    }
    queries, passages = TextTable(reading, query_id), TextTable(reading, passage_id, wanted)
    for table, paths in ((queries, (files.topics,)), (passages, files.passages)):
        for path in paths:
            for place, defect in table.add(path):
                yield place, defect._replace(language=language)
        table.close()
    ordered = _judgements(reading, files.qrels)
    for _, group in groupby(
        ordered, key=lambda judged: judged[1][0] if not isinstance(judged[1], Defect) else None
    ):
        judged = []
        for place, judgement in group:
            if isinstance(judgement, Defect):
                yield place, judgement._replace(language=language)
            else:
                judged.append((place, *judgement))
        if judged:
            yield from _query(reading, language, dataset, queries, passages, judged)


def _query(
    reading: Reading,
    language: str,
    dataset: str,
    queries: TextTable,
    passages: TextTable,
    judged: list[tuple[int, str, str, bool]],
) -> Records:
    query = judged[0][1]
    line = queries.find([query.encode()])[0]
    if line is None:
        reading.skipped["judged queries that are not among the topics"] += 1
        return
    found = passages.find([passage.encode() for _, _, passage, _ in judged])
    missing = sum(one is None for one in found)
    if missing:
        reading.skipped["judged passages that are not in the corpus"] += missing
    texts = [_title_and_text(one) if one is not None else None for one in found]
    negatives = [text[1] for text, one in zip(texts, judged, strict=True) if text is not None and not one[3]]
    positives = [(text, one) for text, one in zip(texts, judged, strict=True) if text is not None and one[3]]
    if not positives:
        reading.skipped["queries without a relevant passage"] += 1
    asked = line.partition(b"\t")[2].decode("utf-8", errors="replace")
    for number, ((title, text), (place, _, _, _)) in enumerate(positives, start=1):
        item = f"{language}-{query}" + (f"#{number}" if number > 1 else "")
        record = reading.record(
            item, language, asked, text, title=title, negatives=negatives, dataset=dataset
        )
        if record is not None:
            yield place, record


def _judgements(reading: Reading, path: Path) -> Iterator[tuple[int, tuple[str, str, bool] | Defect]]:
    for place, line in reading.text_lines(path):
        if isinstance(line, Defect):
            yield place, line
            continue
        found = line.split()
        if len(found) != 4 or not found[3].lstrip("-").isdigit():
            yield place, Defect("wrong-type", "expected query id, Q0, passage id and a grade")
        else:
            yield place, (found[0], found[2], int(found[3]) > 0)


def _title_and_text(line: bytes) -> tuple[str | None, object]:
    passage: Json = json.loads(line)
    if "contents" in passage:
        title, blank, text = str(passage["contents"]).partition("\n\n")
        return (title.strip(), text) if blank else (None, title)
    return passage.get("title") or None, passage.get("text")
