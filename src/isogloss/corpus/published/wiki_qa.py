"""WikiQA: sentences of Wikipedia's summaries, each judged as an answer to a question, in English.

QuestionID  Question  DocumentID  DocumentTitle  SentenceID  Sentence  Label     (tab-separated, with this head)
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from isogloss.corpus.published.languages import chosen_language
from isogloss.corpus.published.reading import Reading, Records, find_files, of_split
from isogloss.corpus.records import Defect

_HEAD = ["QuestionID", "Question", "DocumentID", "DocumentTitle", "SentenceID", "Sentence", "Label"]


class _Row(NamedTuple):
    place: int
    question_id: str
    question: str
    title: str
    sentence_id: str
    sentence: str
    answers: bool


def read_wikiqa(source: Path, reading: Reading) -> Records:
    """An item a sentence that answers; the question's other sentences are its negatives."""
    files = find_files(source, (".tsv",), lambda path: path.name.startswith("WikiQA") and "-" in path.name)
    files = of_split(source, files, reading)
    reading.expect(*files)
    for path in files:
        language = chosen_language(reading.options, path, None, "en")
        assert language is not None
        for question, rows in groupby(_rows(reading, path), key=_question):
            if question is None:
                for row in rows:
                    assert not isinstance(row, _Row)
                    yield row
                continue
            several = [row for row in rows if isinstance(row, _Row)]
            positives = [row for row in several if row.answers]
            if not positives:
                reading.skipped["questions without an answering sentence"] += 1
            negatives = [row.sentence for row in several if not row.answers]
            for row in positives:
                record = reading.record(
                    f"{row.question_id}-{row.sentence_id}",
                    language,
                    row.question,
                    row.sentence,
                    title=row.title,
                    negatives=negatives,
                    dataset="wikiqa",
                )
                if record is not None:
                    yield row.place, record


def _question(row: _Row | tuple[int, Defect]) -> str | None:
    return row.question_id if isinstance(row, _Row) else None


def _rows(reading: Reading, path: Path) -> Iterator[_Row | tuple[int, Defect]]:
    for number, (place, line) in enumerate(reading.text_lines(path)):
        if isinstance(line, Defect):
            yield place, line
            continue
        cells = line.split("\t")
        if number == 0:
            if cells != _HEAD:
                yield place, Defect("wrong-type", f"expected the head {' '.join(_HEAD)}, found {line[:80]!r}")
                return
            continue
        if len(cells) != len(_HEAD) or cells[6] not in ("0", "1"):
            yield place, Defect("wrong-type", f"expected {len(_HEAD)} tab-separated fields, the last 0 or 1")
            continue
        yield _Row(place, cells[0], cells[1], cells[3], cells[4], cells[5], cells[6] == "1")
