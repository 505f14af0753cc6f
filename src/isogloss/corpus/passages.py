"""Passages of a corpus too large for memory, one after the other from JSON Lines or Parquet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from isogloss.corpus.jsonl import jsonl_source
from isogloss.corpus.languages import standard_language
from isogloss.corpus.parquet import parquet_source
from isogloss.corpus.records import Defect, RecordSource
from isogloss.errors import CorpusError

PASSAGE_SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet")

PASSAGE_ID_KEYS = ("docid", "_id", "id")
_PARQUET_FIELDS = (*PASSAGE_ID_KEYS, "title", "text", "language", "parallel_ids", "metadata")
_WHITE_SPACE = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class Passage:
    """One passage.

    Attributes:
        id: without white space, so that a run file can hold it.
        text: title and text, joined by a space as in BEIR and MTEB; what a model encodes.
        language: the standard form of its language code, or None where the record has none.
    """

    id: str
    text: str
    language: str | None


def read_passages(paths: Iterable[Path]) -> Iterator[Passage]:
    """Yield the passages of several files in turn; no more than a few thousand are in memory at once.

    A record is an object with an id (`docid` as in MIRACL, `_id` as in BEIR, or `id`; a string or an integer), `text`,
    and optionally `title` and `language` (or `metadata.language`). Title and text may be empty, as they are in some of
    BEIR's corpora.

    Args:
        paths: `.jsonl`, `.jsonl.gz` or `.parquet` files.

    Raises:
        CorpusError: a file cannot be read or a record is wrong; says which, with its line or row.
    """
    for path in paths:
        source = passage_source(path)
        for place, fields in record_objects(source):
            yield _passage(source, place, fields)


def passage_source(path: Path) -> RecordSource:
    """The records of a file of passages."""
    return record_source(path, required=("text",), fields=_PARQUET_FIELDS)


def record_source(path: Path, *, required: Sequence[str], fields: Sequence[str]) -> RecordSource:
    """The records of a file; of a Parquet file the columns `fields`, of which the `required` must be there."""
    if path.name.lower().endswith(".parquet"):
        return parquet_source(path, required=required, fields=fields)
    return jsonl_source(path)


def record_objects(source: RecordSource) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Yield the records of a source with their places.

    Raises:
        CorpusError: a record is no object or could not be read.
    """
    try:
        for place, record in source.records:
            if isinstance(record, Defect):
                raise source.error(place, record.message)
            if not isinstance(record, Mapping):
                raise source.error(place, f"expected an object with an id and a text, found {record!r:.60}")
            yield place, record
    except OSError as error:
        raise source.error(0, f"cannot read: {error.strerror or error}") from error


def record_id(source: RecordSource, place: int, record: Mapping[str, object], keys: Sequence[str]) -> str:
    """The id of a record, under the first of `keys` that it has.

    Raises:
        CorpusError: it has none, or one that is empty, has white space or is no string or integer.
    """
    value = next((record[key] for key in keys if record.get(key) is not None), None)
    if value is None:
        raise source.error(place, f"there is no id; give one of the fields {', '.join(map(repr, keys))}")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise source.error(place, f"the id must be a string or an integer, not {value!r}")
    if not value or _WHITE_SPACE.search(value):
        raise source.error(place, f"the id {value!r} is empty or has white space: no id for a run file")
    return value


def record_text(source: RecordSource, place: int, record: Mapping[str, object], key: str) -> str:
    """The string under a key, empty where it is missing or null.

    Raises:
        CorpusError: it is no string, or holds half of a character.
    """
    value = record.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise source.error(place, f"the field {key!r} must be a string, not {value!r}")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise source.error(
            place, f"the field {key!r} has half of a character (U+{ord(value[error.start]):04X})"
        ) from error
    return value


def record_language(source: RecordSource, place: int, record: Mapping[str, object]) -> str | None:
    """The standard form of a record's `language`, or `metadata.language`, or None where it has neither.

    Raises:
        CorpusError: it is no language code.
    """
    value = record_text(source, place, record, "language")
    value = value or record_text(source, place, record_metadata(record), "language")
    if not value:
        return None
    try:
        return standard_language(value)
    except CorpusError as error:
        raise source.error(place, str(error)) from error


def record_metadata(record: Mapping[str, object]) -> Mapping[str, object]:
    """A record's `metadata` as in BEIR, empty where it has none or something else stands there."""
    metadata = record.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}


def _passage(source: RecordSource, place: int, fields: Mapping[str, object]) -> Passage:
    name = record_id(source, place, fields, PASSAGE_ID_KEYS)
    if fields.get("text") is None:
        raise source.error(place, "the field 'text' is missing")
    title, text = (record_text(source, place, fields, key) for key in ("title", "text"))
    return Passage(name, f"{title} {text}".strip(), record_language(source, place, fields))
