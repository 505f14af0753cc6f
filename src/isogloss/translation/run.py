"""A corpus is translated: the wanted sentences are collected, the missing ones translated, and all is written."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Protocol

from isogloss.corpus import Version
from isogloss.errors import CorpusError, Interrupted, ModelError
from isogloss.files import finished_file
from isogloss.translation.assembling import SplitVersion
from isogloss.translation.engine import Engine
from isogloss.translation.memory import TranslationMemory, Wanted
from isogloss.translation.pricing import Prices
from isogloss.translation.working import translated_batches
from isogloss.translation.writing import problems_path, write_versions

_VERSIONS_AT_ONCE = 256

Versions = Callable[[], Iterator[Version]]
"""Gives all versions of a corpus, from the first, each time that it is called."""


class Progress(Protocol):
    """Shows how far a stage is, as the command line's `StagedProgress` does."""

    def __call__(self, stage: str, done: int, total: int, /) -> None:
        """Report how much of a stage is done."""
        ...

    def show(self, stage: str, done: int, total: int, rate: str, seconds_left: float | None, /) -> None:
        """Report with a rate and the seconds that are left."""
        ...


@dataclass
class TargetReport:
    """What became of one language.

    Attributes:
        language: the language.
        wanted: distinct sentences and characters to have in it.
        missing: those that the memory did not have.
        present: versions that the corpus has in it already.
        translated: versions made.
        left_out: versions that failed.
        problems: how many texts have which problem.
    """

    language: str
    wanted: Wanted
    missing: Wanted
    present: int = 0
    translated: int = 0
    left_out: int = 0
    problems: Counter[str] = field(default_factory=Counter)


def source_language(languages: Collection[str], targets: Sequence[str], chosen: str | None) -> str:
    """Decide which language of a corpus to translate from.

    Args:
        languages: those of the corpus.
        targets: those to translate to.
        chosen: the one that was asked for; None for the only one.

    Raises:
        CorpusError: the corpus does not have it, has several to choose from, or it is to be translated to itself.
    """
    there = ", ".join(sorted(languages))
    if chosen is None:
        if len(languages) > 1:
            raise CorpusError(f"the corpus is in {there}: say with --from which of them to translate")
        (chosen,) = languages
    elif chosen not in languages:
        raise CorpusError(f"--from {chosen}: the corpus has no such language; it has {there}")
    if chosen in targets:
        raise CorpusError(f"--to {chosen}: the corpus is translated from {chosen}; leave it out")
    return chosen


class CorpusTranslation:
    """The translation of a corpus from one language into others.

    Args:
        versions: the corpus.
        languages: of the corpus.
        size: versions of the corpus, to tell how far a pass over it is.
        engine: what translates.
        memory: where translations are kept; opened for this engine.
        source: the language to translate from.
        targets: the languages to translate to.
        retry_failed: try sentences again that failed before.

    Raises:
        ModelError: the engine cannot translate from or to one of the languages.
    """

    def __init__(
        self,
        versions: Versions,
        languages: Collection[str],
        size: int,
        engine: Engine,
        memory: TranslationMemory,
        source: str,
        targets: Sequence[str],
        *,
        retry_failed: bool = False,
    ) -> None:
        for target in targets:
            if refusal := engine.refusal(source, target):
                raise ModelError(f"{engine.name}: {refusal}")
        self._versions, self._engine, self._memory = versions, engine, memory
        self.source, self.targets, self._size = source, tuple(targets), size
        self._retry_failed = retry_failed
        self._present = frozenset(languages) & frozenset(targets)
        self.reports: list[TargetReport] = []

    def collect(self, progress: Progress | None = None) -> list[TargetReport]:
        """Collect the distinct sentences that are wanted, and see which the memory does not have.

        Args:
            progress: shows how much is read.

        Returns:
            A report for each target, so far without what was translated.

        Raises:
            CorpusError: the corpus cannot be read, or has no version to translate.
            OutputError: the memory cannot be read or written.
        """
        for chunk in _chunks(version for version in self._versions() if version.language in self._present):
            self._memory.note_present((version.id, version.language) for version in chunk)
        some = False
        for chunk in self._pass("reading", progress):
            wanted: dict[str, dict[str, None]] = {}
            for version in chunk:
                if version.language != self.source:
                    continue
                some = True
                targets = dict.fromkeys(self._missing_languages(version))
                for sentence in SplitVersion(version).sentences():
                    wanted.setdefault(sentence, {}).update(targets)
            self._memory.want(wanted, self.source, retry_failed=self._retry_failed)
        if not some:
            raise CorpusError(f"the corpus has no version in {self.source}")
        self.reports = [TargetReport(target, *self._memory.count(target)) for target in self.targets]
        return self.reports

    def expected_cost(self, prices: Prices) -> float | None:
        """What the missing sentences will cost; None where prices are for tokens, which only the engine can count."""
        return prices.expected(sum(report.missing.characters for report in self.reports), 0, None)

    def translate(self, prices: Prices, progress: Progress | None = None) -> float:
        """Translate the missing sentences; each answer is kept as it comes.

        Args:
            prices: what is paid, to show the cost.
            progress: shows rate, time left and cost.

        Returns:
            What it cost.

        Raises:
            ModelError: the engine fails altogether.
            Interrupted: by Ctrl-C; what came is kept.
            OutputError: the memory cannot be read or written.
        """
        engine, memory = self._engine, self._memory
        total = sum(report.missing.characters for report in self.reports)
        everything = sum(report.missing.sentences for report in self.reports)
        characters = sentences = 0
        began = time.perf_counter()
        try:
            for report in self.reports:
                target, done = report.language, 0
                batches = memory.batches(target, engine.batch_size, engine.batch_characters)
                for batch, results in translated_batches(engine, batches, self.source, target):
                    memory.store(batch, results, self.source, target)
                    done += len(batch)
                    sentences += len(batch)
                    characters += sum(len(sentence.text) for sentence in batch)
                    seconds = time.perf_counter() - began
                    rate = f"{sentences / seconds:.0f} sentences/s"
                    if prices:
                        expected = prices.expected(total, characters, engine.tokens)
                        rate += f", cost {prices.cost(characters, engine.tokens):.2f} of about {expected:.2f}"
                    # Long sentences come first, so that time goes by characters rather than by sentences.
                    left = (total - characters) / characters * seconds
                    if progress is not None:
                        stage = f"{self.source} to {target}"
                        progress.show(stage, done, report.missing.sentences, rate, left)
        except KeyboardInterrupt:
            raise Interrupted(
                f"stopped: {sentences:,} of {everything:,} sentences are translated and kept in {memory.path}; the"
                " same command goes on"
            ) from None
        finally:
            engine.stop()
        return prices.cost(characters, engine.tokens)

    def write(self, output: Path, progress: Progress | None = None) -> Path | None:
        """Write the corpus with its new versions, each after the one that it was made of.

        Args:
            output: a corpus file, or a folder to make.
            progress: shows how much is written.

        Returns:
            The side file with what is wrong with texts, None where nothing is; one from before is removed then.

        Raises:
            OutputError: it cannot be written.
        """
        side = problems_path(output)
        with finished_file(side) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
            write_versions(self._written(file, progress), output)
        if any(report.problems for report in self.reports):
            return side
        side.unlink()
        return None

    def _written(self, side: IO[str], progress: Progress | None) -> Iterator[Version]:
        """All versions, old and new; problems go to the side file."""
        reports = {report.language: report for report in self.reports}
        for chunk in self._pass("writing", progress):
            split = {
                number: SplitVersion(version)
                for number, version in enumerate(chunk)
                if version.language == self.source
            }
            sentences = {sentence for version in split.values() for sentence in version.sentences()}
            found = {target: self._memory.find(sentences, self.source, target) for target in self.targets}
            for number, version in enumerate(chunk):
                yield version
                if number not in split:
                    continue
                missing = set(self._missing_languages(version))
                for target, report in reports.items():
                    if target not in missing:
                        report.present += 1
                        continue
                    made, problems = split[number].translated(target, found[target])
                    for problem in problems:
                        side.write(json.dumps(problem.as_record(), ensure_ascii=False) + "\n")
                        report.problems[problem.reason] += 1
                    if made is None:
                        report.left_out += 1
                    else:
                        report.translated += 1
                        yield made

    def _pass(self, stage: str, progress: Progress | None) -> Iterator[list[Version]]:
        """All versions, some at a time."""
        done = 0
        for chunk in _chunks(self._versions()):
            yield chunk
            done += len(chunk)
            if progress is not None:
                progress(stage, done, self._size)

    def _missing_languages(self, version: Version) -> Iterator[str]:
        for target in self.targets:
            if target not in self._present or not self._memory.is_present(version.id, target):
                yield target


def _chunks(versions: Iterator[Version]) -> Iterator[list[Version]]:
    while chunk := list(islice(versions, _VERSIONS_AT_ONCE)):
        yield chunk
