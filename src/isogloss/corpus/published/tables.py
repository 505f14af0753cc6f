"""Tables with named columns: CSV, TSV, JSON Lines, Parquet, and data sets of the Hugging Face hub.

`--column FIELD=COLUMN` says which column is what: `query` and `passage` are needed; `id`, `language`, `title`,
`negative` (a text or a list of texts), `negatives` (likewise) and `dataset` may be. A field whose column has its name
needs no saying. Lines of JSON need not all have the same keys: each is read by those that it has.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from isogloss.corpus.published.languages import coded_language
from isogloss.corpus.published.reading import (
    Json,
    Reading,
    Records,
    decoded,
    find_files,
    name_in,
    of_split,
    shaped,
)
from isogloss.corpus.records import Defect
from isogloss.errors import CorpusError, RecipeError

HUB = "hf:"
FIELDS = ("query", "passage", "id", "language", "title", "negative", "negatives", "dataset")

_SUFFIXES = tuple(f".{form}{packed}" for form in ("csv", "tsv", "jsonl") for packed in ("", ".gz"))
_BATCH_ROWS = 4096
# One cell of a table, such as a whole article.
_LONGEST_CELL = 1 << 27


def read_table(source: Path, reading: Reading) -> Records:
    """An item a row; an id that no column gives is the file's path in the source, or name, and the row's number."""
    columns = _Columns(reading.options.columns)
    if str(source).startswith(HUB):
        yield from _hub(str(source).removeprefix(HUB), reading, columns)
        return
    files = of_split(source, find_files(source, (*_SUFFIXES, ".parquet")), reading)
    reading.expect(*files)
    for path in files:
        rows = _parquet_rows(path, reading) if path.suffix == ".parquet" else _text_rows(path, reading)
        name = reading.name_of(path, name_in(source, path))
        yield from _records(rows, reading, columns, path, name, alike=".jsonl" not in path.suffixes)
    columns.refuse_unseen(source)


@dataclass
class _Columns:
    """Which column is what, and which of those that the user names have been seen.

    Attributes:
        named: the column by field, as the user says it.
        seen: columns of `named` that some row had.
        rows: how many rows there were.
    """

    named: Mapping[str, str]
    seen: set[str] = field(default_factory=set)
    rows: int = 0

    def cells(self, row: Mapping[str, Any]) -> dict[str, Any] | Defect:
        """What a row has, by field; a defect where it has no query or no passage."""
        self.rows += 1
        self.seen.update(column for column in self.named.values() if column in row)
        cells = {name: row[column] for name in FIELDS if (column := self.named.get(name, name)) in row}
        for name in ("query", "passage"):
            if name not in cells:
                column = self.named.get(name, name)
                advice = "" if name in self.named else f"; or say which it is with --column {name}=COLUMN"
                return Defect(
                    "missing-field", f"there is no column {column!r}; there are {_listed(row)}{advice}"
                )
        return cells

    def refuse_missing(self, row: Mapping[str, Any], where: Path) -> None:
        """Refuse a table whose rows all have the columns of this one, and not one that the user names.

        Raises:
            CorpusError: it is so.
        """
        for column in self.named.values():
            if column not in row:
                raise CorpusError(f"{where}: there is no column {column!r}; there are {_listed(row)}")

    def refuse_unseen(self, source: Path) -> None:
        """Refuse a source of which no row had a column that the user names.

        Raises:
            CorpusError: it is so.
        """
        for name, column in self.named.items():
            if self.rows and column not in self.seen:
                raise CorpusError(f"{source}: --column {name}={column}: no row has the column {column!r}")


def _records(
    rows: Iterator[tuple[int, object]],
    reading: Reading,
    columns: _Columns,
    where: Path,
    name: str,
    *,
    alike: bool,
) -> Records:
    """The records of rows, which are `alike` where all have the columns of the first one."""
    first = True
    for number, (place, row) in enumerate(rows, start=1):
        if isinstance(row, Defect):
            yield place, row
            continue
        if not isinstance(row, Mapping):
            yield place, shaped("a table", ValueError("expected an object a line"))
            continue
        if first and alike:
            columns.refuse_missing(row, where)
        first = False
        record = _record(row, columns, reading, f"{name}-{number}")
        if record is not None:
            yield place, record


def _record(
    row: Mapping[str, Any], columns: _Columns, reading: Reading, name: str
) -> dict[str, Any] | Defect | None:
    cells = columns.cells(row)
    if isinstance(cells, Defect):
        return cells
    language = cells.get("language")
    wanted = reading.options.languages
    if language is None:
        if len(wanted) != 1:
            return Defect(
                "missing-field",
                "does not tell its language; say it with one --language, such as --language en, or name its column"
                " with --column language=COLUMN",
            )
        language = wanted[0]
    elif wanted and coded_language(str(language)) not in (None, *wanted):
        reading.skipped["rows in other languages"] += 1
        return None
    near = [one for each in ("negative", "negatives") for one in _several(cells.get(each))]
    item = cells.get("id")
    record = reading.record(
        name if item is None or item == "" else item,
        str(language),
        cells["query"],
        cells["passage"],
        title=cells.get("title"),
        negatives=near,
    )
    if record is not None:
        record["dataset"] = cells.get("dataset")
    return record


def _listed(row: Mapping[str, Any]) -> str:
    return ", ".join(map(repr, row)) or "none"


def _several(value: Json) -> list[object]:
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, list) else [value]


def _text_rows(path: Path, reading: Reading) -> Iterator[tuple[int, object]]:
    if ".jsonl" in path.suffixes:
        yield from reading.json_lines(path)
        return
    delimiter = "\t" if ".tsv" in path.suffixes else ","
    csv.field_size_limit(_LONGEST_CELL)
    # A quoted cell may run over several lines, so that the reader takes lines until a row is whole.
    place = 0
    stopped: list[tuple[int, Defect]] = []

    def lines() -> Iterator[str]:
        nonlocal place
        for place, line in reading.raw_lines(path):
            text = line if isinstance(line, Defect) else decoded(line)
            if isinstance(text, Defect):
                stopped.append((place, text))
                return
            yield text.removeprefix("\ufeff") + "\n"

    rows = csv.reader(lines(), delimiter=delimiter, strict=True)
    try:
        head = next(rows, None)
        for row in rows:
            if not row:
                continue
            if head is None or len(row) != len(head):
                yield (
                    place,
                    Defect(
                        "wrong-type", f"expected {len(head or ())} cells as in the head, found {len(row)}"
                    ),
                )
                continue
            yield place, dict(zip(head, row, strict=True))
    except csv.Error as error:
        if not stopped:
            yield place, Defect("bad-csv", f"bad CSV: {error}")
    yield from stopped


def _parquet_rows(path: Path, reading: Reading) -> Iterator[tuple[int, object]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    place = reading.rows(path)
    number = 0
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                reading.reached(path, number / max(file.metadata.num_rows, 1))
                for row in batch.to_pylist():
                    number += 1
                    yield place(number), row
            reading.reached(path, 1.0)
    except pa.ArrowException as error:
        yield (
            place(number),
            Defect("unreadable", f"not a sound Parquet file: {error}; copy or download it again"),
        )


def _hub(source: str, reading: Reading, columns: _Columns) -> Records:
    """The rows of a data set of the hub, `NAME` or `NAME:CONFIG`, as they arrive; their ids say all of where from."""
    name, _, config = source.partition(":")
    if not name:
        raise RecipeError("hf:NAME: give the name of a data set, such as hf:squad or hf:clips/mfaq:en_flat")
    from datasets import load_dataset
    from huggingface_hub import dataset_info

    split = reading.options.split or "train"
    try:
        # Says at once that there is no network or no such name; what follows would try for half a minute.
        dataset_info(name, timeout=20.0)
        rows = iter(load_dataset(name, config or None, split=split, streaming=True))
        first = next(rows, None)
    except Exception as error:
        # Whatever goes wrong below - no network, no such name, a script that is not run - is said in its own words.
        raise CorpusError(
            f"hf:{name}: cannot be read from the hub: {_first_line(error)}; a network is needed, or give files"
        ) from error
    if first is None:
        return
    where = Path(f"hf:{name}")
    place = reading.rows(where)

    def placed() -> Iterator[tuple[int, object]]:
        yield place(1), first
        number = 1
        try:
            for number, row in enumerate(rows, start=2):
                yield place(number), row
        except Exception as error:
            yield place(number + 1), Defect("unreadable", f"the hub stopped: {_first_line(error)}")

    yield from _records(placed(), reading, columns, where, f"{source}:{split}", alike=True)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


__all__ = ["FIELDS", "HUB", "read_table"]
