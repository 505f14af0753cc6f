"""Training items that are in a benchmark: found, counted, taken out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from isogloss.cleaning.evaluation_texts import EvaluationTexts
from isogloss.cleaning.matching import KINDS, EvaluationIndex, Match, MatchingOptions
from isogloss.cleaning.records import (
    check_output,
    corpus_writer,
    count_records,
    json_lines_writer,
    read_versions,
)
from isogloss.corpus.benchmark import RetrievalBenchmark
from isogloss.corpus.parallel import ParallelCorpus
from isogloss.corpus.records import Version
from isogloss.corpus.versions import to_versions
from isogloss.encoding.encoder import Encoder, Side
from isogloss.errors import CorpusError, OutputError

Progress = Callable[[str, int, int], None]
"""Called with a stage, what is done of it and what there is to do."""

VERSIONS_AT_ONCE = 512
QUICK = MatchingOptions(similarity=None)
"""The same and contained, without near duplicates: what a training is checked with."""
_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Contamination:
    """A training item that is in a benchmark.

    Attributes:
        id: of the training item; all its languages are taken out.
        language: of the version that matched; likewise `side` ("query" or "passage", or "id") and `text`.
        kind: how it matched, one of `KINDS`.
        value: 1, the share of words covered, or the similarity.
        benchmark: which.
        benchmark_id: the query's or candidate's id there; likewise `benchmark_text`.
    """

    id: str
    language: str
    side: str
    text: str
    kind: str
    value: float
    benchmark: str
    benchmark_id: str
    benchmark_text: str

    def as_record(self) -> dict[str, Any]:
        """As an object of JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass
class ContaminationReport:
    """What was found.

    Attributes:
        benchmarks: the benchmarks, with the number of their texts.
        versions: language versions looked at.
        available: language versions that there are, where not all were looked at.
        items: the contaminated items by id, each with its surest match.
        kinds: by benchmark and kind, the number of items whose surest match in that benchmark is of that kind.
        languages: by benchmark and language, the versions that match.
    """

    benchmarks: dict[str, int] = field(default_factory=dict)
    versions: int = 0
    available: int = 0
    items: dict[str, Contamination] = field(default_factory=dict)
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    languages: Counter[tuple[str, str]] = field(default_factory=Counter)
    _surest: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)

    def __bool__(self) -> bool:
        """Whether anything was found."""
        return bool(self.items)

    def add(self, found: Contamination) -> None:
        """Count a match."""
        before = self.items.get(found.id)
        if before is None or _surer(found, before):
            self.items[found.id] = found
        key = (found.benchmark, found.id)
        known = self._surest.get(key)
        if known is None or KINDS.index(found.kind) < KINDS.index(known):
            if known is not None:
                self.kinds[found.benchmark, known] -= 1
            self.kinds[found.benchmark, found.kind] += 1
            self._surest[key] = found.kind

    def examples(self, count: int = _EXAMPLES) -> list[Contamination]:
        """Some matches of each kind."""
        shown: Counter[str] = Counter()
        result = []
        for one in self.items.values():
            shown[one.kind] += 1
            if shown[one.kind] <= count:
                result.append(one)
        return sorted(result, key=lambda one: KINDS.index(one.kind))

    def by_benchmark(self) -> dict[str, dict[str, int]]:
        """The number of items by benchmark and kind; benchmarks without any included."""
        return {
            name: {kind: self.kinds[name, kind] for kind in KINDS if self.kinds[name, kind]}
            for name in self.benchmarks
        }

    def summary(self) -> str:
        """In a line: how many items are in which benchmarks."""
        counts = Counter({name: sum(kinds.values()) for name, kinds in self.by_benchmark().items()})
        parts = [f"{count} items in {name}" for name, count in counts.items() if count]
        looked = f"{self.versions} language versions"
        if self.available > self.versions:
            looked = f"{self.versions} of {self.available} language versions"
        names = ", ".join(self.benchmarks) or "no benchmark"
        return f"{', '.join(parts) or 'nothing'} ({looked} compared with {names})"


class ContaminationFinder:
    """Looks versions up among evaluation texts, batch by batch.

    Args:
        index: of the evaluation texts.
        encoder: compares queries with queries and passages with passages by their vectors too; None does not.
        encoder_similarity: cosine from which two texts match.
    """

    def __init__(
        self,
        index: EvaluationIndex,
        encoder: Encoder | None = None,
        encoder_similarity: float = 0.95,
    ) -> None:
        texts = self._texts = index.texts
        self._index = index
        self._encoder = encoder
        self._encoder_similarity = encoder_similarity
        self._vectors: dict[str, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = {}
        if encoder is not None:
            for side in ("query", "passage"):
                numbers = np.array([place for place, one in enumerate(texts.sides) if one == side], np.int64)
                chosen = [texts.texts[number] for number in numbers.tolist()]
                languages = [texts.languages[number] for number in numbers.tolist()]
                self._vectors[side] = (numbers, encoder.encode(chosen, side, languages=languages))
        self.report = ContaminationReport(dict(Counter(texts.benchmarks)))

    def look(self, versions: list[Version]) -> list[Contamination]:
        """Look at versions and add what is found to the report; returns that, the surest first in each item."""
        texts = [version.query for version in versions] + [version.passage for version in versions]
        are_queries = np.arange(len(texts)) < len(versions)
        matches = self._index.find(texts, are_queries) + self._by_vectors(versions)
        found = [
            self._described(versions[match.text % len(versions)], texts, are_queries, match)
            for match in matches
        ]
        for version in versions:
            if (known := self._texts.item_of(version.id)) is not None:
                benchmark, item = known
                found.append(
                    Contamination(
                        version.id,
                        version.language,
                        "id",
                        version.query,
                        "id",
                        1.0,
                        benchmark,
                        item,
                        item,
                    )
                )
        seen = {(one.benchmark, one.id, one.language) for one in found}
        for benchmark, _, language in seen:
            self.report.languages[benchmark, language] += 1
        for one in found:
            self.report.add(one)
        self.report.versions += len(versions)
        return found

    def _described(
        self, version: Version, texts: list[str], are_queries: np.ndarray[Any, Any], match: Match
    ) -> Contamination:
        return Contamination(
            id=version.id,
            language=version.language,
            side="query" if are_queries[match.text] else "passage",
            text=texts[match.text],
            kind=match.kind,
            value=round(match.value, 4),
            benchmark=self._texts.benchmarks[match.evaluation],
            benchmark_id=self._texts.ids[match.evaluation],
            benchmark_text=self._texts.texts[match.evaluation],
        )

    def _by_vectors(self, versions: list[Version]) -> list[Match]:
        if self._encoder is None:
            return []
        matches = []
        sides: tuple[tuple[int, Side], ...] = ((0, "query"), (len(versions), "passage"))
        for offset, side in sides:
            numbers, vectors = self._vectors[side]
            if not len(numbers):
                continue
            mine = self._encoder.encode(
                [version.query if side == "query" else version.passage for version in versions],
                side,
                languages=[version.language for version in versions],
            )
            scores = mine @ vectors.T
            best = scores.argmax(axis=1)
            for place in np.flatnonzero(scores.max(axis=1) >= self._encoder_similarity).tolist():
                entry = int(best[place])
                matches.append(
                    Match(offset + place, int(numbers[entry]), "embedding", float(scores[place, entry]))
                )
        return matches


def find_contamination(
    corpus: ParallelCorpus,
    benchmarks: Iterable[RetrievalBenchmark] | EvaluationIndex,
    options: MatchingOptions = QUICK,
    *,
    most_versions: int | None = None,
) -> ContaminationReport:
    """Find the items of a corpus that are in benchmarks.

    Args:
        corpus: the corpus.
        benchmarks: the benchmarks, or an index of their texts, which has its own options.
        options: what counts as a match.
        most_versions: look at no more than about so many, in blocks spread evenly over the corpus; None looks at all.

    Returns:
        What was found.
    """
    if not isinstance(benchmarks, EvaluationIndex):
        benchmarks = EvaluationIndex(EvaluationTexts.of(benchmarks), options)
    finder = ContaminationFinder(benchmarks)
    total = int(np.count_nonzero(np.asarray(corpus.rows) >= 0))
    every = 1 if most_versions is None else -(-total // max(most_versions, 1))
    block = 0
    for batch in corpus.batches():
        for start in range(0, batch.num_rows, VERSIONS_AT_ONCE):
            if block % every == 0:
                finder.look(list(to_versions(batch.slice(start, VERSIONS_AT_ONCE))))
            block += 1
    finder.report.available = total
    return finder.report


def decontaminate(
    source: str | Path,
    against: Iterable[str],
    output: Path,
    *,
    options: MatchingOptions | None = None,
    removed: Path | None = None,
    data_dir: Path | None = None,
    encoder: Encoder | None = None,
    encoder_similarity: float = 0.95,
    progress: Progress | None = None,
) -> tuple[ContaminationReport, int, int]:
    """Write a corpus without the items that are in benchmarks.

    The corpus is read twice and never held; in memory are the evaluation texts and the contaminated items.

    Args:
        source: the corpus, as `isogloss.corpus.read_corpus` takes it.
        against: benchmarks, as `isogloss.corpus.load_benchmark` takes them.
        output: the file to write; none where everything would be removed.
        options: what counts as a match.
        removed: a JSONL file for what is removed, each record with its match.
        data_dir: where known benchmarks lie.
        encoder: compares vectors too.
        encoder_similarity: cosine from which two texts match.
        progress: called with the stage, the versions done and those there are.

    Returns:
        The report, and the numbers of versions written and removed.

    Raises:
        DataError: the corpus or a benchmark is missing or wrong, or nothing would be left.
        OutputError: an output is there already or cannot be written.
    """
    check_outputs(output, removed)
    report_progress = progress or (lambda stage, done, total: None)
    texts = EvaluationTexts.read(list(against), data_dir)
    index = EvaluationIndex(texts, options or MatchingOptions())
    finder = ContaminationFinder(index, encoder, encoder_similarity)
    total = count_records(source) or 0
    for batch in batched(read_versions(source, data_dir)):
        finder.look(batch)
        report_progress("comparing", finder.report.versions, max(total, finder.report.versions + 1))
    report = finder.report
    report_progress("comparing", report.versions, report.versions)
    report.available = report.versions
    written = 0
    with corpus_writer(output) as write:
        if removed is None:
            written = _divide(read_versions(source, data_dir), report, write, lambda _: None, report_progress)
        else:
            with json_lines_writer(removed) as keep:
                written = _divide(read_versions(source, data_dir), report, write, keep, report_progress)
                _refuse_nothing(written, source)
        _refuse_nothing(written, source)
    return report, written, report.versions - written


def _divide(
    versions: Iterator[Version],
    report: ContaminationReport,
    write: Callable[[Version], None],
    keep: Callable[[Any], None],
    progress: Progress,
) -> int:
    written = 0
    for number, version in enumerate(versions, start=1):
        found = report.items.get(version.id)
        if found is None:
            write(version)
            written += 1
        else:
            keep({"rule": "contamination", **_side_entry(found), "record": version.as_record()})
        if number % VERSIONS_AT_ONCE == 0 or number == report.versions:
            progress("writing", number, report.versions)
    return written


def _side_entry(found: Contamination) -> dict[str, Any]:
    entry = found.as_record()
    return {"kind": entry.pop("kind"), "value": entry.pop("value"), "match": entry}


def _surer(one: Contamination, other: Contamination) -> bool:
    return (KINDS.index(one.kind), -one.value) < (KINDS.index(other.kind), -other.value)


def _refuse_nothing(written: int, source: str | Path) -> None:
    if not written:
        raise CorpusError(f"{source}: every item is in a benchmark; nothing would be left to train on")


def check_outputs(output: Path, *others: Path | None) -> None:
    """Refuse outputs that are there already, before hours are spent on them.

    Raises:
        OutputError: one is, or two have one name.
    """
    check_output(output)
    seen = {output.absolute()}
    for path in others:
        if path is None:
            continue
        if path.absolute() in seen:
            raise OutputError(f"{path}: two outputs have this name")
        if path.exists():
            raise OutputError(f"{path}: exists already; choose another name or remove it")
        seen.add(path.absolute())


def batched(versions: Iterable[Version], size: int = VERSIONS_AT_ONCE) -> Iterator[list[Version]]:
    """Versions in lists of `size`."""
    batch: list[Version] = []
    for version in versions:
        batch.append(version)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
