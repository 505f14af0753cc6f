"""What a corpus folder says of its versions, worked out while they are written: all but a part of it lies on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from isogloss.corpus.grouping import text_keys
from isogloss.corpus.parallel import CHECKSUM_PREFIX, version_digest
from isogloss.corpus.records import Version
from isogloss.corpus.spilling import SpilledRows
from isogloss.items import ItemGroups

_IDENTITIES = np.dtype([("key", "u8"), ("more", "u8"), ("language", "i8"), ("row", "i8"), ("place", "i8")])
_TEXTS = np.dtype([("key", "u8"), ("row", "i8")])
_DIGESTS = np.dtype([(f"word{number}", "u8") for number in range(4)])
_ROWS_AT_ONCE = 1 << 20


class Repeated(NamedTuple):
    """An id that came twice in one language: the row and the place of both times."""

    row: int
    first_place: int
    place: int


class IdentityIndex:
    """Which row is of which item and language: ids as 128-bit keys, spilled to disk.

    Two ids have one key with probability 2^-128.

    Attributes:
        languages: the languages, in the order in which they first appeared.
        rows: the number of rows added.
    """

    def __init__(self, folder: Path) -> None:
        self.languages: dict[str, int] = {}
        self.rows = 0
        self._folder = folder
        self._identities = SpilledRows(folder, "identities", _IDENTITIES)

    def add(self, versions: Sequence[Version], places: Sequence[int]) -> None:
        """Add versions, in the order of their rows; `places` are given back for those that are repeated."""
        rows = np.empty(len(versions), _IDENTITIES)
        digests = b"".join(blake2b(version.id.encode(), digest_size=16).digest() for version in versions)
        keys = np.frombuffer(digests, "<u8").reshape(-1, 2)
        rows["key"], rows["more"] = keys[:, 0], keys[:, 1]
        known = self.languages
        rows["language"] = [known.setdefault(version.language, len(known)) for version in versions]
        rows["row"] = np.arange(self.rows, self.rows + len(versions))
        rows["place"] = places
        self._identities.add(rows)
        self.rows += len(versions)

    def first_repeated(self) -> Repeated | None:
        """The first row whose id and language an earlier row has, None where there is none."""
        found: Repeated | None = None
        for part in self._identities.parts():
            part = part[np.lexsort((part["row"], part["language"], part["more"], part["key"]))]
            fields = ("key", "more", "language")
            same = np.logical_and.reduce([part[field][1:] == part[field][:-1] for field in fields])
            seconds = np.flatnonzero(same) + 1
            if not len(seconds):
                continue
            at = seconds[np.argmin(part["row"][seconds])]
            repeated = Repeated(int(part["row"][at]), int(part["place"][at - 1]), int(part["place"][at]))
            found = repeated if found is None or repeated.row < found.row else found
        return found

    def count_items(self) -> int:
        """The number of items."""
        return sum(len(_by_item(part)[1]) for part in self._identities.parts())

    def item_rows(self, file: Path) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
        """The row of each item in each language, and the item of each row; both are memory-mapped files.

        Items are numbered by first appearance, languages sorted.

        Args:
            file: the .npy file for the first; the second lies in the index's folder.

        Returns:
            (items, languages) and (rows,), int32 or int64; -1 where an item is not in a language.
        """
        kind = np.int32 if self.rows < 2**31 else np.int64
        item_of_row = _on_disk(self._folder / "items.npy", kind, (self.rows,))
        # First the row of an item's first version stands in the place of the item's number.
        for part in self._identities.parts():
            part, starts, sizes = _by_item(part)
            item_of_row[part["row"]] = np.repeat(part["row"][starts], sizes)
        items = 0
        number_of_row = _on_disk(self._folder / "numbers.npy", kind, (self.rows,))
        for start in range(0, self.rows, _ROWS_AT_ONCE):
            firsts = item_of_row[start : start + _ROWS_AT_ONCE]
            new = firsts == np.arange(start, start + len(firsts))
            number_of_row[start : start + len(firsts)] = items + np.cumsum(new) - 1
            items += int(new.sum())
        columns = np.argsort(np.argsort(list(self.languages)))
        rows = _on_disk(file, kind, (items, len(self.languages)))
        for start in range(0, items, _ROWS_AT_ONCE):
            rows[start : start + _ROWS_AT_ONCE] = -1
        for part in self._identities.parts():
            part, starts, sizes = _by_item(part)
            numbers = np.repeat(number_of_row[part["row"][starts]], sizes)
            item_of_row[part["row"]] = numbers
            rows[numbers, columns[part["language"]]] = part["row"]
        return rows, item_of_row


class TextIndex:
    """What the texts of a corpus say of it: its checksum, and which items share a text."""

    def __init__(self, folder: Path) -> None:
        self._texts = SpilledRows(folder, "texts", _TEXTS)
        self._digests = SpilledRows(folder, "digests", _DIGESTS)
        self._rows = 0

    def add(self, versions: Sequence[Version]) -> None:
        """Add versions, in the order of their rows."""
        for side in ("query", "passage"):
            rows = np.empty(len(versions), _TEXTS)
            keys = text_keys([getattr(version, side) for version in versions])
            # The lowest bit says which side a text is on, as in `ParallelCorpus.item_groups`.
            rows["key"] = keys & ~np.uint64(1) | np.uint64(side == "passage")
            rows["row"] = np.arange(self._rows, self._rows + len(versions))
            self._texts.add(rows)
        self._rows += len(versions)
        digests = np.frombuffer(b"".join(map(version_digest, versions)), ">u8").astype(np.uint64)
        self._digests.add(digests.view(_DIGESTS))

    def checksum(self) -> str:
        """The same as `ParallelCorpus.checksum`."""
        total = hashlib.sha256(CHECKSUM_PREFIX)
        for part in self._digests.parts():
            words = [part[f"word{number}"] for number in range(4)]
            order = np.lexsort(words[::-1])
            total.update(np.stack(words, axis=1)[order].astype(">u8").tobytes())
        return total.hexdigest()

    def item_groups(self, item_of_row: NDArray[np.integer], items: int) -> ItemGroups:
        """The same as `ParallelCorpus.item_groups`; beside a part of the texts, memory holds a number an item.

        Args:
            item_of_row: the item of each row, shape (rows,); may be memory-mapped.
            items: the number of items.
        """
        roots: NDArray[np.integer] = np.arange(items, dtype=np.int32 if items < 2**31 else np.int64)
        for part in self._texts.parts():
            # Most texts are of one row; only the others are looked at.
            again = part["key"][1:] == part["key"][:-1]
            shared = part[np.append(again, False) | np.insert(again, 0, False)] if len(part) else part
            owners = np.asarray(item_of_row[shared["row"]], np.int64)
            order = np.lexsort((owners, shared["key"]))
            keys, owners = shared["key"][order], owners[order]
            linked = (keys[1:] == keys[:-1]) & (owners[1:] != owners[:-1])
            _join(roots, owners[:-1][linked], owners[1:][linked])
        while not np.array_equal(above := roots[roots], roots):
            roots = above
        repeats = np.flatnonzero(roots != np.arange(items))
        firsts = roots[repeats].astype(np.int64)
        # A first item's group is its own number less the repeats before it.
        return ItemGroups(items, repeats, firsts - np.searchsorted(repeats, firsts))


def _by_item(part: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    """A part sorted by id and row, where each id starts in it and how many rows it has."""
    part = part[np.lexsort((part["row"], part["more"], part["key"]))]
    new = np.ones(len(part), np.bool_)
    new[1:] = (part["key"][1:] != part["key"][:-1]) | (part["more"][1:] != part["more"][:-1])
    starts = np.flatnonzero(new)
    return part, starts, np.diff(np.append(starts, len(part)))


def _join(roots: NDArray[np.integer], ones: NDArray[np.int64], others: NDArray[np.int64]) -> None:
    """Join items pairwise in a forest: `roots` leads from an item to the first of its group, over others perhaps."""
    found, ends = np.unique(_root(roots, np.stack([ones, others])), return_inverse=True)
    count = len(found)
    if not count:
        return
    ends = ends.reshape(2, -1)
    graph = coo_array((np.ones(ends.shape[1], np.bool_), (ends[0], ends[1])), shape=(count, count))
    _, components = connected_components(graph, directed=False)
    _, first_places, of_component = np.unique(components, return_index=True, return_inverse=True)
    roots[found] = found[first_places][of_component]


def _root(roots: NDArray[np.integer], items: NDArray[np.int64]) -> NDArray[np.integer]:
    above: NDArray[np.integer] = roots[items]
    while not np.array_equal(higher := roots[above], above):
        above = higher
    return above


def _on_disk(file: Path, kind: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    mapped: NDArray[Any] = np.lib.format.open_memmap(file, "w+", dtype=kind, shape=shape)
    return mapped
