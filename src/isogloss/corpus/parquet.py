"""Parquet: one record a row, in the columns that records have fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from isogloss.corpus.parallel import ParallelCorpus
from isogloss.corpus.records import FIELDS, REQUIRED_FIELDS, Defect, RecordSource
from isogloss.corpus.versions import SCHEMA
from isogloss.files import finished_file

_BATCH_ROWS = 8192


def parquet_source(
    path: Path, *, hint: str = "", required: Sequence[str] = REQUIRED_FIELDS, fields: Sequence[str] = FIELDS
) -> RecordSource:
    """The records of a Parquet file, placed by row number from 1; columns other than `fields` are not read."""
    done = [0, 0]
    return RecordSource(
        _records(path, required, fields, done),
        describe=lambda row: f"{path}: row {row}" if row else str(path),
        locate=lambda row: (str(path), row or None),
        hint=hint,
        progress=lambda: (done[0], done[1]),
    )


def write_parquet(corpus: ParallelCorpus, path: str | Path) -> None:
    """Write a corpus as a Parquet file; a file of that name is replaced.

    Raises:
        OutputError: the file cannot be written.
    """
    with finished_file(Path(path)) as temporary, pq.ParquetWriter(temporary, SCHEMA) as writer:
        for batch in corpus.batches():
            writer.write_batch(batch)


def _records(
    path: Path, required: Sequence[str], fields: Sequence[str], done: list[int]
) -> Iterator[tuple[int, object]]:
    if not path.stat().st_size:
        yield 0, Defect("empty-file", "the file is empty")
        return
    try:
        # What is read ahead would be kept until the end: all of the file.
        with pq.ParquetFile(path, pre_buffer=False) as file:
            there = set(file.schema_arrow.names)
            if missing := [field for field in required if field not in there]:
                yield 0, Defect("missing-field", f"there is no column {', '.join(map(repr, missing))}")
                return
            row = 0
            done[1] = file.metadata.num_rows
            columns = [field for field in fields if field in there]
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=columns):
                for record in _rows(batch):
                    row = done[0] = row + 1
                    yield row, record
            if not row:
                yield 0, Defect("empty-file", "the file has no rows")
    except pa.ArrowException as error:
        yield 0, Defect("unreadable", f"not a sound Parquet file: {error}; copy or download it again")


def _rows(batch: pa.RecordBatch) -> Iterator[object]:
    try:
        yield from batch.to_pylist()
    except UnicodeDecodeError:
        for number in range(batch.num_rows):
            try:
                yield batch.slice(number, 1).to_pylist()[0]
            except UnicodeDecodeError as error:
                yield Defect(
                    "invalid-utf-8", f"invalid UTF-8 at byte {error.start} of a text ({error.reason})"
                )
