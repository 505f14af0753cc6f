"""A corpus folder of millions of short items, written in blocks: to see what planning costs at that size."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from isogloss.corpus.arrow_folder import write_folder
from isogloss.corpus.versions import SCHEMA
from isogloss.files import finished_folder
from isogloss.items import Availability, ItemGroups

LANGUAGES = ("ar", "de", "en", "es", "hi", "vi", "zh")
FULLY_PARALLEL = 0.6
_ITEMS_AT_ONCE = 1 << 14
_DIGITS = 8


def write_synthetic_corpus(path: Path, items: int, *, gaps: bool, seed: int = 0) -> None:
    """Write a corpus of `items` items in 7 languages, whole or not at all.

    Query and passage are "q 00000123 de" and "p 00000123 de"; every hundredth item has the texts of the item 50
    before it, so that there are groups. The checksum in corpus.json is none (it would take an hour at 40 M items),
    so `isogloss data check` finds that one problem and no other.

    Args:
        path: The folder to write.
        items: Number of items, less than 10**8.
        gaps: Whether only 60 % of the items exist in all languages, and the others in a random set of them.
        seed: Of the random sets.
    """
    rows = _rows(items, gaps, seed)
    with finished_folder(path) as folder:
        write_folder(
            folder,
            name=path.name,
            languages=LANGUAGES,
            batches=_batches(rows),
            rows=rows,
            availability=Availability.of_rows(rows),
            item_groups=_groups(rows),
            checksum="none: a synthetic corpus",
        )


def disk_needed(items: int) -> int:
    """Bytes of a folder, at most."""
    return items * (len(LANGUAGES) * 70 + 40)


def free_space(path: Path) -> int:
    """Bytes free where `path` is to be made."""
    return shutil.disk_usage(path).free


def _rows(items: int, gaps: bool, seed: int) -> NDArray[np.int32]:
    """The row of each item in each language: an item's versions are next to each other."""
    if not gaps:
        return np.arange(items * len(LANGUAGES), dtype=np.int32).reshape(items, len(LANGUAGES))
    random = np.random.default_rng(seed)
    rows = np.empty((items, len(LANGUAGES)), np.int32)
    first = 0
    for start in range(0, items, _ITEMS_AT_ONCE):
        part = rows[start : start + _ITEMS_AT_ONCE]
        sets = random.integers(1, 1 << len(LANGUAGES), len(part))
        sets[random.random(len(part)) < FULLY_PARALLEL] = (1 << len(LANGUAGES)) - 1
        there = (sets[:, None] >> np.arange(len(LANGUAGES)) & 1).astype(np.bool_)
        numbers = first + np.cumsum(there).reshape(there.shape) - 1
        part[:] = np.where(there, numbers, -1)
        first += int(there.sum())
    return rows


def _text_numbers(items: NDArray[np.int64]) -> NDArray[np.int64]:
    return items - 50 * (items % 100 == 99)


def _groups(rows: NDArray[np.int32]) -> ItemGroups:
    later = np.arange(99, len(rows), 100)
    shared = ((rows[later] >= 0) & (rows[later - 50] >= 0)).any(axis=1)
    repeats = later[shared]
    # Groups are numbered by their first item: its number less the repeats before it.
    earlier = repeats - 50
    return ItemGroups(len(rows), repeats, earlier - np.searchsorted(repeats, earlier))


def _batches(rows: NDArray[np.int32]) -> Iterator[pa.RecordBatch]:
    codes = np.array([list(language.encode()) for language in LANGUAGES], np.uint8)
    for start in range(0, len(rows), _ITEMS_AT_ONCE):
        item, language = np.nonzero(rows[start : start + _ITEMS_AT_ONCE] >= 0)
        names, ids = codes[language], _digits(item + start)
        texts = [_text(side, _digits(_text_numbers(item + start)), names) for side in (b"q ", b"p ")]
        count = len(item)
        negatives = pa.ListArray.from_arrays(
            pa.array(np.zeros(count + 1, np.int32)),
            pa.array([], pa.string()),
            type=SCHEMA.field("negatives").type,
        )
        nothing = pa.nulls(count, pa.string())
        columns = [_strings(ids), _strings(names), *map(_strings, texts), nothing, negatives, nothing]
        yield pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _digits(numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
    powers = 10 ** np.arange(_DIGITS - 1, -1, -1)
    return (numbers[:, None] // powers % 10 + ord("0")).astype(np.uint8)


def _text(start: bytes, digits: NDArray[np.uint8], names: NDArray[np.uint8]) -> NDArray[np.uint8]:
    count = len(digits)
    parts = [
        np.tile(np.frombuffer(start, np.uint8), (count, 1)),
        digits,
        np.full((count, 1), ord(" "), np.uint8),
    ]
    return np.hstack([*parts, names])


def _strings(characters: NDArray[np.uint8]) -> pa.StringArray:
    """An Arrow column of strings of one length: the rows of an array of bytes."""
    count, length = characters.shape
    offsets = np.arange(count + 1, dtype=np.int32) * np.int32(length)
    return pa.StringArray.from_buffers(
        count, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(characters))
    )
