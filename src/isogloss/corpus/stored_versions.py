"""The versions of a corpus by row, in memory or in an Arrow file of which only the batches asked for are opened."""

from __future__ import annotations

import mmap
import os
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from isogloss.corpus.versions import SCHEMA
from isogloss.errors import CorpusError

# An open batch of a file is some kilobytes of Arrow objects over memory-mapped columns; the texts are not copied.
_BATCHES_KEPT_OPEN = 1024
# Around each page that is asked for the system reads some more ahead: right for a scan, and for a file that fits
# into memory, where it is after some look-ups. Of a larger one, read here and there, it would read a hundred times
# what is wanted, and push out what it read before.
_READ_AHEAD_TO = 0.5  # of the machine's memory
_COLUMNS = {name: number for number, name in enumerate(SCHEMA.names)}


class StoredVersions:
    """Rows of `SCHEMA`, in record batches.

    Args:
        source: A table, or an Arrow IPC file, which is memory-mapped.
        starts: The first row of each batch of a file and the number of all rows, int64 of shape (batches + 1,). If
            left out, every batch of the file is opened to count its rows.

    Attributes:
        schema: The schema of the source.
        starts: As given, or counted.

    Raises:
        OSError, pyarrow.ArrowException: the file cannot be opened or is no Arrow file.
        CorpusError: `starts` are not of as many batches as the file has.
    """

    def __init__(self, source: pa.Table | Path, starts: NDArray[np.int64] | None = None) -> None:
        self._source = source
        self._open: OrderedDict[int, pa.RecordBatch] = OrderedDict()
        self._batches: list[pa.RecordBatch] | None = None
        if isinstance(source, Path):
            with source.open("rb") as file:
                self._file = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._by_page = False
            self._reader = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(self._file)))
            self.schema, count = self._reader.schema, self._reader.num_record_batches
        else:
            self._batches = source.to_batches()
            self.schema, count = source.schema, len(self._batches)
        if starts is None:
            rows = [self._read(number).num_rows for number in range(count)]
            starts = np.concatenate(([0], np.cumsum(rows, dtype=np.int64)))
        elif len(starts) != count + 1:
            raise CorpusError(f"{source}: expected {len(starts) - 1} record batches, found {count}")
        self.starts: NDArray[np.int64] = starts

    def __len__(self) -> int:
        """The number of rows."""
        return int(self.starts[-1])

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The record batches, each opened when its turn comes and not kept."""
        self._expect(look_ups=False)
        return (self._read(number) for number in range(len(self.starts) - 1))

    def __getstate__(self) -> tuple[pa.Table | Path, NDArray[np.int64]]:
        """What `__init__` takes: a file is opened again where this is unpickled."""
        return self._source, self.starts

    def __setstate__(self, state: tuple[pa.Table | Path, NDArray[np.int64]]) -> None:
        """Open the source."""
        self.__init__(*state)  # type: ignore[misc]

    def row(self, row: int) -> pa.RecordBatch:
        """One row as a record batch."""
        batch, place = self._locate(row)
        return batch.slice(place, 1)

    def value(self, column: str, row: int) -> Any:
        """What is in a column of a row."""
        batch, place = self._locate(row)
        return batch.column(_COLUMNS[column])[place].as_py()

    def table(self) -> pa.Table:
        """All rows as a table; opens every batch."""
        return (
            self._source if isinstance(self._source, pa.Table) else pa.Table.from_batches(self, self.schema)
        )

    def _locate(self, row: int) -> tuple[pa.RecordBatch, int]:
        if not 0 <= row < len(self):
            raise CorpusError(
                f"{self._source}: row {row} is asked for, and there are {len(self)}: rows.npy points outside "
                "versions.arrow; the folder is damaged, write it again"
            )
        self._expect(look_ups=True)
        number = int(self.starts.searchsorted(row, side="right")) - 1
        return self._kept(number), row - int(self.starts[number])

    def _expect(self, *, look_ups: bool) -> None:
        """Tell the system how a large file will be read, where it differs from what it was told before."""
        if self._batches is not None or look_ups == self._by_page or not hasattr(self._file, "madvise"):
            return
        if len(self._file) > _READ_AHEAD_TO * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"):
            self._file.madvise(mmap.MADV_RANDOM if look_ups else mmap.MADV_NORMAL)
        self._by_page = look_ups

    def _kept(self, number: int) -> pa.RecordBatch:
        if self._batches is not None:
            return self._batches[number]
        batch = self._open.pop(number, None)
        if batch is None:
            batch = self._read(number)
            if len(self._open) >= _BATCHES_KEPT_OPEN:
                self._open.popitem(last=False)
        self._open[number] = batch
        return batch

    def _read(self, number: int) -> pa.RecordBatch:
        if self._batches is not None:
            return self._batches[number]
        try:
            return self._reader.get_batch(number)
        except (OSError, pa.ArrowException) as error:
            raise CorpusError(
                f"{self._source}: batch {number} is damaged: {error}; write the folder again"
            ) from error
