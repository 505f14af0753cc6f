"""Are the benchmarks on this machine among the training data? Asked before each training, with quick methods."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from isogloss.cleaning.decontamination import QUICK, ContaminationReport, find_contamination
from isogloss.cleaning.evaluation_texts import EvaluationTexts
from isogloss.cleaning.matching import EvaluationIndex
from isogloss.corpus import ParallelCorpus, known_benchmarks
from isogloss.errors import DataError

MOST_VERSIONS = 200_000
"""Language versions of a corpus that are looked at: about twenty seconds, however large it is."""

_ADVICE = "figures on it will be too high; `isogloss data decontaminate` takes them out"


@dataclass(frozen=True)
class ContaminationCheck:
    """What was found.

    Attributes:
        benchmarks: names of the benchmarks compared with; none where there are none on this machine.
        reports: by corpus.
        problem: why nothing could be compared; empty where that is not so.
        seconds: how long it took.
    """

    benchmarks: tuple[str, ...]
    reports: dict[str, ContaminationReport]
    problem: str = ""
    seconds: float = 0.0

    @property
    def messages(self) -> list[str]:
        """What to tell whoever trains: a line for each corpus with contaminated items, or that there is none."""
        if self.problem:
            return [f"the training data were not compared with benchmarks: {self.problem}"]
        found = [
            f"warning: {name} holds {report.summary()}: {_ADVICE}"
            for name, report in self.reports.items()
            if report
        ]
        if found or not self.benchmarks:
            return found
        looked = sum(report.versions for report in self.reports.values())
        return [
            f"no text of {', '.join(self.benchmarks)} in {looked} language versions of the training data"
            f" ({self.seconds:.1f} s)"
        ]

    @property
    def card_lines(self) -> list[str]:
        """What the model card says."""
        if self.problem:
            return [f"The training data were not compared with benchmarks: {self.problem}."]
        if not self.benchmarks:
            return ["The training data were not compared with benchmarks: none was on the machine."]
        return [
            "Items that are in benchmarks (the same text, or contained in one; compared before training):",
            "",
            *(f"- {name}: {report.summary()}" for name, report in self.reports.items()),
        ]


def check_contamination(
    corpora: Sequence[ParallelCorpus], data_dir: Path | None = None
) -> ContaminationCheck:
    """Compare corpora with the known benchmarks that are on this machine; nothing is fetched.

    Args:
        corpora: the training corpora.
        data_dir: where the benchmarks lie.
    """
    began = time.perf_counter()
    found = {one.name: one.path for one in known_benchmarks(data_dir) if one.path is not None}
    names = tuple(found)
    if not names:
        return ContaminationCheck((), {})
    languages = frozenset(language for corpus in corpora for language in corpus.languages)
    try:
        index = _index(names, tuple(found.values()), data_dir, languages)
    except DataError as error:
        return ContaminationCheck(names, {}, str(error))
    reports: dict[str, ContaminationReport] = {}
    for corpus in corpora:
        # Two corpora may have one name.
        alike = sum(name == corpus.name or name.startswith(f"{corpus.name} (") for name in reports)
        name = f"{corpus.name} ({alike + 1})" if alike else corpus.name
        reports[name] = find_contamination(corpus, index, most_versions=MOST_VERSIONS)
    return ContaminationCheck(names, reports, seconds=time.perf_counter() - began)


@lru_cache(maxsize=1)
def _index(
    names: tuple[str, ...], folders: tuple[Path, ...], data_dir: Path | None, languages: frozenset[str]
) -> EvaluationIndex:
    return EvaluationIndex(EvaluationTexts.read(names, data_dir, languages), QUICK)
