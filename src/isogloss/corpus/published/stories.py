"""Questions about whole stories: DuoRC (film plots) and NewsQA (news), both in English.

DuoRC (`SelfRC_train.json`, `ParaphraseRC_train.json`):

    [{"id": "/m/03vyhn", "plot": "...", "title": "...", "qa": [{"id": "...", "question": "...", "answers": ["..."],
      "no_answer": false}]}]

NewsQA (`combined-newsqa-data-v1.json`, which its own tool makes from CNN's stories):

    {"data": [{"storyId": "./cnn/stories/1.story", "text": "...", "type": "train", "questions": [{"q": "...",
      "consensus": {"s": 115, "e": 125}, "isAnswerAbsent": 0, "isQuestionBad": 0}]}]}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
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

_PARAGRAPH_END = re.compile(r"\n\s*\n")


def read_duorc(source: Path, reading: Reading) -> Records:
    """An item a question; the passage is the plot, or the first sentence that has the first answer in its words."""
    files = of_split(source, find_files(source, (".json",)), reading)
    reading.expect(*files)
    for path in files:
        language = chosen_language(reading.options, path, None, "en")
        assert language is not None
        # Both sets ask about the same films, and a question may stand in both.
        prefix = path.name.partition("_")[0]
        for place, story in reading.json_elements(path):
            if isinstance(story, Defect):
                yield place, story
                continue
            try:
                for record in _duorc(reading, story, prefix, language):
                    yield place, record
            except SHAPE_ERRORS as error:
                yield place, shaped("DuoRC", error)


def _duorc(reading: Reading, story: Json, prefix: str, language: str) -> Iterator[object]:
    for entry in story["qa"]:
        if entry["no_answer"] or not entry["answers"]:
            reading.skipped["questions without an answer"] += 1
            continue
        passage: str = story["plot"]
        negatives: list[str] = []
        if reading.options.passage == "sentence":
            answer = entry["answers"][0].strip().casefold()
            place = passage.casefold().find(answer) if len(passage.casefold()) == len(passage) else -1
            found = sentence_at(passage, place) if answer and place >= 0 else None
            if found is None:
                reading.skipped["questions whose answer is not in the words of the plot"] += 1
                continue
            passage, negatives = found
        record = reading.record(
            f"{prefix}-{entry['id']}",
            language,
            entry["question"],
            passage,
            title=story.get("title"),
            negatives=negatives,
            dataset="duorc",
        )
        if record is not None:
            yield record


def read_newsqa(source: Path, reading: Reading) -> Records:
    """An item a question that the annotators agree has an answer; the passage is the story's paragraph around it."""
    files = find_files(source, (".json", ".json.gz"))
    reading.expect(*files)
    split = reading.options.split or "train"
    for path in files:
        language = chosen_language(reading.options, path, None, "en")
        assert language is not None
        for place, story in reading.json_elements(path, "data"):
            if isinstance(story, Defect):
                yield place, story
                continue
            try:
                if split != "all" and story["type"] != split:  # type: ignore[index]
                    reading.skipped[f"stories of other splits than {split}"] += 1
                    continue
                for record in _newsqa(reading, story, language):
                    yield place, record
            except SHAPE_ERRORS as error:
                yield place, shaped("NewsQA", error)


def _newsqa(reading: Reading, story: Json, language: str) -> Iterator[object]:
    name = story["storyId"].rpartition("/")[2].removesuffix(".story")
    for number, entry in enumerate(story["questions"]):
        consensus = entry["consensus"]
        if "s" not in consensus:
            bad = consensus.get("badQuestion")
            reading.skipped[f"questions that {'are bad' if bad else 'have no answer'} by consensus"] += 1
            continue
        paragraph, start = _paragraph(story["text"], int(consensus["s"]))
        negatives: list[str] = []
        if reading.options.passage == "sentence":
            found = sentence_at(paragraph, start)
            if found is None:
                yield Defect(
                    "no-answer-sentence", f"no sentence holds character {start}", f"{name}-{number}", language
                )
                continue
            paragraph, negatives = found
        record = reading.record(
            f"{name}-{number}", language, entry["q"], paragraph, negatives=negatives, dataset="newsqa"
        )
        if record is not None:
            yield record


def _paragraph(text: str, place: int) -> tuple[str, int]:
    """The paragraph that holds a character, and the character's place in it."""
    start = 0
    for end in _PARAGRAPH_END.finditer(text):
        if end.start() > place:
            return text[start : end.start()], place - start
        start = end.end()
    return text[start:], max(place - start, 0)
