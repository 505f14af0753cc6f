"""The table of versions: Arrow columns built from records as they come, one row a language version."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from isogloss.corpus.records import RecordSource, Version, examine

SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("language", pa.string(), nullable=False),
        pa.field("query", pa.string(), nullable=False),
        pa.field("passage", pa.string(), nullable=False),
        pa.field("title", pa.string()),
        pa.field("negatives", pa.list_(pa.field("item", pa.string(), nullable=False)), nullable=False),
        pa.field("dataset", pa.string()),
    ]
)

# A batch closes at either bound: the second keeps its string columns far below Arrow's 2 GiB of bytes a
# column.
_BATCH_ROWS = 8192
_BATCH_CHARACTERS = 16_000_000


def read_versions(source: RecordSource) -> pa.Table:
    """Read records into a table, holding no more than a batch of them as Python objects.

    Returns:
        A table of `SCHEMA` with a row for each record, in their order.

    Raises:
        CorpusError: a record is not valid, an id comes twice in one language, or there is no record; the
            first is found while reading, the second when all records are read.
    """
    batches: list[pa.RecordBatch] = []
    pending: list[Version] = []
    characters = 0
    places = array("q")
    for place, record in source.records:
        version, defects = examine(record)
        if version is None:
            raise source.error(place, with_identity(defects[0].message, defects[0].id, defects[0].language))
        places.append(place)
        pending.append(version)
        characters += len(version.query) + len(version.passage) + sum(map(len, version.negatives))
        if len(pending) == _BATCH_ROWS or characters > _BATCH_CHARACTERS:
            batches.append(to_batch(pending))
            pending, characters = [], 0
    if pending:
        batches.append(to_batch(pending))
    if not batches:
        raise source.error(0, "there is no record in it")
    table = pa.Table.from_batches(batches, SCHEMA)
    _refuse_duplicates(table, places, source)
    return table


def to_batch(versions: Sequence[Version]) -> pa.RecordBatch:
    """An Arrow record batch of `SCHEMA` with a row for each version."""
    columns = {field.name: [getattr(version, field.name) for version in versions] for field in SCHEMA}
    return pa.record_batch(columns, schema=SCHEMA)


def to_versions(batch: pa.RecordBatch) -> Iterator[Version]:
    """The versions of a record batch of `SCHEMA`, row by row."""
    # A part at a time: as Python objects, a batch of a corpus folder would take gigabytes.
    for start in range(0, batch.num_rows, _BATCH_ROWS):
        for row in batch.slice(start, _BATCH_ROWS).to_pylist():
            yield Version(**{**row, "negatives": tuple(row["negatives"])})


def coded_column(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], pa.Array]:
    """Number the values of a string column without nulls by their first appearance.

    Returns:
        The number in each row, int64 of shape (rows,), and the distinct values in the order of their numbers.
    """
    coded = column.dictionary_encode().unify_dictionaries()
    numbers = np.concatenate([chunk.indices.to_numpy() for chunk in coded.chunks])
    return numbers.astype(np.int64), coded.chunk(0).dictionary


def _refuse_duplicates(table: pa.Table, places: array[int], source: RecordSource) -> None:
    items, _ = coded_column(table["id"])
    language_numbers, languages = coded_column(table["language"])
    keys = items * len(languages) + language_numbers
    _, first_rows, inverse = np.unique(keys, return_index=True, return_inverse=True)
    repeated = np.flatnonzero(first_rows[inverse] != np.arange(len(keys)))
    if len(repeated):
        second = int(repeated[0])
        first = int(first_rows[inverse[second]])
        item, language = table["id"][second].as_py(), table["language"][second].as_py()
        raise source.error(
            places[second],
            f"id {item!r} comes twice in language {language!r}; first at {source.describe(places[first])}",
        )


def with_identity(message: str, item: str | None, language: str | None) -> str:
    """A message with the id and the language that it is about, where they are known."""
    known = [f"id {item!r}"] if item else []
    known += [f"language {language!r}"] if language else []
    return f"{message} ({', '.join(known)})" if known else message
