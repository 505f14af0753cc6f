"""JSON Lines, plain or gzipped: one record a line, UTF-8."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from isogloss.corpus.parallel import ParallelCorpus
from isogloss.corpus.records import Defect, RecordSource
from isogloss.files import finished_file


def jsonl_source(path: Path, *, hint: str = "") -> RecordSource:
    """The records of a `.jsonl` or `.jsonl.gz` file, placed by line number.

    Lines of white space alone are skipped; a byte order mark is accepted.
    """
    done = [0]
    return RecordSource(
        _records(path, done),
        describe=lambda line: f"{path}:{line}" if line else str(path),
        locate=lambda line: (str(path), line or None),
        hint=hint,
        progress=lambda: (done[0], path.stat().st_size),
    )


def write_jsonl(corpus: ParallelCorpus, path: str | Path) -> None:
    """Write a corpus as JSON Lines, gzipped where the name ends in `.gz`; a file of that name is replaced.

    Optional fields stand only where they have a value.

    Raises:
        OutputError: the file cannot be written.
    """
    path = Path(path)
    with finished_file(path) as temporary, temporary.open("wb") as raw:
        packed = packed_file(raw) if path.suffix == ".gz" else raw
        with io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as file:
            for version in corpus.versions():
                file.write(json.dumps(version.as_record(), ensure_ascii=False) + "\n")


def packed_file(raw: IO[bytes]) -> IO[bytes]:
    """A gzip file over a binary one; equal corpora make equal files, as no time and no name stand in its head."""
    # The last percent of the size that level 9 saves would take twice the time.
    return cast("IO[bytes]", gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=6))


def _records(path: Path, done: list[int]) -> Iterator[tuple[int, object]]:
    if not path.stat().st_size:
        yield 0, Defect("empty-file", "the file is empty")
        return
    number = 0
    with path.open("rb") as raw:
        file = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw
        try:
            for number, line in enumerate(file, start=1):
                line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                done[0] = raw.tell()
                if line.strip():
                    yield number, parse_line(line)
        except EOFError:
            yield number + 1, Defect("truncated", "the gzip file is cut off here; copy or download it again")
        except (gzip.BadGzipFile, zlib.error) as error:
            yield (
                number + 1,
                Defect("unreadable", f"not a sound gzip file: {error}; copy or download it again"),
            )


def parse_line(line: bytes) -> object:
    """The value of a line of JSON, or a defect in its place."""
    try:
        return cast(object, json.loads(line.decode("utf-8")))
    except UnicodeDecodeError as error:
        kind, message = (
            "invalid-utf-8",
            f"invalid UTF-8 at byte {error.start}: 0x{line[error.start]:02x} ({error.reason})",
        )
    except json.JSONDecodeError as error:
        kind, message = "bad-json", f"bad JSON: {error.msg} at character {error.pos + 1}"
    except (ValueError, RecursionError) as error:
        kind, message = "bad-json", f"bad JSON: {error}"
    if not line.endswith(b"\n"):
        return Defect("truncated", f"the last line is no whole record ({message}); the file looks cut off")
    return Defect(kind, message)
