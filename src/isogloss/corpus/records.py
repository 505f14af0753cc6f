"""One record: a query and its passage in one language, and everything that can be wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from isogloss.corpus.languages import standard_language
from isogloss.errors import CorpusError

REQUIRED_FIELDS = ("id", "language", "query", "passage")
FIELDS = (*REQUIRED_FIELDS, "title", "negatives", "dataset")

# Line feed, carriage return and tab belong to ordinary text; the other control characters are traces of a bad
# conversion. Lone surrogates come from JSON escapes such as "\ud83d" and cannot be written as UTF-8.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
SURROGATE = re.compile(r"[\ud800-\udfff]")
_NO_TEXT = re.compile(f"{CONTROL.pattern}|{SURROGATE.pattern}")


@dataclass(frozen=True, slots=True)
class Version:
    """An item in one language: what is asked, and the passage that answers it."""

    id: str
    language: str
    query: str
    passage: str
    title: str | None = None
    negatives: tuple[str, ...] = ()
    dataset: str | None = None

    def as_record(self) -> dict[str, Any]:
        """The record of this version as in a JSONL file; optional fields only where they have a value."""
        record: dict[str, Any] = {
            "id": self.id,
            "language": self.language,
            "query": self.query,
            "passage": self.passage,
        }
        if self.title is not None:
            record["title"] = self.title
        if self.negatives:
            record["negatives"] = list(self.negatives)
        if self.dataset is not None:
            record["dataset"] = self.dataset
        return record


class Defect(NamedTuple):
    """Something wrong with a record, or in the place of one; id and language where they are known."""

    kind: str
    message: str
    id: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class RecordSource:
    """Records with their places, as a reader gives them.

    Attributes:
        records: pairs of a place (a line, a row: whatever the reader counts) and a record, or a `Defect`
            where no record could be read.
        describe: words for a place, to begin an error message with (`corpus.jsonl:12`).
        locate: the file of a place, and the line in it where the file has lines or rows.
        hint: what to do about an error, to end its message with.
        progress: bytes or rows read by now, and how many there are; None where a reader does not say.
    """

    records: Iterator[tuple[int, object]]
    describe: Callable[[int], str]
    locate: Callable[[int], tuple[str, int | None]]
    hint: str = ""
    progress: Callable[[], tuple[int, int]] | None = None

    def error(self, place: int, message: str) -> CorpusError:
        """The error for a defect at a place."""
        return CorpusError(f"{self.describe(place)}: {message}{self.hint}")


def examine(record: object) -> tuple[Version | None, list[Defect]]:
    """Make a version of a record, or say everything that is wrong with it.

    A record is a mapping with the strings `id`, `language`, `query` and `passage`, and optionally `title` and
    `dataset` (strings; null or empty means none) and `negatives` (a list of strings). Other fields are not
    looked at. The language is brought into its standard form.

    Returns:
        The version and no defects, or no version and at least one defect.
    """
    if isinstance(record, Defect):
        return None, [record]
    if not isinstance(record, Mapping):
        return None, [
            Defect(
                "wrong-type",
                f"expected an object with the fields {_listed(REQUIRED_FIELDS)}, found {_type(record)}",
            )
        ]
    item, language = (_known(record.get(field)) for field in ("id", "language"))
    defects: list[Defect] = []

    def report(kind: str, message: str) -> None:
        defects.append(Defect(kind, message, item, language))

    for field in REQUIRED_FIELDS:
        if field not in record or record[field] is None:
            report("missing-field", f"the field {field!r} is missing")
        else:
            _examine_text(field, record[field], report)
    for field in ("title", "dataset"):
        if record.get(field):
            _examine_text(field, record[field], report)
        elif record.get(field) not in (None, ""):
            report("wrong-type", f"the field {field!r} must be a string, not {_type(record[field])}")
    negatives = record.get("negatives")
    negatives = [] if negatives is None else negatives
    if isinstance(negatives, (list, tuple)):
        for number, negative in enumerate(negatives):
            _examine_text(f"negatives[{number}]", negative, report)
    else:
        report("wrong-type", f"the field 'negatives' must be a list of strings, not {_type(negatives)}")
    if language is not None and language.strip():
        try:
            language = standard_language(language)
        except CorpusError as error:
            report("unknown-language", str(error))
    if defects or item is None or language is None:
        return None, defects
    return Version(
        id=item,
        language=language,
        query=record["query"],
        passage=record["passage"],
        title=record.get("title") or None,
        negatives=tuple(negatives),
        dataset=record.get("dataset") or None,
    ), []


def _examine_text(field: str, value: object, report: Callable[[str, str], None]) -> None:
    if not isinstance(value, str):
        report("wrong-type", f"the field {field!r} must be a string, not {_type(value)}")
    elif not value.strip():
        report("empty-text", f"the field {field!r} is empty")
    elif problem := character_problem(field, value):
        report(*problem)


def character_problem(field: str, value: str) -> tuple[str, str] | None:
    """Find a character that no text has.

    Returns:
        The kind of the problem and a message that names field, character and place; None where there is none.
    """
    # Most texts are as they should be, most of them printable, which takes a third of the time to see.
    if value.isprintable() or not _NO_TEXT.search(value):
        return None
    if found := SURROGATE.search(value):
        return (
            "invalid-utf-8",
            f"the field {field!r} has half of a character (U+{ord(found[0]):04X}) at {found.start()}",
        )
    if found := CONTROL.search(value):
        return (
            "control-characters",
            f"the field {field!r} has the control character U+{ord(found[0]):04X} at {found.start()}",
        )
    return None


def _known(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _type(value: object) -> str:
    names = {
        "dict": "an object",
        "list": "a list",
        "str": "a string",
        "NoneType": "null",
        "bool": "a truth value",
    }
    return names.get(type(value).__name__, f"a value of type {type(value).__name__}")


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(repr(name) for name in names)
