"""What readers of published forms share: files and places in them, options, and the count of what is left out."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TypeAlias, cast

from isogloss.corpus.jsonl import parse_line
from isogloss.corpus.published.json_arrays import BadJsonError, array_elements
from isogloss.corpus.records import CONTROL, SURROGATE, Defect
from isogloss.errors import CorpusError
from isogloss.files import scratch_folder

Json: TypeAlias = Any
"""What JSON holds; a wrong shape shows as one of `SHAPE_ERRORS`, which `shaped` makes a defect of."""

Records: TypeAlias = Iterator[tuple[int, object]]

SHAPE_ERRORS = (KeyError, TypeError, ValueError, AttributeError, IndexError)

# A place is a file's number times this, plus the line, row or element in it, from 1.
_PLACES_PER_FILE = 1 << 40


@dataclass(frozen=True)
class ReadOptions:
    """How a published form is to be read; a form refuses those that it does not have.

    Attributes:
        languages: standard codes: read these alone; in a form that does not tell its language, the one it is in.
        split: the split, such as train, dev or test, or all; None is train where there is one, and else all.
        columns: of a table: the column by field (query, passage, id, language, title, negative).
        passage: what of a text is the passage: its paragraph, or the sentence with the answer.
        pairs: of MS MARCO's form: triples or qrels.
    """

    languages: tuple[str, ...] = ()
    split: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    passage: str = "paragraph"
    pairs: str | None = None


class Reading:
    """One pass over the files of a source.

    Attributes:
        options: how to read.
        skipped: how many records, files or texts were left out or changed, by reason.
    """

    def __init__(self, options: ReadOptions) -> None:
        self.options = options
        self.skipped: Counter[str] = Counter()
        self._files: list[tuple[Path, str]] = []
        self._named: dict[str, Path] = {}
        self._total = 0
        self._done = 0
        # The file that is being read: its bytes, and how far it was read where it is not read through `_bytes`.
        self._size = 0
        self._other: Path | None = None
        self._share = 0.0
        self._open: IO[bytes] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def expect(self, *paths: Path) -> None:
        """Files that will be read, for the progress: once each time they are named."""
        self._total += sum(path.stat().st_size for path in paths)

    def scratch(self) -> Path:
        """A new temporary folder, removed when the reading ends."""
        return self._stack.enter_context(scratch_folder())

    def lines(self, path: Path) -> Iterator[tuple[int, bytes | Defect]]:
        """The lines of a plain or gzipped file with their line ends, blank ones left out, and their places.

        What cannot be read further is a defect in the place of the next line.
        """
        for place, line in self.raw_lines(path):
            if isinstance(line, Defect):
                yield place, line
            elif line.strip():
                yield place, line.removeprefix(b"\xef\xbb\xbf") if place % _PLACES_PER_FILE == 1 else line

    def raw_lines(self, path: Path) -> Iterator[tuple[int, bytes | Defect]]:
        """As `lines`, every byte of the file."""
        base = self._place(path, "line")
        number = 0
        try:
            for number, line in enumerate(self._bytes(path), start=1):
                yield base + number, line
        except EOFError:
            yield base + number + 1, Defect("truncated", _CUT_OFF)
        except (gzip.BadGzipFile, zlib.error) as error:
            yield base + number + 1, Defect("unreadable", _not_sound(error))

    def text_lines(self, path: Path) -> Iterator[tuple[int, str | Defect]]:
        """As `lines`, decoded, without line ends."""
        for place, line in self.lines(path):
            yield place, line if isinstance(line, Defect) else decoded(line)

    def json_lines(self, path: Path) -> Records:
        """The values of a JSON Lines file, plain or gzipped, and their places."""
        for place, line in self.lines(path):
            yield place, line if isinstance(line, Defect) else parse_line(line)

    def json_elements(self, path: Path, key: str | None = None) -> Records:
        """The elements of a JSON array, see `array_elements`, and their places, by their number."""
        base = self._place(path, "element")
        number = 0
        try:
            text = io.TextIOWrapper(self._bytes(path), encoding="utf-8-sig")
            for number, (_, element) in enumerate(array_elements(text.read, key), start=1):
                yield base + number, element
        except BadJsonError as error:
            yield base + number + 1, Defect("bad-json", f"bad JSON in line {error.line}: {error}")
        except UnicodeDecodeError as error:
            yield base + number + 1, Defect("invalid-utf-8", f"invalid UTF-8 ({error.reason})")
        except EOFError:
            yield base + number + 1, Defect("truncated", _CUT_OFF)
        except (gzip.BadGzipFile, zlib.error) as error:
            yield base + number + 1, Defect("unreadable", _not_sound(error))

    def rows(self, path: Path) -> Callable[[int], int]:
        """The place of a row by its number from 1, of a file that is read by other means."""
        base = self._place(path, "row")
        return lambda number: base + number

    def reached(self, path: Path, share: float) -> None:
        """So much of a file that is read by other means has been read, between 0 and 1."""
        if self._other != path:
            self._next_file(path)
            self._other = path
        self._share = share

    def name_of(self, path: Path, name: str) -> str:
        """What the ids begin with that are made of a file's name and a number.

        It is `name`, unless another file of this reading has it: then the end of the path, with as many folders as tell
        it from all others. The same file again has the same name, so that its ids are found to come twice.
        """
        whole = path.resolve()
        parts = whole.parts
        ends = (Path(*parts[-count:]).as_posix() for count in range(name.count("/") + 2, len(parts) + 1))
        for candidate in (name, *ends):
            if self._named.setdefault(candidate, whole) == whole:
                return candidate
        return whole.as_posix()

    def describe(self, place: int) -> str:
        """Words for a place."""
        file, number = divmod(place, _PLACES_PER_FILE)
        if not self._files:
            return "the source"
        path, unit = self._files[file]
        if not number:
            return str(path)
        return f"{path}:{number}" if unit == "line" else f"{path}: {unit} {number}"

    def locate(self, place: int) -> tuple[str, int | None]:
        """The file of a place and the line or row in it."""
        file, number = divmod(place, _PLACES_PER_FILE)
        return str(self._files[file][0]), number or None

    def progress(self) -> tuple[int, int]:
        """Bytes read by now, and all that are expected."""
        here = int(self._share * self._size)
        if self._open is not None:
            here = self._size if self._open.closed else self._open.tell()
        return min(self._done + here, self._total), self._total

    def text(self, value: object) -> object:
        """A text as a record can hold it: control characters and halves of characters are taken out, and counted."""
        if not isinstance(value, str):
            return value
        clean = SURROGATE.sub("", CONTROL.sub(" ", value))
        if clean != value:
            self.skipped["texts with control characters, which were taken out"] += 1
        return clean.strip()

    def record(
        self,
        item: object,
        language: str,
        query: object,
        passage: object,
        *,
        title: object = None,
        negatives: list[Any] | tuple[Any, ...] = (),
        dataset: str | None = None,
    ) -> dict[str, Any] | None:
        """A record of texts as they were found; None, and counted, where query or passage is empty."""
        query, passage, title = self.text(query), self.text(passage), self.text(title)
        for name, value in (("query", query), ("passage", passage)):
            if value == "" or value is None:
                self.skipped[f"records with an empty {name}"] += 1
                return None
        near = [self.text(negative) for negative in negatives]
        if all(isinstance(one, str) for one in near):
            near = [one for one in dict.fromkeys(near) if one and one != passage]
        return {
            "id": str(item),
            "language": language,
            "query": query,
            "passage": passage,
            "title": title if isinstance(title, str) else None,
            "negatives": near,
            "dataset": dataset,
        }

    def _place(self, path: Path, unit: str) -> int:
        self._files.append((path, unit))
        return (len(self._files) - 1) * _PLACES_PER_FILE

    def _next_file(self, path: Path) -> None:
        self._done += self._size
        if self._open is not None:
            self._open.close()
        self._open, self._other, self._share = None, None, 0.0
        self._size = path.stat().st_size

    def _bytes(self, path: Path) -> IO[bytes]:
        self._next_file(path)
        self._open = self._stack.enter_context(path.open("rb"))
        return cast("IO[bytes]", gzip.GzipFile(fileobj=self._open)) if path.suffix == ".gz" else self._open


def decoded(line: bytes) -> str | Defect:
    """A line's text without its end."""
    try:
        return line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        return Defect("invalid-utf-8", f"invalid UTF-8 at byte {error.start} ({error.reason})")


def shaped(form: str, error: Exception) -> Defect:
    """The defect of a value that has not the shape of a form, after one of `SHAPE_ERRORS`."""
    words = f"the field {error} is missing" if isinstance(error, KeyError) else str(error)
    return Defect("wrong-type", f"not of the form of {form} ({words})")


def fields(line: str, count: int, what: str) -> list[str] | Defect:
    """The tab-separated fields of a line, exactly so many."""
    found = line.split("\t", count - 1)
    if len(found) != count or ("\t" in found[-1] and count > 2):
        return Defect(
            "wrong-type", f"expected {count} tab-separated fields ({what}), found {line.count(chr(9)) + 1}"
        )
    return found


_TOKENS = re.compile(r"[^a-z0-9]+")
_SPLITS = {
    "train": "train",
    "dev": "dev",
    "valid": "dev",
    "validation": "dev",
    "test": "test",
    "eval": "test",
}


def split_in(name: str) -> str | None:
    """The split that a file's name tells: train, dev or test."""
    return next((_SPLITS[token] for token in _TOKENS.split(name.lower()) if token in _SPLITS), None)


def name_in(source: Path, path: Path) -> str:
    """A file's name without the suffix of its form, with the folders between the source and it."""
    name = path.name if path == source else path.relative_to(source).as_posix()
    name = name.removesuffix(".gz")
    return name.removesuffix(Path(name).suffix)


def find_files(
    source: Path, suffixes: tuple[str, ...], accept: Callable[[Path], bool] = lambda _: True
) -> list[Path]:
    """A source that is a file, or the files with one of some suffixes in a folder and the folders in it, sorted.

    Raises:
        CorpusError: there is no such source, or no such file in it.
    """
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise CorpusError(f"{source}: no such file or folder")
    found = sorted(
        path for path in source.rglob("*") if path.name.endswith(suffixes) and path.is_file() and accept(path)
    )
    if not found:
        raise CorpusError(
            f"{source}: no file of this form in it; `isogloss data formats` says which files it takes"
        )
    return found


def of_split(source: Path, files: list[Path], reading: Reading) -> list[Path]:
    """The files of the wanted split; where none is named, those of train, the others counted, or all if there are none.

    A file's name tells its split, or else the nearest folder within the source whose name does (`test/0000.parquet`).

    Raises:
        CorpusError: there is none.
    """
    split = reading.options.split
    if split == "all" or files == [source]:
        return files
    wanted = _SPLITS.get(split or "train", split)
    inside = {path: path.relative_to(source) for path in files}
    chosen = [path for path in files if _split_of(inside[path]) == wanted]
    if not chosen and split is not None:
        there = ", ".join(str(inside[path]) for path in files[:8])
        raise CorpusError(f"{source}: no file of the split {split!r}; there are {there}")
    if chosen and split is None and len(chosen) < len(files):
        reading.skipped["files that are not of the split train; --split chooses"] += len(files) - len(chosen)
    return chosen or files


def _split_of(path: Path) -> str | None:
    told = (split_in(part) for part in reversed(path.parts))
    return next((split for split in told if split is not None), None)


_CUT_OFF = "the gzip file is cut off here; copy or download it again"


def _not_sound(error: Exception) -> str:
    return f"not a sound gzip file: {error}; copy or download it again"
