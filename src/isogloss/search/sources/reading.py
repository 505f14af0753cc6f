"""Passages of files, by their form: JSON Lines, CSV, Parquet, documents."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from isogloss.corpus.jsonl import jsonl_source
from isogloss.corpus.records import Defect
from isogloss.errors import CorpusError
from isogloss.search.passage import Passage, make_passage
from isogloss.search.sources.documents import blocks_of
from isogloss.search.sources.files import TABLES
from isogloss.search.sources.splitting import LONGEST_PASSAGE, split_blocks

_WORDS = frozenset(("id", "language", "title", "text", "passage", "query"))


def passages_of(
    files: Mapping[str, str], *, language: str | None = None, longest: int = LONGEST_PASSAGE
) -> Iterator[tuple[str, Passage]]:
    """Read passages one after another, with words for the place of each.

    Args:
        files: paths by name, as `name_files` gives them. A document's passages are called after its name and their
            number, `guide/travel.md#3`, and have the name as metadata `source`; a record without an id is called after
            its file's name and line, `faq.csv:7`.
        language: of passages that say none; None leaves it to be detected.
        longest: characters a passage of a document.

    Raises:
        CorpusError: something cannot be read; says where.
    """
    for name, path in files.items():
        yield from _file(Path(path), name, language, longest)


def _file(path: Path, name: str, language: str | None, longest: int) -> Iterator[tuple[str, Passage]]:
    if path.name.lower().endswith(TABLES):
        yield from _records(path, name, language)
        return
    for number, block in enumerate(split_blocks(blocks_of(path), longest), start=1):
        record = {"text": block.text, "title": block.title, "source": name, "language": language}
        yield str(path), _made(record, f"{name}#{number}", None, str(path))


def _records(path: Path, name: str, language: str | None) -> Iterator[tuple[str, Passage]]:
    lower = path.name.lower()
    if lower.endswith((".jsonl", ".jsonl.gz")):
        places = jsonl_source(path).records
    elif lower.endswith(".parquet"):
        places = _parquet(path)
    else:
        places = _csv(path, "\t" if lower.endswith(".tsv") else ",")
    try:
        for number, record in places:
            where = f"{path}:{number}" if number else str(path)
            if isinstance(record, Defect):
                raise CorpusError(f"{where}: {record.message}")
            yield where, _made(record, f"{name}:{number}", language, where)
    except OSError as error:
        raise CorpusError(f"{path}: cannot read: {error.strerror or error}") from error


def _made(record: object, default_id: str, language: str | None, where: str) -> Passage:
    try:
        return make_passage(record, default_id, language)
    except CorpusError as error:
        raise CorpusError(f"{where}: {error}") from error


def _parquet(path: Path) -> Iterator[tuple[int, object]]:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    try:
        number = 0
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                for record in batch.to_pylist():
                    number += 1
                    yield number, record
    except pa.ArrowException as error:
        raise CorpusError(f"{path}: not a sound Parquet file: {error}") from error


def _csv(path: Path, separator: str) -> Iterator[tuple[int, object]]:
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter=separator, strict=True)
        try:
            for record in reader:
                if None in record:
                    raise CorpusError(
                        f"{path}:{reader.line_num}: {len(record[None])} more values than the header has names;"
                        " put values that hold the separator in quotes"
                    )
                filled: dict[str, Any] = {
                    key: value if key in _WORDS else _number_or_words(value)
                    for key, value in record.items()
                    if value not in ("", None)
                }
                yield reader.line_num, filled
        except UnicodeDecodeError as error:
            raise CorpusError(
                f"{path}:{reader.line_num + 1}: invalid UTF-8 ({error.reason}); save the file as UTF-8"
            ) from error
        except csv.Error as error:
            raise CorpusError(
                f"{path}:{reader.reader.line_num}: {error}; put texts with quotes in doubled quotes"
            ) from error


def _number_or_words(value: str) -> str | int | float:
    """A number where one is written as Python writes it: 007 and 1e3 stay words, and 99 is less than 100."""
    for kind in (int, float):
        try:
            number = kind(value)
        except ValueError:
            continue
        if str(number) == value and value not in ("nan", "inf", "-inf"):
            return number
    return value
