"""Training files of other tools, JSON Lines: sentence-transformers, FlagEmbedding, Tevatron.

    sentence-transformers   {"anchor": "...", "positive": "...", "negative": "..."}, also negative_1, negative_2, ...;
                            ["anchor", "positive", "negative"]; or {"query": "...", "pos": ["..."], "neg": ["..."]}
    FlagEmbedding           {"query": "...", "pos": ["..."], "neg": ["..."]}
    Tevatron                {"query_id": "1", "query": "...", "positive_passages": [{"docid": "1", "title": "...",
                             "text": "..."}], "negative_passages": [...]}

None of them says its language: `--language` does. A query with several positives is an item for each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from isogloss.corpus.published.languages import chosen_language
from isogloss.corpus.published.reading import (
    SHAPE_ERRORS,
    Json,
    Reading,
    Records,
    find_files,
    name_in,
    of_split,
    shaped,
)
from isogloss.corpus.records import Defect

_NEGATIVE = re.compile(r"negative(?:_\d+)?")
_ANCHORS = ("anchor", "query", "question", "sentence1")
_POSITIVES = ("positive", "answer", "sentence2")

# What an entry holds: query, positives with titles, negatives.
_Parts = tuple[object, list[tuple[object, object]], list[object]]


def read_sentence_transformers(source: Path, reading: Reading) -> Records:
    """An item a line, or a positive where a line has several."""
    yield from _read(source, reading, "sentence-transformers", _triplet)


def read_flag_embedding(source: Path, reading: Reading) -> Records:
    """An item a positive passage."""
    yield from _read(source, reading, "FlagEmbedding", _query_pos_neg)


def read_tevatron(source: Path, reading: Reading) -> Records:
    """An item a positive passage, under the query's id."""
    for path, language in _files(source, reading):
        yield from tevatron_records(reading, path, language, None, "")


def tevatron_records(
    reading: Reading, path: Path, language: str, dataset: str | None, prefix: str
) -> Records:
    """The records of a file of Tevatron's form.

    Args:
        reading: reads it.
        path: the file.
        language: its language.
        dataset: the data set's name.
        prefix: what ids begin with.
    """

    def parts(entry: Json) -> _Parts:
        positives = [(one.get("title"), one["text"]) for one in entry["positive_passages"]]
        return entry["query"], positives, [one["text"] for one in entry.get("negative_passages") or []]

    yield from _entries(
        reading, path, language, dataset, "Tevatron", parts, lambda entry, _: f"{prefix}{entry['query_id']}"
    )


def _read(source: Path, reading: Reading, form: str, parts: Callable[[Json], _Parts]) -> Records:
    for path, language in _files(source, reading):
        stem = reading.name_of(path, name_in(source, path))
        yield from _entries(reading, path, language, None, form, parts, partial(_numbered, stem))


def _numbered(stem: str, _: Json, line: int) -> str:
    return f"{stem}-{line}"


def _files(source: Path, reading: Reading) -> Iterator[tuple[Path, str]]:
    files = of_split(source, find_files(source, (".jsonl", ".jsonl.gz")), reading)
    reading.expect(*files)
    for path in files:
        language = chosen_language(reading.options, path, None)
        assert language is not None
        yield path, language


def _entries(
    reading: Reading,
    path: Path,
    language: str,
    dataset: str | None,
    form: str,
    parts: Callable[[Json], _Parts],
    name: Callable[[Json, int], str],
) -> Records:
    for number, (place, entry) in enumerate(reading.json_lines(path), start=1):
        if isinstance(entry, Defect):
            yield place, entry
            continue
        try:
            query, positives, negatives = parts(entry)
            item = name(entry, number)
        except SHAPE_ERRORS as error:
            yield place, shaped(form, error)
            continue
        if not positives:
            reading.skipped["queries without a positive passage"] += 1
        texts = {text for _, text in positives if isinstance(text, str)}
        near = [negative for negative in negatives if negative not in texts]
        for count, (title, text) in enumerate(positives, start=1):
            record = reading.record(
                item + (f"#{count}" if count > 1 else ""),
                language,
                query,
                text,
                title=title,
                negatives=near,
                dataset=dataset,
            )
            if record is not None:
                yield place, record


def _query_pos_neg(entry: Json) -> _Parts:
    return entry["query"], [(None, text) for text in _several(entry["pos"])], _several(entry.get("neg"))


def _triplet(entry: Json) -> _Parts:
    if isinstance(entry, list):
        if len(entry) < 2:
            raise ValueError(f"a list of {len(entry)}, expected anchor, positive and perhaps negatives")
        return entry[0], [(None, entry[1])], entry[2:]
    if "pos" in entry:
        return _query_pos_neg(entry)
    anchor = next((entry[key] for key in _ANCHORS if key in entry), None)
    positive = next((entry[key] for key in _POSITIVES if key in entry), None)
    if anchor is None or positive is None:
        raise ValueError(f"expected anchor and positive, found {', '.join(map(str, entry))}")
    negatives = [one for key, value in entry.items() if _NEGATIVE.fullmatch(key) for one in _several(value)]
    return anchor, [(None, positive)], negatives


def _several(value: Json) -> list[object]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
