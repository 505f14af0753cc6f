"""Questions with answers and no passages: EntityQuestions (English) and MKQA (26 languages).

The answer itself stands in the place of the passage, unless EntityQuestions come with what a retriever found
(DPR's output), whose first passage with the answer it then is.

    EntityQuestions, dataset/SPLIT/P17.SPLIT.json   [{"question": "...", "answers": ["..."]}]
    the same with DPR's results                     [{"question": "...", "answers": ["..."], "ctxs": [{"id": "...",
                                                      "title": "...", "text": "...", "has_answer": true}]}]
    MKQA, mkqa.jsonl.gz     {"example_id": 1, "queries": {"en": "..."}, "answers": {"en": [{"type": "entity",
                             "text": "...", "aliases": ["..."]}]}}
"""

from __future__ import annotations

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
from isogloss.corpus.records import Defect


def read_entity_questions(source: Path, reading: Reading) -> Records:
    """An item a question; passages without the answer, where there are any, are its negatives."""
    files = find_files(source, (".json", ".jsonl"), lambda path: "one-off" not in path.parts)
    files = of_split(source, files, reading)
    reading.expect(*files)
    for path in files:
        language = chosen_language(reading.options, path, None, "en")
        assert language is not None
        stem = reading.name_of(path, path.name.rpartition(".")[0])
        for number, (place, entry) in enumerate(reading.json_elements(path), start=1):
            if isinstance(entry, Defect):
                yield place, entry
                continue
            try:
                record = _entity(reading, entry, f"{stem}-{number}", language)
            except SHAPE_ERRORS as error:
                yield place, shaped("EntityQuestions", error)
                continue
            if record is not None:
                yield place, record


def _entity(reading: Reading, entry: Json, item: str, language: str) -> object:
    if "ctxs" not in entry:
        if not entry["answers"]:
            reading.skipped["questions without an answer"] += 1
            return None
        return reading.record(
            item, language, entry["question"], entry["answers"][0], dataset="entity-questions"
        )
    positive = next((one for one in entry["ctxs"] if one["has_answer"]), None)
    if positive is None:
        reading.skipped["questions for which no passage with the answer was found"] += 1
        return None
    return reading.record(
        item,
        language,
        entry["question"],
        positive["text"],
        title=positive.get("title"),
        negatives=[one["text"] for one in entry["ctxs"] if not one["has_answer"]],
        dataset="entity-questions",
    )


def read_mkqa(source: Path, reading: Reading) -> Records:
    """An item a question, in every language in which it has an answer with a text."""
    files = find_files(source, (".jsonl", ".jsonl.gz"))
    reading.expect(*files)
    for path in files:
        for place, entry in reading.json_lines(path):
            if isinstance(entry, Defect):
                yield place, entry
                continue
            try:
                for code, query in entry["queries"].items():  # type: ignore[index]
                    record = _mkqa(reading, entry, code, query)
                    if record is not None:
                        yield place, record
            except SHAPE_ERRORS as error:
                yield place, shaped("MKQA", error)


def _mkqa(reading: Reading, entry: Json, code: str, query: object) -> object:
    language = coded_language(code)
    if language is None:
        raise ValueError(f"{code!r} is not a known language code")
    if reading.options.languages and language not in reading.options.languages:
        return None
    answer = next((one["text"] for one in entry["answers"][code] if one.get("text")), None)
    if answer is None:
        kind = entry["answers"][code][0]["type"] if entry["answers"][code] else "unanswerable"
        reading.skipped[f"versions of questions whose answer has no text: {kind}"] += 1
        return None
    return reading.record(entry["example_id"], language, query, answer, dataset="mkqa")
