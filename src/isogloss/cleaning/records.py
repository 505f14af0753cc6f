"""Corpora as streams of records, in and out: the one place of this package that knows how corpora are stored."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import pyarrow.parquet as pq

from isogloss.corpus import registry, sample
from isogloss.corpus.arrow_folder import is_corpus_folder, open_corpus
from isogloss.corpus.reading import record_source
from isogloss.corpus.records import Defect, RecordSource, Version, examine
from isogloss.corpus.squad_r import squad_r_source
from isogloss.corpus.version_writing import FORMS
from isogloss.corpus.versions import SCHEMA, to_batch
from isogloss.errors import CorpusError, OutputError
from isogloss.files import finished_file, remove_leftovers

_ROWS = 8192


class ReadRecord(NamedTuple):
    """A record as it was read.

    Attributes:
        place: where it stands, in words.
        version: what it says; None where it is no valid record.
        problem: what is wrong with it; empty where nothing is.
        record: the record itself, as far as it could be read.
    """

    place: str
    version: Version | None
    problem: str
    record: object


Mend = Callable[[object], object]


def read_records(
    path: str | Path, data_dir: Path | None = None, mend: Mend | None = None
) -> Iterator[ReadRecord]:
    """Yield the records of a corpus in their order, the broken ones too; few are in memory at once.

    Args:
        path: as `isogloss.corpus.read_corpus` takes it.
        data_dir: where known benchmarks lie.
        mend: called with each record before it is examined.

    Raises:
        CorpusError: there is no such corpus, or it cannot be read at all.
    """
    if is_corpus_folder(Path(path)):
        for number, stored_version in enumerate(open_corpus(Path(path)).versions(), start=1):
            stored = stored_version.as_record()
            made = stored_version if mend is None else examine(mend(stored))[0]
            problem = "" if made is not None else "empty after normalisation"
            yield ReadRecord(f"{path}: row {number}", made, problem, stored)
        return
    source = _source(path, data_dir)
    try:
        for place, record in source.records:
            mended = record if mend is None else mend(record)
            version, defects = examine(mended)
            cut_off = str(path).endswith(".gz") and any(defect.kind == "truncated" for defect in defects)
            if cut_off or any(defect.kind in ("empty-file", "unreadable") for defect in defects):
                raise source.error(place, defects[0].message)
            yield ReadRecord(
                source.describe(place),
                version,
                "; ".join(defect.message for defect in defects),
                None if isinstance(record, Defect) else record,
            )
    except OSError as error:
        raise CorpusError(f"{path}: cannot read: {error.strerror or error}") from error


def read_versions(path: str | Path, data_dir: Path | None = None) -> Iterator[Version]:
    """Yield the versions of a corpus in their order.

    Raises:
        CorpusError: a record is broken; said with its place.
    """
    for read in read_records(path, data_dir):
        if read.version is None:
            raise CorpusError(
                f"{read.place}: {read.problem} (`isogloss data clean` takes broken records out)"
            )
        yield read.version


def count_records(path: str | Path) -> int | None:
    """How many records a corpus has, where that can be told quickly."""
    path = Path(str(path))
    try:
        if is_corpus_folder(path):
            return len(open_corpus(path).stored)
        if path.name.endswith(".parquet"):
            return int(pq.read_metadata(path).num_rows)
        if path.name.endswith(".jsonl"):
            with path.open("rb") as file:
                return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 24), b""))
    except Exception:  # whatever is wrong with it is said, with its place, when it is read
        return None
    return None


def check_output(path: Path) -> None:
    """Refuse an output that is there already, or of a form that is not written.

    Raises:
        OutputError: it is.
    """
    if not path.name.endswith(FORMS):
        raise OutputError(
            f"{path}: give a name ending in {', '.join(FORMS)}; `isogloss data convert` makes a folder of it"
        )
    if path.exists():
        raise OutputError(f"{path}: exists already; choose another name or remove it")


@contextmanager
def corpus_writer(path: Path) -> Iterator[Callable[[Version], None]]:
    """Yield a function that writes versions one by one; the file is whole or not there.

    Raises:
        OutputError: it cannot be written, is there already or is of no known form.
    """
    check_output(path)
    remove_leftovers(path)
    if path.suffix == ".parquet":
        with (
            finished_file(path, overwrite=False) as temporary,
            pq.ParquetWriter(temporary, SCHEMA) as parquet,
        ):
            pending: list[Version] = []

            def add(version: Version) -> None:
                pending.append(version)
                if len(pending) == _ROWS:
                    parquet.write_batch(to_batch(pending))
                    pending.clear()

            yield add
            if pending:
                parquet.write_batch(to_batch(pending))
        return
    with json_lines_writer(path) as write:
        yield lambda version: write(version.as_record())


@contextmanager
def json_lines_writer(path: Path) -> Iterator[Callable[[Any], None]]:
    """Yield a function that writes values a line each, gzipped where the name ends in `.gz`.

    Raises:
        OutputError: the file is there already or cannot be written.
    """
    remove_leftovers(path)
    with finished_file(path, overwrite=False) as temporary, temporary.open("wb") as raw:
        # No time and no name in the gzip header: equal corpora make equal files.
        packed = gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) if path.suffix == ".gz" else raw
        # A broken record may hold half of a character; the side file shows it as an escape.
        with io.TextIOWrapper(
            cast("IO[bytes]", packed), encoding="utf-8", errors="backslashreplace", newline="\n"
        ) as file:
            encode = json.JSONEncoder(ensure_ascii=False).encode
            yield lambda value: cast(None, file.write(encode(value) + "\n"))


def _source(path: str | Path, data_dir: Path | None) -> RecordSource:
    text = str(path)
    if text.startswith(sample.PREFIX):
        return record_source(sample.sample_path(text.removeprefix(sample.PREFIX)))
    if text in registry.KNOWN_BENCHMARKS:
        return squad_r_source(registry.obtain_benchmark(text, data_dir))
    return record_source(Path(path))
