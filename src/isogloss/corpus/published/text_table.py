"""Texts by id, such as a collection of passages: the texts stay on disk, and so does what finds them."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Sequence, Set
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isogloss.corpus.published.reading import Reading
from isogloss.corpus.records import Defect
from isogloss.corpus.spilling import SpilledRows

_ENTRY = np.dtype([("key", "u8"), ("offset", "i8")])
_ENTRIES_AT_ONCE = 1 << 14
# An offset is a file's number times this, plus the byte in it.
_BYTES_PER_FILE = 1 << 48


class TextTable:
    """Lines of files, found by the id that each holds.

    The lines of a plain file are read where they are; those of a gzipped one, and of one of which only some are
    wanted, are copied to the folder. Memory is a buffer of entries while the table is made, and none after.

    Args:
        reading: reads the files.
        id_of: the id in a line; a ValueError says that there is none.
        wanted: ids to keep; all if left out.
    """

    def __init__(
        self, reading: Reading, id_of: Callable[[bytes], bytes], wanted: Set[bytes] | None = None
    ) -> None:
        self._reading = reading
        self._id_of = id_of
        self._wanted = wanted
        self._folder = reading.scratch()
        self._entries = SpilledRows(self._folder, "entries", _ENTRY)
        self._paths: list[Path] = []
        self._maps: list[mmap.mmap | bytes] = []
        self._keys: NDArray[np.uint64] = np.empty(0, np.uint64)
        self._offsets: NDArray[np.int64] = np.empty(0, np.int64)

    def add(self, path: Path) -> Iterator[tuple[int, Defect]]:
        """Take in a file; what is wrong in it is given back with its place."""
        copied = path.suffix == ".gz" or self._wanted is not None
        target = self._folder / f"lines-{len(self._paths)}" if copied else path
        base = len(self._paths) * _BYTES_PER_FILE
        self._paths.append(target)
        pending: list[tuple[int, int]] = []
        offset = 0
        copy = target.open("wb") if copied else None
        try:
            for place, line in self._reading.raw_lines(path):
                if isinstance(line, Defect):
                    yield place, line
                    continue
                start = offset
                if copy is None:
                    offset += len(line)
                try:
                    name = self._id_of(line.removeprefix(b"\xef\xbb\xbf")) if line.strip() else None
                except ValueError as error:
                    yield place, Defect("wrong-type", str(error))
                    continue
                if name is not None and (self._wanted is None or name in self._wanted):
                    pending.append((_key(name), base + start))
                    if copy is not None:
                        copy.write(line if line.endswith(b"\n") else line + b"\n")
                        offset += len(line) + (not line.endswith(b"\n"))
                if len(pending) == _ENTRIES_AT_ONCE:
                    self._entries.add(np.array(pending, _ENTRY))
                    pending = []
        finally:
            if copy is not None:
                copy.close()
        self._entries.add(np.array(pending, _ENTRY))

    def close(self) -> None:
        """End taking in, and make lines findable."""
        count = (len(self._entries),)
        keys = np.lib.format.open_memmap(self._folder / "keys.npy", "w+", np.uint64, count)
        offsets = np.lib.format.open_memmap(self._folder / "offsets.npy", "w+", np.int64, count)
        start = 0
        for part in self._entries.parts():
            keys[start : start + len(part)] = part["key"]
            offsets[start : start + len(part)] = part["offset"]
            start += len(part)
        # Plain arrays over the mapped files, which are searched faster.
        self._keys, self._offsets = np.asarray(keys), np.asarray(offsets)
        for path in self._paths:
            with path.open("rb") as file:
                empty = not path.stat().st_size
                self._maps.append(b"" if empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def __len__(self) -> int:
        """The number of lines."""
        return len(self._keys)

    def find(self, ids: Sequence[bytes]) -> list[bytes | None]:
        """The line of each id, without its end; None where there is none. The first line of an id counts."""
        wanted = np.array([_key(name) for name in ids], np.uint64)
        places = np.searchsorted(self._keys, wanted)
        return [
            self._line(name, key, place)
            for name, key, place in zip(ids, wanted, places.tolist(), strict=True)
        ]

    def _line(self, name: bytes, key: np.uint64, place: int) -> bytes | None:
        while place < len(self._keys) and self._keys[place] == key:
            file, offset = divmod(int(self._offsets[place]), _BYTES_PER_FILE)
            text = self._maps[file]
            end = text.find(b"\n", offset)
            line = text[offset : end if end >= 0 else len(text)].removeprefix(b"\xef\xbb\xbf")
            if self._id_of(line) == name:
                return line.rstrip(b"\r")
            place += 1
        return None


def _key(name: bytes) -> int:
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "little")
