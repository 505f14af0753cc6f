"""A parallel corpus: items, each with a query and a passage in several languages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from isogloss.corpus.grouping import group_items, text_keys
from isogloss.corpus.languages import is_language, standard_language
from isogloss.corpus.records import RecordSource, Version
from isogloss.corpus.stored_versions import StoredVersions
from isogloss.corpus.versions import coded_column, read_versions, to_versions
from isogloss.errors import CorpusError
from isogloss.items import Availability, ItemGroups

CHECKSUM_PREFIX = b"isogloss corpus 1\n"


class ParallelCorpus:
    """Items in several languages, over versions that may be memory-mapped.

    Make one with `from_records`, `open` or `read_corpus`. It does not change once made.

    Attributes:
        name: the data set's name.
        stored: the versions, a row each; a selection shares its origin's.
        languages: the languages, sorted.
        rows: the row of each item in each language, int32 or int64 of shape (items, languages), -1 where
            there is none.
    """

    def __init__(
        self,
        name: str,
        versions: pa.Table | StoredVersions,
        languages: tuple[str, ...],
        rows: NDArray[np.integer],
        *,
        availability: Availability | None = None,
        item_groups: ItemGroups | None = None,
        checksum: str | None = None,
    ) -> None:
        self.name = name
        self.stored = versions if isinstance(versions, StoredVersions) else StoredVersions(versions)
        self.languages = languages
        self.rows = rows
        self._columns = {language: column for column, language in enumerate(languages)}
        known = {"availability": availability, "item_groups": item_groups, "checksum": checksum}
        self.__dict__.update({name: value for name, value in known.items() if value is not None})

    @classmethod
    def from_records(cls, records: Iterable[Mapping[str, Any]], *, name: str) -> ParallelCorpus:
        """Make a corpus of records, one for each item and language.

        A record is `{"id", "language", "query", "passage", "title"?, "negatives"?, "dataset"?}`.

        Records are taken one by one, so an iterator over more records than fit in memory as Python objects
        will do. Items are numbered in the order in which their ids first appear.

        Raises:
            CorpusError: a record is not valid, an id comes twice in one language, or there are no records.
        """
        source = RecordSource(
            enumerate(records, start=1),
            describe=lambda place: f"{name}: record {place}" if place else name,
            locate=lambda place: (name, place),
        )
        return cls.from_source(source, name=name)

    @classmethod
    def from_source(cls, source: RecordSource, *, name: str) -> ParallelCorpus:
        """Make a corpus of the records that a reader gives.

        Raises:
            CorpusError: as `from_records`, with the place in the words of the reader.
        """
        return cls.from_table(read_versions(source), name=name)

    @classmethod
    def from_table(cls, table: pa.Table, *, name: str) -> ParallelCorpus:
        """Make a corpus of a table of valid versions, no two of one id and language."""
        items, ids = coded_column(table["id"])
        numbers, seen = coded_column(table["language"])
        seen_languages = seen.to_pylist()
        languages = tuple(sorted(seen_languages))
        columns = np.array([languages.index(language) for language in seen_languages], np.int64)
        row_type = np.int32 if table.num_rows < 2**31 else np.int64
        rows = np.full((len(ids), len(languages)), -1, row_type)
        rows[items, columns[numbers]] = np.arange(table.num_rows, dtype=row_type)
        return cls(name, table, languages, rows)

    @classmethod
    def open(cls, path: str | Path) -> ParallelCorpus:
        """Open a corpus folder that `save` wrote; texts and rows are memory-mapped, not read.

        Raises:
            CorpusError: the folder is missing, incomplete or not a corpus.
        """
        from isogloss.corpus.arrow_folder import open_corpus

        return open_corpus(Path(path))

    def save(self, path: str | Path) -> None:
        """Write the corpus as a folder that `open` opens.

        Raises:
            OutputError: `path` exists (other than as an empty folder) or cannot be written.
        """
        from isogloss.corpus.arrow_folder import save_corpus

        save_corpus(self, Path(path))

    def __len__(self) -> int:
        """The number of items."""
        return len(self.rows)

    def __repr__(self) -> str:
        return f"<ParallelCorpus {self.name!r}: {len(self)} items in {', '.join(self.languages)}>"

    @cached_property
    def ids(self) -> Sequence[str]:
        """The id of each item; read from the versions when asked for."""
        return _ItemIds(self.stored, self.rows)

    @cached_property
    def table(self) -> pa.Table:
        """All versions as an Arrow table, a row each."""
        return self.stored.table()

    @cached_property
    def available(self) -> NDArray[np.bool_]:
        """Which item exists in which language, bool of shape (items, languages): written out for all items."""
        return np.asarray(self.rows) >= 0

    @cached_property
    def availability(self) -> Availability:
        """Which item exists in which language, by pattern; an opened corpus has it on disk."""
        return Availability.of_rows(self.rows)

    @cached_property
    def groups(self) -> NDArray[np.int64]:
        """The group of each item, int64 of shape (items,): `item_groups` written out for all items."""
        return self.item_groups.written_out()

    @cached_property
    def item_groups(self) -> ItemGroups:
        """The group of each item; an opened corpus has it on disk.

        Items that share a query text or a passage text in any two languages, directly or through other items,
        are in one group; texts are compared without regard to Unicode form, white space and letter case.
        """
        item_of_row = np.full(len(self.stored), -1, np.int64)
        items, columns = np.nonzero(self.available)
        item_of_row[self.rows[items, columns]] = items
        owners, keys = [], []
        start = 0
        for batch in self.stored:
            batch_items = item_of_row[start : start + batch.num_rows]
            start += batch.num_rows
            batch = batch.select(["query", "passage"]).filter(pa.array(batch_items >= 0))
            for column, side in enumerate(("query", "passage")):
                owners.append(batch_items[batch_items >= 0])
                # The lowest bit says which side a text is on: a query that reads like a passage joins
                # nothing.
                keys.append(text_keys(batch[side].to_pylist()) & ~np.uint64(1) | np.uint64(column))
        return ItemGroups.of(group_items(np.concatenate(owners), np.concatenate(keys), len(self)))

    @cached_property
    def checksum(self) -> str:
        """SHA-256 in hexadecimal over all versions, whatever their order and the file they came from."""
        digests = b"".join(version_digest(version) for version in self.versions())
        words = np.frombuffer(digests, dtype=">u8").reshape(-1, 4)
        order = np.lexsort(words.T[::-1])
        return hashlib.sha256(CHECKSUM_PREFIX + words[order].tobytes()).hexdigest()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The versions in table order, as Arrow record batches that leave out what a selection left out."""
        chosen = np.zeros(len(self.stored), np.bool_)
        chosen[self.rows[self.available]] = True
        start = 0
        for batch in self.stored:
            mask = chosen[start : start + batch.num_rows]
            start += batch.num_rows
            if mask.all():
                yield batch
            elif mask.any():
                yield batch.filter(pa.array(mask))

    def versions(self) -> Iterator[Version]:
        """All versions in table order."""
        for batch in self.batches():
            yield from to_versions(batch)

    def version(self, item: int, language: str) -> Version | None:
        """An item in a language, or None where it does not exist in that language.

        Raises:
            IndexError: there is no such item number.
        """
        column = self._columns.get(language)
        row = -1 if column is None else int(self.rows[item, column])
        return None if row < 0 else next(to_versions(self.stored.row(row)))

    def query(self, item: int, language: str) -> str:
        """The query text of an item in a language.

        Raises:
            CorpusError: the item does not exist in that language.
        """
        return str(self.stored.value("query", self._row(item, language)))

    def passage(self, item: int, language: str) -> str:
        """The passage text of an item in a language.

        Raises:
            CorpusError: the item does not exist in that language.
        """
        return str(self.stored.value("passage", self._row(item, language)))

    def negatives(self, item: int, language: str) -> tuple[str, ...]:
        """The hard negatives of an item in a language: passages that do not answer its query; often none.

        Raises:
            CorpusError: the item does not exist in that language.
        """
        return tuple(self.stored.value("negatives", self._row(item, language)))

    def select(
        self, items: ArrayLike | None = None, languages: Iterable[str] | None = None
    ) -> ParallelCorpus:
        """A corpus of some of the items and languages, over the same table.

        Items that exist in none of the languages are left out; groups are those of the selection.

        Args:
            items: item numbers (each at most once) or a mask of shape (items,); the selection has their
                order. All items if left out.
            languages: languages to keep; all if left out.

        Raises:
            CorpusError: the corpus lacks an item or a language, or nothing is left.
        """
        numbers = self._item_numbers(items)
        kept = self.languages if languages is None else self._known_languages(languages)
        rows = np.asarray(self.rows)[numbers][:, [self._columns[language] for language in kept]]
        rows = rows[(rows >= 0).any(axis=1)]
        if not rows.size:
            raise CorpusError(f"{self.name}: no item is left in the languages {', '.join(kept) or '(none)'}")
        present = (rows >= 0).any(axis=0)
        left = tuple(kept[column] for column in np.flatnonzero(present))
        return ParallelCorpus(self.name, self.stored, left, np.ascontiguousarray(rows[:, present]))

    def _row(self, item: int, language: str) -> int:
        column = self._columns.get(language)
        row = -1 if column is None else int(self.rows[item, column])
        if row < 0:
            there = ", ".join(name for name in self.languages if self.rows[item, self._columns[name]] >= 0)
            raise CorpusError(
                f"{self.name}: id {self.ids[item]!r} has no version in {language!r}; it has {there}"
            )
        return row

    def _item_numbers(self, items: ArrayLike | None) -> NDArray[np.int64]:
        if items is None:
            return np.arange(len(self))
        chosen = np.asarray(items)
        if chosen.dtype == np.bool_:
            if chosen.shape != (len(self),):
                raise CorpusError(
                    f"{self.name}: the mask has shape {chosen.shape}, the corpus {len(self)} items"
                )
            return np.flatnonzero(chosen)
        numbers = chosen.astype(np.int64) if chosen.size else np.empty(0, np.int64)
        if numbers.size and (numbers.min() < 0 or numbers.max() >= len(self)):
            raise CorpusError(f"{self.name}: item numbers must be in [0, {len(self)})")
        if len(np.unique(numbers)) != len(numbers):
            raise CorpusError(f"{self.name}: an item is selected twice")
        return numbers

    def _known_languages(self, languages: Iterable[str]) -> tuple[str, ...]:
        wanted = {standard_language(code) if is_language(code) else code for code in languages}
        if missing := sorted(wanted - set(self.languages)):
            raise CorpusError(
                f"{self.name}: has no language {', '.join(missing)}; it has {', '.join(self.languages)}"
            )
        return tuple(sorted(wanted))


class _ItemIds(Sequence[str]):
    """Item ids, looked up when asked for: a corpus of millions of items holds no list of them."""

    def __init__(self, stored: StoredVersions, rows: NDArray[np.integer]) -> None:
        self._stored = stored
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        return str(self._stored.value("id", int(self._rows[index].max())))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and not isinstance(other, str) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{len(self)} item ids>"


def version_digest(version: Version) -> bytes:
    """SHA-256 over all fields of a version."""
    fields = [
        version.id,
        version.language,
        version.query,
        version.passage,
        version.title,
        version.negatives,
        version.dataset,
    ]
    return hashlib.sha256(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()).digest()
