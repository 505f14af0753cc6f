"""TyDi QA: the gold passage task, in SQuAD's form, and the primary tasks, an article and its question a line.

GoldP (`tydiqa-goldp-v1.1-train.json`): ids begin with the language's English name, as in `arabic-23873358-1`.
Primary (`tydiqa-v1.0-train.jsonl.gz`), places in bytes of the article's UTF-8:

    {"example_id": 1, "language": "arabic", "question_text": "...", "document_title": "...",
     "document_plaintext": "...", "passage_answer_candidates": [{"plaintext_start_byte": 0, "plaintext_end_byte": 96}],
     "annotations": [{"passage_answer": {"candidate_index": 0}, "minimal_answer": {"plaintext_start_byte": 7,
      "plaintext_end_byte": 12}, "yes_no_answer": "NONE"}]}
"""

from __future__ import annotations

from pathlib import Path

from isogloss.corpus.published.languages import named_language
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
from isogloss.corpus.published.squad import squad_records
from isogloss.corpus.records import Defect

# Other passages of an article can be hundreds; so many of the nearest are kept.
_NEGATIVES = 8


def read_tydiqa(source: Path, reading: Reading) -> Records:
    """An item a question with an answer: of GoldP files (.json) and of primary ones (.jsonl, .jsonl.gz)."""
    files = of_split(source, find_files(source, (".json", ".jsonl", ".jsonl.gz")), reading)
    reading.expect(*files)
    for path in files:
        if path.name.endswith(".json"):
            yield from squad_records(reading, path, "tydiqa", lambda item: _identity(reading, item))
        else:
            yield from _primary(reading, path)


def _identity(reading: Reading, item: str) -> tuple[str, str] | Defect | None:
    language = named_language(item.partition("-")[0])
    if language is None:
        return Defect("unknown-language", "the id does not begin with the name of a language", item)
    if reading.options.languages and language not in reading.options.languages:
        reading.skipped["questions in other languages"] += 1
        return None
    return item, language


def _primary(reading: Reading, path: Path) -> Records:
    for place, entry in reading.json_lines(path):
        if isinstance(entry, Defect):
            yield place, entry
            continue
        try:
            record = _record(reading, entry)
        except SHAPE_ERRORS as error:
            yield place, shaped("TyDi QA", error)
            continue
        if record is not None:
            yield place, record


def _record(reading: Reading, entry: Json) -> object:
    language = named_language(entry["language"])
    if language is None:
        raise ValueError(f"the language {entry['language']!r} is not known")
    if reading.options.languages and language not in reading.options.languages:
        reading.skipped["questions in other languages"] += 1
        return None
    chosen = next(
        (one for one in entry["annotations"] if one["passage_answer"]["candidate_index"] >= 0), None
    )
    if chosen is None:
        reading.skipped["questions without an answer"] += 1
        return None
    article = entry["document_plaintext"].encode("utf-8")
    spans = [
        (one["plaintext_start_byte"], one["plaintext_end_byte"]) for one in entry["passage_answer_candidates"]
    ]
    number = chosen["passage_answer"]["candidate_index"]
    start, end = spans[number]
    passage = article[start:end].decode("utf-8", errors="ignore")
    if reading.options.passage == "sentence":
        answer = chosen["minimal_answer"]["plaintext_start_byte"]
        found = None
        if start <= answer < end:
            found = sentence_at(passage, len(article[start:answer].decode("utf-8", errors="ignore")))
        if found is None:
            reading.skipped["questions without a minimal answer"] += 1
            return None
        passage, negatives = found
    else:
        nearest = sorted(range(len(spans)), key=lambda other: (abs(other - number), other))[
            1 : _NEGATIVES + 1
        ]
        negatives = [article[slice(*spans[other])].decode("utf-8", errors="ignore") for other in nearest]
    return reading.record(
        f"{language}-{entry['example_id']}",
        language,
        entry["question_text"],
        passage,
        title=entry.get("document_title"),
        negatives=negatives,
        dataset="tydiqa",
    )
