"""Natural Questions: the simplified training file, the full form of the development set, and DPR's form of it.

Simplified (`v1.0-simplified_simplified-nq-train.jsonl.gz`), a question a line, tokens of the text parted by a space:

    {"question_text": "...", "document_text": "... <P> ... </P> ...", "example_id": 1, "annotations": [
        {"long_answer": {"start_token": 1, "end_token": 9}, "short_answers": [{"start_token": 3, "end_token": 5}]}]}

The full form has `document_tokens`, a list of {"token", "html_token"}, in the place of `document_text`.
DPR's (`biencoder-nq-train.json`) is an array, and the same for its other data sets:

    [{"question": "...", "answers": ["..."], "positive_ctxs": [{"title": "...", "text": "...", "passage_id": "1"}],
      "negative_ctxs": [...], "hard_negative_ctxs": [...]}]
"""

from __future__ import annotations

import re
from pathlib import Path

from isogloss.corpus.published.languages import chosen_language
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

_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^>]*)?>")
_BEFORE = re.compile(r" (?=[,.;:!?%)\]]|'s\b|n't\b)|(?<=[(\[]) ")


def read_natural_questions(source: Path, reading: Reading) -> Records:
    """An item a question with a long answer, which is the passage without its HTML tags; a table or list as it is.

    With `--passage sentence`, the sentence of the long answer in which the first short answer starts.
    """
    files = of_split(source, find_files(source, (".jsonl", ".jsonl.gz")), reading)
    for path in files:
        language = chosen_language(reading.options, path, None, "en")
        assert language is not None
        reading.expect(path)
        for place, entry in reading.json_lines(path):
            if isinstance(entry, Defect):
                yield place, entry
                continue
            try:
                record = _record(reading, entry, language)
            except SHAPE_ERRORS as error:
                yield place, shaped("Natural Questions", error)
                continue
            if record is not None:
                yield place, record


def read_dpr(source: Path, reading: Reading) -> Records:
    """An item a question with a positive passage: the first one; negatives are the hard ones."""
    files = of_split(source, find_files(source, (".json", ".json.gz")), reading)
    reading.expect(*files)
    for path in files:
        language = chosen_language(reading.options, path, None, "en")
        assert language is not None
        stem = reading.name_of(path, path.name.removesuffix(".gz").removesuffix(".json"))
        for number, (place, entry) in enumerate(reading.json_elements(path), start=1):
            if isinstance(entry, Defect):
                yield place, entry
                continue
            try:
                if not entry["positive_ctxs"]:  # type: ignore[index]
                    reading.skipped["questions without a positive passage"] += 1
                    continue
                record = _dpr_record(reading, entry, f"{stem}-{number}", language)
            except SHAPE_ERRORS as error:
                yield place, shaped("DPR", error)
                continue
            if record is not None:
                yield place, record


def _dpr_record(reading: Reading, entry: Json, item: str, language: str) -> object:
    positive = entry["positive_ctxs"][0]
    negatives = [negative["text"] for negative in entry.get("hard_negative_ctxs") or []]
    others = {other["text"] for other in entry["positive_ctxs"]}
    return reading.record(
        item,
        language,
        entry["question"],
        positive["text"],
        title=positive.get("title"),
        negatives=[negative for negative in negatives if negative not in others],
        dataset=entry.get("dataset") or "natural-questions",
    )


def _record(reading: Reading, entry: Json, language: str) -> object:
    answer = next((one for one in entry["annotations"] if one["long_answer"]["start_token"] >= 0), None)
    if answer is None:
        reading.skipped["questions without a long answer"] += 1
        return None
    if "document_text" in entry:
        tokens = entry["document_text"].split(" ")
        marked = [bool(_TAG.fullmatch(token)) for token in tokens]
    else:
        tokens = [token["token"] for token in entry["document_tokens"]]
        marked = [token["html_token"] for token in entry["document_tokens"]]
    start, end = answer["long_answer"]["start_token"], answer["long_answer"]["end_token"]
    passage = _plain(tokens, marked, start, end)
    negatives: list[str] = []
    if reading.options.passage == "sentence":
        if not answer["short_answers"]:
            reading.skipped["questions without a short answer"] += 1
            return None
        # The character at which the short answer starts: what comes before it, in the same words.
        before = _plain(tokens, marked, start, answer["short_answers"][0]["start_token"])
        found = sentence_at(passage, min(len(before) + 1 if before else 0, len(passage) - 1))
        if found is None:
            reading.skipped["questions without a short answer"] += 1
            return None
        passage, negatives = found
    return reading.record(
        entry["example_id"],
        language,
        entry["question_text"],
        passage,
        title=entry.get("document_title"),
        negatives=negatives,
        dataset="natural-questions",
    )


def _plain(tokens: list[str], marked: list[bool], start: int, end: int) -> str:
    """The words of a span as text, with the spaces that the tokens' marks do not have."""
    words = [
        token for token, tag in zip(tokens[start:end], marked[start:end], strict=True) if not tag and token
    ]
    text = " ".join(words).replace("`` ", '"').replace(" ''", '"')
    return _BEFORE.sub("", text)
