"""How large corpora are and how long their texts, counted in one pass that holds no text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np

from isogloss.corpus.checking import PERCENTILES
from isogloss.corpus.records import Version
from isogloss.corpus.spilling import SpilledRows
from isogloss.corpus.streaming import VersionStream
from isogloss.files import scratch_folder

SIDES = ("query", "passage")
_IDENTITIES = np.dtype([("key", "u8"), ("dataset", "i8"), ("language", "i8")])
_VERSIONS_AT_ONCE = 2048


@dataclass
class Lengths:
    """Lengths of texts, as a count of each length: as many numbers as there are different lengths."""

    counts: Counter[int] = field(default_factory=Counter)

    @property
    def texts(self) -> int:
        """The number of texts."""
        return self.counts.total()

    @property
    def total(self) -> int:
        """The sum of all lengths."""
        return sum(length * count for length, count in self.counts.items())

    def percentiles(self) -> tuple[int, ...]:
        """The lengths at `PERCENTILES`, of one or more texts, each that of a text."""
        lengths = np.array(sorted(self.counts), np.int64)
        ends = np.cumsum([self.counts[length] for length in lengths.tolist()])
        places = np.round(np.array(PERCENTILES) / 100 * (ends[-1] - 1)).astype(np.int64)
        return tuple(lengths[np.searchsorted(ends, places, side="right")].tolist())


@dataclass
class Cell:
    """The versions of a data set in one language.

    Attributes:
        versions: how many there are.
        negatives: how many negatives they have together.
        characters: lengths of queries and passages, by side.
        tokens: the same in tokens; empty where none were counted.
    """

    versions: int = 0
    negatives: int = 0
    characters: dict[str, Lengths] = field(default_factory=lambda: {side: Lengths() for side in SIDES})
    tokens: dict[str, Lengths] = field(default_factory=lambda: {side: Lengths() for side in SIDES})


@dataclass(frozen=True)
class CorpusStatistics:
    """What was counted.

    Attributes:
        cells: by data set, in the order in which they came, and language, sorted.
        items: the items of each data set.
        parallel: those of them that are in two languages or more.
        counted_tokens: whether tokens were counted.
    """

    cells: dict[str, dict[str, Cell]]
    items: dict[str, int]
    parallel: dict[str, int]
    counted_tokens: bool

    @property
    def languages(self) -> tuple[str, ...]:
        """All languages, sorted."""
        return tuple(sorted({language for cells in self.cells.values() for language in cells}))

    def lengths(self, language: str, side: str, unit: str) -> Lengths:
        """The lengths of a language's queries or passages in all data sets, in `characters` or `tokens`."""
        together: Counter[int] = Counter()
        for cells in self.cells.values():
            if language in cells:
                together.update(getattr(cells[language], unit)[side].counts)
        return Lengths(together)


def corpus_statistics(
    streams: Iterable[VersionStream],
    count_tokens: Callable[[Sequence[str]], list[int]] | None = None,
    report: Callable[[int], None] | None = None,
) -> CorpusStatistics:
    """Count the versions of corpora.

    Versions without a `dataset` are of the data set that the corpus is named after. Ids are kept as 64-bit keys, on
    disk once they are many, to count items; of texts only how often each length comes.

    Args:
        streams: the corpora.
        count_tokens: the number of tokens of each text.
        report: called now and then with the number of versions so far.

    Raises:
        CorpusError: a record is not valid.
    """
    cells: dict[str, dict[str, Cell]] = {}
    languages: dict[str, int] = {}
    done = 0
    with scratch_folder() as folder:
        identities = SpilledRows(folder, "identities", _IDENTITIES)
        for stream in streams:
            for batch in _batches(stream):
                rows = np.empty(len(batch), _IDENTITIES)
                for row, version in zip(rows, batch, strict=True):
                    dataset = version.dataset or stream.name
                    by_language = cells.setdefault(dataset, {})
                    _add(by_language.setdefault(version.language, Cell()), version)
                    row["key"] = _key(dataset, version.id)
                    row["dataset"] = list(cells).index(dataset)
                    row["language"] = languages.setdefault(version.language, len(languages))
                if count_tokens is not None:
                    _add_tokens(cells, stream.name, batch, count_tokens)
                identities.add(rows)
                done += len(batch)
                if report is not None:
                    report(done)
        items, parallel = _items(identities, len(cells))
    return CorpusStatistics(
        {dataset: dict(sorted(by_language.items())) for dataset, by_language in cells.items()},
        dict(zip(cells, items, strict=True)),
        dict(zip(cells, parallel, strict=True)),
        count_tokens is not None,
    )


def _batches(stream: VersionStream) -> Iterator[list[Version]]:
    batch: list[Version] = []
    for _, version in stream.placed:
        batch.append(version)
        if len(batch) == _VERSIONS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _add(cell: Cell, version: Version) -> None:
    cell.versions += 1
    cell.negatives += len(version.negatives)
    cell.characters["query"].counts[len(version.query)] += 1
    cell.characters["passage"].counts[len(version.passage)] += 1


def _add_tokens(
    cells: dict[str, dict[str, Cell]],
    name: str,
    batch: Sequence[Version],
    count_tokens: Callable[[Sequence[str]], list[int]],
) -> None:
    for side in SIDES:
        counts = count_tokens([getattr(version, side) for version in batch])
        for version, count in zip(batch, counts, strict=True):
            cells[version.dataset or name][version.language].tokens[side].counts[count] += 1


def _items(identities: SpilledRows, datasets: int) -> tuple[list[int], list[int]]:
    """The items of each data set, and those in two languages or more."""
    items, parallel = np.zeros(datasets, np.int64), np.zeros(datasets, np.int64)
    for part in identities.parts():
        part = part[np.lexsort((part["language"], part["key"]))]
        new_item = np.ones(len(part), np.bool_)
        new_item[1:] = part["key"][1:] != part["key"][:-1]
        # Rows of one id in another language than the row before: the second language of an item, and later ones.
        other = np.zeros(len(part), np.bool_)
        other[1:] = ~new_item[1:] & (part["language"][1:] != part["language"][:-1])
        several = np.add.reduceat(other, np.flatnonzero(new_item)) > 0 if len(part) else other
        owners = part["dataset"][new_item]
        items += np.bincount(owners, minlength=datasets)
        parallel += np.bincount(owners[several], minlength=datasets)
    return items.tolist(), parallel.tolist()


def _key(dataset: str, item: str) -> int:
    return int.from_bytes(blake2b(f"{dataset}\n{item}".encode(), digest_size=8).digest(), "little")
