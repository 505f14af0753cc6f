"""A corpus on disk: a folder with an Arrow file and some arrays, memory-mapped when opened.

versions.arrow   Arrow IPC file, one row a language version
batches.npy      the first row of each record batch of it, and the number of all rows
rows.npy         the row of each item in each language, -1 where there is none
patterns.npy     the sets of languages that items exist in        (see `Availability`)
codes.npy        which of these sets each item has                (likewise)
starts.npy       what makes items findable by their set           (likewise; none where the sets are too many)
repeats.npy      the items that share a text with an earlier one, and their groups (see `ItemGroups`)
corpus.json      format version, name, languages, counts, checksum

Planning reads the arrays in the middle, a page at a time; rows.npy and versions.arrow give the texts. Version 1 of
the format had groups.npy, the group of each item, in the place of batches.npy and the arrays for planning.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from isogloss.corpus.parallel import ParallelCorpus
from isogloss.corpus.stored_versions import StoredVersions
from isogloss.corpus.versions import SCHEMA
from isogloss.errors import CorpusError
from isogloss.files import finished_folder
from isogloss.items import Availability, ItemGroups

FORMAT_VERSION = 2
DESCRIPTION_FILE = "corpus.json"

# Batches are joined up to these bounds, so that a large corpus has hundreds of them and not tens of thousands.
_BATCH_ROWS = 1 << 17
_BATCH_BYTES = 1 << 28


def is_corpus_folder(path: Path) -> bool:
    """Whether `path` looks like a folder that `save_corpus` wrote."""
    return (path / DESCRIPTION_FILE).is_file()


def save_corpus(corpus: ParallelCorpus, path: Path) -> None:
    """Write a corpus as a folder, whole or not at all.

    Raises:
        OutputError: `path` exists (other than as an empty folder) or cannot be written.
    """
    with finished_folder(path) as folder:
        chosen = np.zeros(len(corpus.stored), np.bool_)
        chosen[corpus.rows[corpus.available]] = True
        rows = np.asarray(corpus.rows)
        if not chosen.all():
            # A selection's rows have gaps; on disk they are numbered without.
            numbers = np.cumsum(chosen, dtype=np.int64) - 1
            rows = np.where(rows >= 0, numbers[rows], -1).astype(rows.dtype)
        write_folder(
            folder,
            name=corpus.name,
            languages=corpus.languages,
            batches=corpus.batches(),
            rows=rows,
            availability=corpus.availability,
            item_groups=corpus.item_groups,
            checksum=corpus.checksum,
        )


def write_folder(
    folder: Path,
    *,
    name: str,
    languages: Iterable[str],
    batches: Iterable[pa.RecordBatch],
    rows: NDArray[np.integer],
    availability: Availability,
    item_groups: ItemGroups,
    checksum: str,
) -> None:
    """Write the files of a corpus folder, the versions as they come.

    Args:
        folder: An empty folder.
        name: The corpus's name.
        languages: Its languages, sorted.
        batches: Record batches of `SCHEMA`.
        rows: The row of each item in each language, shape (items, languages), -1 where there is none; may be
            memory-mapped.
        availability: Which item exists in which language, by pattern.
        item_groups: Which items share a text.
        checksum: `ParallelCorpus.checksum` of the versions.
    """
    with VersionsFile(folder) as file:
        for batch in batches:
            file.write(batch)
    np.save(folder / "rows.npy", rows)
    write_description(
        folder,
        name=name,
        languages=languages,
        items=len(rows),
        starts=file.starts,
        availability=availability,
        item_groups=item_groups,
        checksum=checksum,
    )


class VersionsFile:
    """versions.arrow of a folder, filled a record batch at a time; small batches are joined.

    Attributes:
        starts: the first row of each batch of the file and the number of all rows; whole when the file is closed.
    """

    def __init__(self, folder: Path) -> None:
        self.starts = [0]
        self._pending: list[pa.RecordBatch] = []
        self._rows = self._bytes = 0
        self._file = pa.OSFile(str(folder / "versions.arrow"), "wb")
        self._writer = pa.ipc.new_file(self._file, SCHEMA)

    def __enter__(self) -> VersionsFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._file, self._writer:
            if kind is None:
                self._flush()

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows of `SCHEMA`."""
        if self._rows + batch.num_rows > _BATCH_ROWS or self._bytes + batch.nbytes > _BATCH_BYTES:
            self._flush()
        self._pending.append(batch)
        self._rows += batch.num_rows
        self._bytes += batch.nbytes

    def _flush(self) -> None:
        if not self._pending:
            return
        joined = self._pending[0]
        if len(self._pending) > 1:
            joined = pa.Table.from_batches(self._pending).combine_chunks().to_batches()[0]
        self._writer.write_batch(joined)
        self.starts.append(self.starts[-1] + joined.num_rows)
        self._pending, self._rows, self._bytes = [], 0, 0


def write_description(
    folder: Path,
    *,
    name: str,
    languages: Iterable[str],
    items: int,
    starts: Sequence[int],
    availability: Availability,
    item_groups: ItemGroups,
    checksum: str,
) -> None:
    """Write what a folder says of the versions and rows in it; arguments as of `write_folder` and `VersionsFile`."""
    arrays = {
        "batches": np.array(starts, np.int64),
        "patterns": availability.patterns,
        "codes": availability.codes,
        "starts": availability.starts,
        "repeats": np.stack([item_groups.repeats, item_groups.numbers]),
    }
    for file_name, array in arrays.items():
        if array is not None:
            np.save(folder / f"{file_name}.npy", array)
    description = {
        "format_version": FORMAT_VERSION,
        "name": name,
        "languages": list(languages),
        "items": items,
        "versions": starts[-1],
        "sha256": checksum,
    }
    text = json.dumps(description, ensure_ascii=False, indent=2) + "\n"
    (folder / DESCRIPTION_FILE).write_text(text, encoding="utf-8")


def open_corpus(path: Path) -> ParallelCorpus:
    """Open a corpus folder without reading its texts or looking at its items.

    The shapes of its files are held against `corpus.json`, in a time that does not grow with the corpus; what is in
    them is taken as it is, the checksum included (`check_corpus` computes all of it anew). A folder of format
    version 1 is read whole, but for the texts; writing it again makes it one of version 2.

    Raises:
        CorpusError: the folder is missing, incomplete, damaged or of another format.
    """
    description = _read_description(path)
    languages, items = tuple(description["languages"]), description["items"]
    of_version_1 = description["format_version"] == 1
    try:
        # Arrays of a number a batch and a set of languages are read; what grows with the items is mapped.
        starts = None if of_version_1 else _read_batch_starts(path)
        stored = StoredVersions(path / "versions.arrow", starts)
        rows = np.load(path / "rows.npy", mmap_mode="r", allow_pickle=False)
        groups = ItemGroups.of(_mapped(path, "groups")) if of_version_1 else _open_groups(path, items)
        availability = None if of_version_1 else _open_availability(path, items, len(languages))
    except (OSError, EOFError, ValueError, pa.ArrowException) as error:
        raise CorpusError(
            f"{path}: the corpus folder is incomplete or damaged: {error}; write it again"
        ) from error
    expected = {
        "the columns of versions.arrow": (stored.schema, SCHEMA),
        "the rows of versions.arrow": (len(stored), description["versions"]),
        "the shape of rows.npy": (rows.shape, (items, len(languages))),
        "the type of rows.npy": (rows.dtype.kind, "i"),
        "the items with a group": (len(groups), items),
    }
    for what, (found, wanted) in expected.items():
        if found != wanted:
            raise CorpusError(
                f"{path}: {what}: expected {wanted}, found {found}; the folder is damaged, write it again"
            )
    if of_version_1:
        refuse_rows_outside(path, rows, len(stored))
    return ParallelCorpus(
        description["name"],
        stored,
        languages,
        rows,
        availability=availability,
        item_groups=groups,
        checksum=description["sha256"],
    )


def refuse_rows_outside(path: Path, rows: NDArray[np.integer], count: int) -> None:
    """Refuse rows that are not among those of versions.arrow; looks at all of them.

    Raises:
        CorpusError: there is one.
    """
    if rows.size and (rows.min() < -1 or rows.max() >= count):
        raise CorpusError(
            f"{path}: rows.npy points outside versions.arrow; the folder is damaged, write it again"
        )


def _read_batch_starts(path: Path) -> NDArray[np.int64]:
    starts: NDArray[np.int64] = np.load(path / "batches.npy", allow_pickle=False)
    if (
        starts.dtype != np.int64
        or starts.ndim != 1
        or not len(starts)
        or (np.diff(starts, prepend=0) < 0).any()
    ):
        raise ValueError("batches.npy holds no row numbers that grow")
    return starts


def _open_availability(path: Path, items: int, languages: int) -> Availability:
    starts = path / "starts.npy"
    availability = Availability(
        items,
        np.load(path / "patterns.npy", allow_pickle=False),
        _mapped(path, "codes"),
        _mapped(path, "starts") if starts.exists() else None,
    )
    if misfit := availability.misfit(languages):
        raise ValueError(f"{misfit}.npy does not fit {items} items in {languages} languages")
    return availability


def _open_groups(path: Path, items: int) -> ItemGroups:
    repeats = _mapped(path, "repeats")
    if repeats.dtype != np.int64 or repeats.ndim != 2 or len(repeats) != 2:
        raise ValueError(f"repeats.npy is {repeats.dtype} of shape {repeats.shape}")
    return ItemGroups(items, repeats[0], repeats[1])


def _mapped(path: Path, name: str) -> NDArray[Any]:
    # A plain array over the mapped file, which indexes faster.
    return np.asarray(np.load(path / f"{name}.npy", mmap_mode="r", allow_pickle=False))


def _read_description(path: Path) -> dict[str, Any]:
    if not path.is_dir():
        raise CorpusError(f"{path}: no such corpus folder")
    file = path / DESCRIPTION_FILE
    try:
        description = json.loads(file.read_bytes())
    except OSError as error:
        raise CorpusError(f"{path}: not a corpus folder: {DESCRIPTION_FILE} cannot be read") from error
    except ValueError as error:
        raise CorpusError(f"{file}: bad JSON: {error}; the folder is damaged, write it again") from error
    types = {"name": str, "languages": list, "items": int, "versions": int, "sha256": str}
    if not isinstance(description, dict) or "format_version" not in description:
        raise CorpusError(f"{file}: does not describe a corpus; was the folder written by isogloss?")
    if description["format_version"] not in (1, FORMAT_VERSION):
        raise CorpusError(
            f"{file}: format version {description['format_version']}, this isogloss reads 1 to {FORMAT_VERSION}; "
            "write the corpus again, or use the isogloss that wrote it"
        )
    for field, kind in types.items():
        if not isinstance(description.get(field), kind):
            raise CorpusError(
                f"{file}: the field {field!r} is missing or has the wrong type; write the folder again"
            )
    return description
