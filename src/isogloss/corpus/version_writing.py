"""Write a corpus version by version, in any form, whole or not at all; memory does not grow with the texts."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Protocol, cast

import pyarrow.parquet as pq

from isogloss.corpus.arrow_folder import VersionsFile, write_description
from isogloss.corpus.jsonl import jsonl_source, packed_file
from isogloss.corpus.parquet import parquet_source
from isogloss.corpus.reading import corpus_name
from isogloss.corpus.records import RecordSource, Version
from isogloss.corpus.stored_versions import StoredVersions
from isogloss.corpus.version_index import IdentityIndex, TextIndex
from isogloss.corpus.versions import SCHEMA, to_batch
from isogloss.errors import CorpusError, OutputError
from isogloss.files import finished_file, finished_folder, scratch_folder
from isogloss.items import Availability

FORMS = (".jsonl", ".jsonl.gz", ".parquet")

_BATCH_ROWS = 8192
_BATCH_CHARACTERS = 16_000_000


def check_form(path: Path) -> None:
    """Refuse a name that says no form in which a corpus is written; one without a suffix is a folder's.

    Raises:
        OutputError: it does.
    """
    if path.suffix and not path.name.endswith(FORMS):
        raise OutputError(
            f"{path}: {path.suffix} is no form to write; use .jsonl, .jsonl.gz, .parquet, or a folder"
        )


class VersionWriter:
    """Writes versions to a `.jsonl`, `.jsonl.gz` or `.parquet` file, replacing one of that name, or to a new folder.

    A context manager: the output is there, whole, when the block has ended without an error, and otherwise not at all.
    Of each version some hundred bytes are kept, ids and texts as keys, and they lie on disk, beside the output, once
    they are many: all the rest of the memory is a batch of versions.

    Args:
        path: what to write.
        name: the name of a corpus folder; None takes the only `dataset` of the versions, or else `otherwise`.
        otherwise: see `name`; the last part of `path` if left out.
        describe: words for a place that is given to `write`, for errors.

    Attributes:
        versions: the number of versions written.
        items: the number of items; known when the block has ended.
        languages: the languages in the order in which they came.

    Raises:
        CorpusError: at the end of the block: an id came twice in one language, or there is no version.
        OutputError: the output cannot be written; or a folder is there already; or the name is of no known form.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        name: str | None = None,
        otherwise: str | None = None,
        describe: Callable[[int], str] | None = None,
    ) -> None:
        self.path = Path(path)
        check_form(self.path)
        self.versions = 0
        self.items = 0
        self._name = name
        self._otherwise = otherwise or corpus_name(self.path)
        self._describe = describe or (lambda place: f"{path}: version {place}")
        self._datasets: set[str | None] = set()
        self._pending: list[Version] = []
        self._places: list[int] = []
        self._characters = 0
        self._stack = ExitStack()

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of what was written, in the order in which they came."""
        return tuple(self._identities.languages)

    def __enter__(self) -> VersionWriter:
        with ExitStack() as stack:
            if self.path.name.endswith(FORMS):
                self._output = stack.enter_context(finished_file(self.path))
                scratch = stack.enter_context(scratch_folder(self.path))
                self._texts = None
                form = _Parquet if self.path.suffix == ".parquet" else _Jsonl
                self._sink: _Sink = form(self._output)
            else:
                self._output = stack.enter_context(finished_folder(self.path))
                scratch = Path(
                    stack.enter_context(tempfile.TemporaryDirectory(prefix=".keys-", dir=self._output))
                )
                self._texts = TextIndex(scratch)
                self._sink = _Folder(self._output)
            self._identities = IdentityIndex(scratch)
            stack.callback(self._sink.close)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            # Passed on to what was opened, so that it is taken back and not put in place.
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            self._flush()
            self._sink.close()
            self._finish()

    def write(self, version: Version, place: int | None = None) -> None:
        """Write a valid version.

        Args:
            version: it; of the kind that `isogloss.corpus.records.examine` makes.
            place: where it came from, for errors; the number of the version, from 1, if left out.
        """
        self.versions += 1
        self._pending.append(version)
        self._places.append(self.versions if place is None else place)
        if len(self._datasets) < 2:
            self._datasets.add(version.dataset)
        self._characters += len(version.query) + len(version.passage) + sum(map(len, version.negatives))
        if len(self._pending) == _BATCH_ROWS or self._characters > _BATCH_CHARACTERS:
            self._flush()

    def _flush(self) -> None:
        if not self._pending:
            return
        try:
            self._sink.write(self._pending)
        except UnicodeEncodeError as error:
            raise CorpusError(f"{self.path}: a text holds half of a character: {error}") from error
        self._identities.add(self._pending, self._places)
        if self._texts is not None:
            self._texts.add(self._pending)
        self._pending, self._places, self._characters = [], [], 0

    def _finish(self) -> None:
        if not self.versions:
            raise CorpusError(f"{self.path}: there is no record to write")
        if (repeated := self._identities.first_repeated()) is not None:
            version = self._sink.read(repeated.row)
            raise CorpusError(
                f"{self._describe(repeated.place)}: id {version.id!r} comes twice in language {version.language!r}; "
                f"first at {self._describe(repeated.first_place)}"
            )
        if not isinstance(self._sink, _Folder) or self._texts is None:
            self.items = self._identities.count_items()
            return
        rows, item_of_row = self._identities.item_rows(self._output / "rows.npy")
        self.items = len(rows)
        only = next(iter(self._datasets)) if len(self._datasets) == 1 else None
        write_description(
            self._output,
            name=self._name or only or self._otherwise,
            languages=sorted(self.languages),
            items=self.items,
            starts=self._sink.file.starts,
            availability=Availability.of_rows(rows),
            item_groups=self._texts.item_groups(item_of_row, self.items),
            checksum=self._texts.checksum(),
        )


class _Sink(Protocol):
    """A file being written."""

    def write(self, versions: list[Version]) -> None:
        """Add versions."""

    def close(self) -> None:
        """End the file; does nothing where it was ended before."""

    def read(self, row: int) -> Version:
        """A version of the closed file, by its number from 0."""


class _Jsonl:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._raw = path.open("wb")
        packed = packed_file(self._raw) if path.suffix == ".gz" else self._raw
        self._file = io.TextIOWrapper(packed, encoding="utf-8", newline="\n")

    def write(self, versions: list[Version]) -> None:
        for version in versions:
            self._file.write(json.dumps(version.as_record(), ensure_ascii=False) + "\n")

    def close(self) -> None:
        self._file.close()
        self._raw.close()

    def read(self, row: int) -> Version:
        return _nth(jsonl_source(self._path), row)


class _Parquet:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = pq.ParquetWriter(path, SCHEMA)

    def write(self, versions: list[Version]) -> None:
        self._writer.write_batch(to_batch(versions))

    def close(self) -> None:
        self._writer.close()

    def read(self, row: int) -> Version:
        return _nth(parquet_source(self._path), row)


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.file = VersionsFile(folder)
        self._open = True

    def write(self, versions: list[Version]) -> None:
        self.file.write(to_batch(versions))

    def close(self) -> None:
        if self._open:
            self._open = False
            self.file.__exit__(None)

    def read(self, row: int) -> Version:
        found = StoredVersions(self._folder / "versions.arrow").row(row)
        return Version(**{**found.to_pylist()[0], "negatives": tuple(found["negatives"][0].as_py())})


def _nth(source: RecordSource, row: int) -> Version:
    record = next(islice((record for _, record in source.records), row, None))
    fields = cast("dict[str, object]", record)
    return Version(str(fields["id"]), str(fields["language"]), str(fields["query"]), str(fields["passage"]))
