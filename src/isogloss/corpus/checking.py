"""Check a corpus: everything that is wrong with it, and what is in it."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from isogloss.corpus import registry, sample
from isogloss.corpus.arrow_folder import is_corpus_folder, open_corpus, refuse_rows_outside
from isogloss.corpus.parallel import ParallelCorpus
from isogloss.corpus.reading import corpus_name, record_source
from isogloss.corpus.records import FIELDS, RecordSource, Version, examine
from isogloss.corpus.stored_versions import StoredVersions
from isogloss.errors import CorpusError

PERCENTILES = (0, 5, 25, 50, 75, 95, 100)
# "titel" is 0.8 near to "title", "negative" 0.94 to "negatives"; "date", which many records have, 0.73 to "dataset".
_NEAR = 0.75


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a corpus.

    Attributes:
        file: the file it is in.
        line: its line, from 1 (in Parquet files and corpus folders: its row); None where it has none.
        id: the item's id, where known.
        language: the language, where known.
        kind: one of bad-json, missing-field, wrong-type, empty-text, unknown-language, duplicate,
            single-language, invalid-utf-8, control-characters, negative-is-passage, truncated, unreadable,
            empty-file, bad-squad-r, no-answer-sentence, checksum, batches, availability, groups; of a warning
            unknown-field.
        message: what is wrong, in words.
    """

    file: str
    line: int | None
    id: str | None
    language: str | None
    kind: str
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        known = [f"id {self.id!r}"] if self.id else []
        known += [f"language {self.language!r}"] if self.language else []
        return f"{place}: {self.message}" + (f" ({', '.join(known)})" if known else "")


@dataclass(frozen=True)
class CorpusReport:
    """What is in a corpus and what is wrong with it.

    Attributes:
        path: what was checked.
        name: its name.
        languages: the languages of its valid records, sorted.
        items: the number of items with a valid record.
        records: the number of valid records.
        versions: the number of items in each language.
        parallel: items that exist in both of two languages, int64 of shape (languages, languages); the
            diagonal holds `versions`.
        lengths: text lengths in characters, by `query` or `passage`, then language: one for each of
            `PERCENTILES`.
        problems: all problems, in the order of the files.
        warnings: fields that are not read and look like misspelt ones, each where it comes first.
    """

    path: str
    name: str
    languages: tuple[str, ...]
    items: int
    records: int
    versions: dict[str, int]
    parallel: NDArray[np.int64]
    lengths: dict[str, dict[str, tuple[int, ...]]]
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether no problem was found."""
        return not self.problems


def check_corpus(path: str | Path, *, data_dir: str | Path | None = None) -> CorpusReport:
    """Check everything that `read_corpus` reads, and collect all problems instead of stopping at the first.

    Besides what stops reading, an item in one language alone is a problem, and a negative that is the item's
    own passage; neither stops reading. Fields that a corpus has not are allowed, and not read: one with a name near to
    that of a field that its record lacks is a warning.

    Raises:
        CorpusError: there is no such file or folder, it is of no known form, or a corpus folder cannot be
            opened.
        BenchmarkError: a known benchmark is neither on this machine nor to be had.
    """
    text = str(path)
    name = corpus_name(Path(path))
    if text.startswith(sample.PREFIX):
        split = text.removeprefix(sample.PREFIX)
        path, name = sample.sample_path(split), f"sample-{split}"
    elif text in registry.KNOWN_BENCHMARKS:
        path = registry.obtain_benchmark(text, data_dir)
    path = Path(path)
    collector = _Collector()
    try:
        if is_corpus_folder(path):
            collector.collect(_folder_source(path, collector))
        else:
            collector.collect(record_source(path))
            if path.suffix.lower() == ".parquet":
                collector.note_columns(path)
    except OSError as error:
        raise CorpusError(f"{path}: cannot read: {error.strerror or error}") from error
    collector.report_single_languages()
    return collector.report(text, name)


def _folder_source(path: Path, collector: _Collector) -> RecordSource:
    opened = open_corpus(path)
    refuse_rows_outside(path, opened.rows, len(opened.stored))
    file = str(path / "versions.arrow")
    # The same files without what the folder says of them, which is then computed.
    stored = StoredVersions(Path(file))
    corpus = ParallelCorpus(opened.name, stored, opened.languages, opened.rows)

    def report(file: str, kind: str, message: str) -> None:
        problem = Problem(file, None, None, None, kind, f"{message}; write the folder again")
        collector.problems.append(problem)

    if corpus.checksum != opened.checksum:
        said = f"the texts have checksum {corpus.checksum}, corpus.json says {opened.checksum}"
        report(file, "checksum", said)
    if not np.array_equal(stored.starts, opened.stored.starts):
        report(str(path / "batches.npy"), "batches", "is not of the batches of versions.arrow")
    if name := opened.availability.difference(corpus.availability):
        report(str(path / f"{name}.npy"), "availability", "does not say what rows.npy says")
    if not opened.item_groups.same_as(corpus.item_groups):
        report(str(path), "groups", "other items share a text than the folder says")

    def records() -> Iterator[tuple[int, object]]:
        for row, version in enumerate(corpus.versions(), start=1):
            yield row, version.as_record()

    return RecordSource(
        records(), describe=lambda row: f"{file}: row {row}", locate=lambda row: (file, row or None)
    )


class _Collector:
    """Counts and problems, gathered record by record; of the texts only the lengths are kept."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.records = 0
        self._unknown: dict[tuple[str, str], tuple[str, int | None]] = {}
        self._unknown_counts: Counter[tuple[str, str]] = Counter()
        self._places: dict[str, dict[str, tuple[str, int | None]]] = {}
        self._lengths: dict[str, dict[str, array[int]]] = {"query": {}, "passage": {}}

    def collect(self, source: RecordSource) -> None:
        for place, record in source.records:
            version, defects = examine(record)
            file, line = source.locate(place)
            for defect in defects:
                self.problems.append(
                    Problem(file, line, defect.id, defect.language, defect.kind, defect.message)
                )
            if version is not None:
                self._add(version, source, place)
            if isinstance(record, Mapping):
                there = [str(name) for name, value in record.items() if value is not None]
                self._note(there, file, line)

    def note_columns(self, path: Path) -> None:
        """Look at the columns of a Parquet file, of which only those that are fields were read."""
        try:
            self._note(pq.read_schema(path).names, str(path), None)
        except (pa.ArrowException, OSError):
            # What is wrong with the file was found when it was read.
            return

    def _note(self, there: Iterable[str], file: str, line: int | None) -> None:
        unknown = [name for name in there if name not in FIELDS]
        if not unknown:
            return
        lacking = tuple(name for name in FIELDS if name not in there)
        for name in unknown:
            if (meant := _meant(name, lacking)) is not None:
                self._unknown.setdefault((name, meant), (file, line))
                self._unknown_counts[name, meant] += 1

    def warnings(self) -> list[Problem]:
        """Fields that look like misspelt ones, each where it comes first."""
        found = []
        for (name, meant), (file, line) in self._unknown.items():
            count = self._unknown_counts[name, meant]
            often = (
                "" if line is None else f" ({count:,} record{'s' if count > 1 else ''}, this is the first)"
            )
            message = f"the field {name!r} is not read; is {meant!r} meant?{often}"
            found.append(Problem(file, line, None, None, "unknown-field", message))
        return found

    def _add(self, version: Version, source: RecordSource, place: int) -> None:
        file, line = source.locate(place)
        places = self._places.setdefault(version.id, {})
        if version.language in places:
            first = ":".join(str(part) for part in places[version.language] if part is not None)
            message = f"the id comes twice in this language; first at {first}"
            self.problems.append(Problem(file, line, version.id, version.language, "duplicate", message))
            return
        places[version.language] = (file, line)
        self.records += 1
        if version.passage in version.negatives:
            message = "a negative is the passage itself"
            self.problems.append(
                Problem(file, line, version.id, version.language, "negative-is-passage", message)
            )
        for side, text in (("query", version.query), ("passage", version.passage)):
            self._lengths[side].setdefault(version.language, array("l")).append(len(text))

    def report_single_languages(self) -> None:
        """Report items that exist in one language alone: they have no pair across languages."""
        for item, places in self._places.items():
            if len(places) == 1:
                language, (file, line) = next(iter(places.items()))
                message = "the item exists in this language alone"
                self.problems.append(Problem(file, line, item, language, "single-language", message))

    def report(self, path: str, name: str) -> CorpusReport:
        languages = tuple(sorted(self._lengths["query"]))
        columns = {language: column for column, language in enumerate(languages)}
        available = np.zeros((len(self._places), len(languages)), np.int64)
        for item, places in enumerate(self._places.values()):
            available[item, [columns[language] for language in places]] = 1
        parallel = available.T @ available
        return CorpusReport(
            path=path,
            name=name,
            languages=languages,
            items=len(self._places),
            records=self.records,
            versions={language: int(parallel[column, column]) for language, column in columns.items()},
            parallel=parallel,
            lengths={
                side: {language: _percentiles(by_language[language]) for language in languages}
                for side, by_language in self._lengths.items()
            },
            problems=self.problems,
            warnings=self.warnings(),
        )


@lru_cache(maxsize=1024)
def _meant(name: str, lacking: tuple[str, ...]) -> str | None:
    """The field that an unknown one most likely is, of those that its record lacks; None for one that is like none."""
    return next(iter(get_close_matches(name.casefold(), lacking, n=1, cutoff=_NEAR)), None)


def _percentiles(lengths: array[int]) -> tuple[int, ...]:
    return tuple(np.percentile(np.asarray(lengths), PERCENTILES, method="nearest").astype(int).tolist())
