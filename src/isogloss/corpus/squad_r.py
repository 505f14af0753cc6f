"""SQuAD-R folders: question answering data as retrieval of sentences, a file `<language>.json` a language.

The form is SQuAD's with two more fields a paragraph: `sentences`, and `sentence_breaks`, the [start, end)
characters of each sentence in `context`. A question's passage is the sentence that holds the start of its
first answer, its hard negatives are the other sentences of the paragraph, the nearest first; questions of one id are
parallel. The form comes with LAReQA (Roy et al. 2020, arXiv
2004.05484).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from isogloss.corpus.languages import is_language, standard_language
from isogloss.corpus.records import Defect, RecordSource
from isogloss.errors import CorpusError

_LIKE_A_CODE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*")

# What json.loads gives; a wrong shape shows as one of the errors that read_paragraphs catches.
_Json: TypeAlias = Any

# A place in a folder is the file's number times this, plus the question's number in the file from 1.
_PLACES_PER_FILE = 1 << 40


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a paragraph, and the number of the sentence that answers it."""

    id: str
    text: str
    sentence: int


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph's sentences, and the questions about it, in the order of the file."""

    title: str | None
    sentences: tuple[str, ...]
    questions: tuple[Question | Defect, ...]


def is_squad_r_folder(path: Path) -> bool:
    """Whether a folder has a file named `<language>.json`."""
    return path.is_dir() and any(is_language(file.stem) for file in path.glob("*.json"))


def language_files(folder: Path) -> dict[str, Path]:
    """The files `<language>.json` of a folder by language, sorted; files with other names are left out.

    Raises:
        CorpusError: a name looks like a language code but is none, or two files are of one language.
    """
    files: dict[str, Path] = {}
    for file in sorted(folder.glob("*.json")):
        if not is_language(file.stem):
            if _LIKE_A_CODE.fullmatch(file.stem):
                raise CorpusError(
                    f"{file}: {file.stem!r} is not a known language code; rename or remove the file"
                )
            continue
        language = standard_language(file.stem)
        if language in files:
            raise CorpusError(f"{file}: the language {language!r} has a file already, {files[language]}")
        files[language] = file
    return dict(sorted(files.items()))


def squad_r_source(folder: Path, *, hint: str = "") -> RecordSource:
    """The records of a SQuAD-R folder, one a question and language, placed by file and question number.

    Raises:
        CorpusError: as `language_files`.
    """
    files = list(language_files(folder).items())

    def describe(place: int) -> str:
        number, question = divmod(place, _PLACES_PER_FILE)
        return f"{files[number][1]}: question {question}" if question else str(files[number][1])

    return RecordSource(
        _records(files),
        describe,
        locate=lambda place: (str(files[place // _PLACES_PER_FILE][1]), None),
        hint=hint,
    )


def read_paragraphs(file: Path) -> Iterator[Paragraph | Defect]:
    """The paragraphs of a SQuAD-R file, with a defect in the place of anything that cannot be read."""
    try:
        document = json.loads(file.read_bytes().decode("utf-8"))
    except OSError as error:
        yield Defect("unreadable", f"cannot read: {error.strerror or error}")
        return
    except UnicodeDecodeError as error:
        yield Defect("invalid-utf-8", f"invalid UTF-8 at byte {error.start} ({error.reason})")
        return
    except (ValueError, RecursionError) as error:
        yield Defect("bad-json", f"bad JSON: {error}; is the file whole?")
        return
    try:
        articles = [(article.get("title"), article["paragraphs"]) for article in document["data"]]
        paragraphs = [(title, paragraph) for title, several in articles for paragraph in several]
    except (KeyError, TypeError, AttributeError) as error:
        yield Defect("bad-squad-r", f"not of the SQuAD-R form ({_words(error)})")
        return
    for number, (title, paragraph) in enumerate(paragraphs):
        try:
            yield _paragraph(title, paragraph)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            yield Defect("bad-squad-r", f"paragraph {number} is not of the SQuAD-R form ({_words(error)})")


def _paragraph(title: object, paragraph: dict[str, _Json]) -> Paragraph:
    sentences = tuple(paragraph["sentences"])
    breaks = [(int(start), int(end)) for start, end in paragraph["sentence_breaks"]]
    if len(breaks) != len(sentences):
        raise ValueError(f"{len(sentences)} sentences, {len(breaks)} sentence_breaks")
    if not all(isinstance(sentence, str) for sentence in sentences):
        raise TypeError("a sentence is no string")
    questions = tuple(_question(entry, breaks) for entry in paragraph["qas"])
    return Paragraph(title if isinstance(title, str) else None, sentences, questions)


def _question(entry: dict[str, _Json], breaks: list[tuple[int, int]]) -> Question | Defect:
    item = str(entry["id"])
    start = int(entry["answers"][0]["answer_start"])
    holding = [number for number, (begin, end) in enumerate(breaks) if begin <= start < end]
    if len(holding) != 1:
        return Defect(
            "no-answer-sentence", f"{len(holding)} sentences hold the answer's start, character {start}", item
        )
    return Question(item, str(entry["question"]), holding[0])


def _records(files: list[tuple[str, Path]]) -> Iterator[tuple[int, object]]:
    for file_number, (language, file) in enumerate(files):
        place = file_number * _PLACES_PER_FILE
        for paragraph in read_paragraphs(file):
            if isinstance(paragraph, Defect):
                yield file_number * _PLACES_PER_FILE, paragraph._replace(language=language)
                continue
            for question in paragraph.questions:
                place += 1
                if isinstance(question, Defect):
                    yield place, question._replace(language=language)
                    continue
                yield (
                    place,
                    {
                        "id": question.id,
                        "language": language,
                        "query": question.text,
                        "passage": paragraph.sentences[question.sentence],
                        "title": paragraph.title,
                        "negatives": _others(paragraph.sentences, question.sentence),
                    },
                )


def _others(sentences: Sequence[str], answer: int) -> list[str]:
    """The other sentences of a paragraph, the nearest first."""
    nearest = sorted(range(len(sentences)), key=lambda number: (abs(number - answer), number))
    texts = (sentences[number] for number in nearest)
    return [text for text in dict.fromkeys(texts) if text.strip() and text != sentences[answer]]


def _words(error: Exception) -> str:
    return f"the field {error} is missing" if isinstance(error, KeyError) else str(error)
