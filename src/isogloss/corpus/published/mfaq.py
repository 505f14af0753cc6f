"""MFAQ: pages of frequently asked questions in 21 languages, a page a line.

data/xx/train.jsonl, data/xx/valid.jsonl    {"id": 1, "language": "xx", "num_pairs": 2, "domain": "example.org",
                                             "qa_pairs": [{"question": "...", "answer": "..."}]}
"""

from __future__ import annotations

from pathlib import Path

from isogloss.corpus.published.languages import coded_language
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


def read_mfaq(source: Path, reading: Reading) -> Records:
    """An item a pair; the page's other answers are its negatives, the nearest first."""
    files = find_files(source, (".jsonl", ".jsonl.gz"))
    wanted = reading.options.languages
    if wanted:
        # The folder tells the language; where it does not, the lines do.
        files = [path for path in files if coded_language(path.parent.name) in (None, *wanted)] or files
    files = of_split(source, files, reading)
    reading.expect(*files)
    for path in files:
        stem = path.name.partition(".")[0]
        for number, (place, page) in enumerate(reading.json_lines(path), start=1):
            if isinstance(page, Defect):
                yield place, page
                continue
            try:
                for record in _page(reading, page, f"{stem}-{number}"):
                    yield place, record
            except SHAPE_ERRORS as error:
                yield place, shaped("MFAQ", error)


def _page(reading: Reading, page: Json, name: str) -> list[object]:
    language = coded_language(page["language"])
    if language is None:
        raise ValueError(f"{page['language']!r} is not a known language code")
    if reading.options.languages and language not in reading.options.languages:
        reading.skipped["pages in other languages"] += 1
        return []
    answers = [pair["answer"] for pair in page["qa_pairs"]]
    records = []
    for number, pair in enumerate(page["qa_pairs"]):
        nearest = sorted((abs(other - number), other) for other in range(len(answers)))
        records.append(
            reading.record(
                f"{language}-{name}-{number}",
                language,
                pair["question"],
                pair["answer"],
                negatives=[answers[other] for _, other in nearest[1:]],
                dataset="mfaq",
            )
        )
    return [record for record in records if record is not None]
