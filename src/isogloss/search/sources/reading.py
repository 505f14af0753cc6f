"""What to index, by its form: JSON Lines, CSV, Parquet, documents, folders of any of these."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from isogloss.corpus import sample
from isogloss.corpus.jsonl import jsonl_source
from isogloss.corpus.records import Defect
from isogloss.errors import CorpusError
from isogloss.search.passage import Passage, make_passage
from isogloss.search.sources.documents import READERS, blocks_of
from isogloss.search.sources.splitting import LONGEST_PASSAGE, split_blocks

FORMS = "JSONL(.gz), CSV, TSV, Parquet, .txt, .md, .html, or a folder of such files"
_WORDS = frozenset(("id", "language", "title", "text", "passage", "query"))
_TABLES = (".jsonl", ".jsonl.gz", ".csv", ".tsv", ".parquet")


def passages_of(
    source: str | Path, *, language: str | None = None, longest: int = LONGEST_PASSAGE
) -> Iterator[tuple[str, Passage]]:
    """Read passages one after another, with words for the place of each.

    Args:
        source: a file or folder, or ``sample:train``, ``sample:dev``, ``sample:test``. In a folder, hidden files and
            folders and files of other forms are passed over. A document's passages are called after its path and their
            number, `guide/travel.md#3`, and have the path as metadata `source`; a record without an id is called after
            its file and line.
        language: of passages that say none; None leaves it to be detected.
        longest: characters a passage of a document.

    Raises:
        CorpusError: something cannot be read; says where.
    """
    text = str(source)
    if text.startswith(sample.PREFIX):
        path = sample.sample_path(text.removeprefix(sample.PREFIX))
        return _records(path, path.name, language)
    path = Path(source)
    if path.is_dir():
        return _folder(path, language, longest)
    if not path.exists():
        raise CorpusError(f"{path}: no such file or folder; give {FORMS}")
    if not _is_known(path):
        raise CorpusError(f"{path}: of no known form; give {FORMS}")
    return _file(path, path.name, language, longest)


def _folder(folder: Path, language: str | None, longest: int) -> Iterator[tuple[str, Passage]]:
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and _is_known(path)
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if not found:
        raise CorpusError(f"{folder}: holds nothing to index; give {FORMS}")
    for path in found:
        yield from _file(path, path.relative_to(folder).as_posix(), language, longest)


def _file(path: Path, name: str, language: str | None, longest: int) -> Iterator[tuple[str, Passage]]:
    if path.name.lower().endswith(_TABLES):
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


def _is_known(path: Path) -> bool:
    return path.name.lower().endswith((*_TABLES, *READERS))
