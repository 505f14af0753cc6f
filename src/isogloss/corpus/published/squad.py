"""SQuAD's form: articles with paragraphs, and questions about them; also XQuAD, MLQA, SQuADShifts and GoldP.

    {"data": [{"title": "...", "paragraphs": [{"context": "...", "qas": [{"id": "...", "question": "...",
        "answers": [{"text": "...", "answer_start": 7}]}]}]}]}

Version 2 has questions without an answer, marked `is_impossible`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from isogloss.corpus.published.languages import chosen_language, coded_language
from isogloss.corpus.published.reading import (
    SHAPE_ERRORS,
    Json,
    Reading,
    Records,
    find_files,
    of_split,
    shaped,
)
from isogloss.corpus.published.sentences import sentence_at
from isogloss.corpus.records import Defect

_XQUAD = re.compile(r"xquad\.([a-z]{2,3})\.json")
_MLQA = re.compile(r"(?:test|dev)-context-([a-z]{2,3})-question-([a-z]{2,3})\.json")


def read_squad(source: Path, reading: Reading) -> Records:
    """An item a question, in English where nothing else is said."""
    yield from _files(source, reading, "squad", lambda _: None, usual="en", parallel=False)


def read_squadshifts(source: Path, reading: Reading) -> Records:
    """As `read_squad`; the sets have no training part."""
    yield from _files(source, reading, "squadshifts", lambda _: None, usual="en", parallel=False)


def read_xquad(source: Path, reading: Reading) -> Records:
    """An item a question in all languages that there is a `xquad.LANGUAGE.json` of."""

    def told(path: Path) -> str | None:
        match = _XQUAD.fullmatch(path.name)
        return coded_language(match[1]) if match else None

    yield from _files(source, reading, "xquad", told, usual=None, parallel=True)


def read_mlqa(source: Path, reading: Reading) -> Records:
    """An item a question in two to seven languages, each with the paragraph of its own language.

    The files with paragraphs of another language hold the same questions and paragraphs, and are left out.
    """
    matches = {path: _MLQA.fullmatch(path.name) for path in find_files(source, (".json",))}
    paths = [path for path, match in matches.items() if match is None or match[1] == match[2]]
    if crossed := len(matches) - len(paths):
        reading.skipped["files whose questions and paragraphs differ in language"] += crossed

    def told(path: Path) -> str | None:
        match = matches[path]
        return coded_language(match[1]) if match else None

    yield from _read(of_split(source, paths, reading), reading, "mlqa", told, None, parallel=True)


def squad_records(
    reading: Reading,
    path: Path,
    dataset: str,
    identity: Callable[[str], tuple[str, str] | Defect | None],
) -> Records:
    """The records of a file of the form.

    Args:
        reading: reads it.
        path: the file.
        dataset: the data set's name.
        identity: an item's id and language from a question's id; a defect; or None where it is not wanted.
    """
    for place, article in reading.json_elements(path, "data"):
        if isinstance(article, Defect):
            yield place, article
            continue
        try:
            for record in _article(reading, article, dataset, identity):
                yield place, record
        except SHAPE_ERRORS as error:
            yield place, shaped("SQuAD", error)


def _article(
    reading: Reading, article: Json, dataset: str, identity: Callable[[str], tuple[str, str] | Defect | None]
) -> Iterator[object]:
    for paragraph in article["paragraphs"]:
        context = paragraph["context"]
        for entry in paragraph["qas"]:
            known = identity(str(entry["id"]))
            if known is None:
                continue
            if isinstance(known, Defect):
                yield known
                continue
            item, language = known
            if entry.get("is_impossible") or not entry["answers"]:
                reading.skipped["questions without an answer"] += 1
                continue
            start = int(entry["answers"][0]["answer_start"])
            passage, negatives = passage_at(reading, context, start)
            if passage is None:
                yield Defect("no-answer-sentence", f"no sentence holds character {start}", item, language)
                continue
            record = reading.record(
                item,
                language,
                entry["question"],
                passage,
                title=article.get("title"),
                negatives=negatives,
                dataset=dataset,
            )
            if record is not None:
                yield record


def passage_at(reading: Reading, context: str, start: int) -> tuple[str | None, list[str]]:
    """The passage of an answer, as the option says, and the other sentences where it is a sentence.

    Args:
        reading: with the options.
        context: the paragraph.
        start: the character at which the answer starts.

    Returns:
        The passage, None where no sentence holds the answer; and negatives.
    """
    if reading.options.passage == "paragraph":
        return context, []
    found = sentence_at(context, start)
    return (None, []) if found is None else found


def _files(
    source: Path,
    reading: Reading,
    dataset: str,
    told: Callable[[Path], str | None],
    usual: str | None,
    *,
    parallel: bool,
) -> Records:
    files = of_split(source, find_files(source, (".json", ".json.gz")), reading)
    yield from _read(files, reading, dataset, told, usual, parallel=parallel)


def _read(
    files: list[Path],
    reading: Reading,
    dataset: str,
    told: Callable[[Path], str | None],
    usual: str | None,
    *,
    parallel: bool,
) -> Records:
    chosen = [(path, chosen_language(reading.options, path, told(path), usual)) for path in files]
    reading.expect(*(path for path, language in chosen if language is not None))
    for path, language in chosen:
        if language is None:
            continue
        # Sets that are not parallel may number their questions alike in two languages.
        prefix = "" if parallel or language == usual else f"{language}-"
        yield from squad_records(reading, path, dataset, partial(_identity, prefix, language))


def _identity(prefix: str, language: str, item: str) -> tuple[str, str]:
    return prefix + item, language
