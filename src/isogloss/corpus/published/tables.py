"""Tables with named columns: CSV, TSV, JSON Lines, Parquet, and data sets of the Hugging Face hub.

`--column FIELD=COLUMN` says which column is what: `query` and `passage` are needed; `id`, `language`, `title`,
`negative` (a text or a list of texts), `negatives` (likewise) and `dataset` may be. A field whose column has its name
needs no saying.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from isogloss.corpus.published.languages import chosen_language, coded_language
from isogloss.corpus.published.reading import Json, Reading, Records, decoded, find_files, of_split, shaped
from isogloss.corpus.records import Defect
from isogloss.errors import CorpusError, RecipeError

HUB = "hf:"
FIELDS = ("query", "passage", "id", "language", "title", "negative", "negatives", "dataset")

_SUFFIXES = tuple(f".{form}{packed}" for form in ("csv", "tsv", "jsonl") for packed in ("", ".gz"))
_BATCH_ROWS = 4096
# One cell of a table, such as a whole article.
_LONGEST_CELL = 1 << 27


def read_table(source: Path, reading: Reading) -> Records:
    """An item a row; an id that no column gives is the file's name and the row's number."""
    if str(source).startswith(HUB):
        yield from _hub(str(source).removeprefix(HUB), reading)
        return
    files = of_split(source, find_files(source, (*_SUFFIXES, ".parquet")), reading)
    reading.expect(*files)
    for path in files:
        stem = path.name.partition(".")[0]
        rows = _parquet_rows(path, reading) if path.suffix == ".parquet" else _text_rows(path, reading)
        yield from _records(rows, reading, path, stem)


def _records(rows: Iterator[tuple[int, object]], reading: Reading, where: Path, stem: str) -> Records:
    columns: dict[str, str] | None = None
    for number, (place, row) in enumerate(rows, start=1):
        if isinstance(row, Defect):
            yield place, row
            continue
        if not isinstance(row, Mapping):
            yield place, shaped("a table", ValueError("expected an object a line"))
            continue
        if columns is None:
            columns = _columns(row, reading, where)
        try:
            record = _record(row, columns, reading, where, f"{stem}-{number}")
        except KeyError as error:
            yield place, Defect("missing-field", f"the column {error} is missing")
            continue
        if record is not None:
            yield place, record


def _columns(row: Mapping[str, Any], reading: Reading, where: Path) -> dict[str, str]:
    """The column of each field, after the first row."""
    columns = {name: name for name in FIELDS if name in row} | dict(reading.options.columns)
    for column in columns.values():
        if column not in row:
            raise CorpusError(f"{where}: there is no column {column!r}; it has {', '.join(map(repr, row))}")
    if missing := [name for name in ("query", "passage") if name not in columns]:
        raise CorpusError(
            f"{where}: which column is the {missing[0]}? say it with --column {missing[0]}=COLUMN; "
            f"it has {', '.join(map(repr, row))}"
        )
    return columns


def _record(
    row: Mapping[str, Any], columns: Mapping[str, str], reading: Reading, where: Path, name: str
) -> dict[str, Any] | None:
    cells = {field: row[column] for field, column in columns.items()}
    language = cells.get("language")
    if language is None:
        language = chosen_language(reading.options, where, None)
    elif reading.options.languages and coded_language(str(language)) not in (
        None,
        *reading.options.languages,
    ):
        reading.skipped["rows in other languages"] += 1
        return None
    near = [one for field in ("negative", "negatives") for one in _several(cells.get(field))]
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


def _hub(name: str, reading: Reading) -> Records:
    """The rows of a data set of the hub, `NAME` or `NAME:CONFIG`, as they arrive."""
    name, _, config = name.partition(":")
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

    yield from _records(placed(), reading, where, name.rpartition("/")[2])


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


__all__ = ["FIELDS", "HUB", "read_table"]
