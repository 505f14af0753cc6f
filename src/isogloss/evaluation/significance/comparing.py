"""Runs on the same queries in, differences with intervals, p-values and verdicts out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isogloss.errors import EvaluationError
from isogloss.evaluation.significance.clusters import Figure, Floats, PairedValues, add_up, average
from isogloss.evaluation.significance.holm import holm
from isogloss.evaluation.significance.randomisation import SignFlips, sign_flip_test
from isogloss.evaluation.significance.resampling import (
    Replicates,
    percentile_interval,
    resample,
    seed_intervals,
)
from isogloss.evaluation.significance.verdict import verdict

LEVELS = ("overall", "language", "pair")

StageProgress = Callable[[str, int, int], None]
"""Called with the stage's name, how much of it is done, and how much it is in all."""


@dataclass(frozen=True)
class Settings:
    """How a comparison is made.

    Attributes:
        permutations: sign vectors of the randomisation tests.
        resamples: of the bootstrap.
        seed: of both.
        confidence: of the intervals; p-values are held against 1 - confidence.
        pairs: also compare every ordered pair of languages.
    """

    permutations: int = 100_000
    resamples: int = 10_000
    seed: int = 0
    confidence: float = 0.95
    pairs: bool = False

    @property
    def alpha(self) -> float:
        """What a p-value must lie below."""
        return round(1 - self.confidence, 12)


@dataclass(frozen=True)
class Row:
    """One figure of one comparison.

    Attributes:
        baseline: the group compared with.
        group: the group compared.
        figure: which figure.
        baseline_values: the baseline's figure, a run each.
        values: the group's, a run each.
        difference: mean of `values` minus mean of `baseline_values`.
        low: the interval's lower end; None where the figure stands on fewer than two clusters.
        high: the interval's upper end.
        clusters: how many clusters (parallel ids) the figure stands on.
        p_questions: of the randomisation test over clusters.
        exact: whether that test went through all sign vectors.
        p_seeds: of the t test over clusters and seeds; None where both groups are one run.
        p: the larger of the two.
        p_holm: p, adjusted by Holm in the family of all rows of this level.
        verdict: see `verdict`.
    """

    baseline: str
    group: str
    figure: Figure
    baseline_values: tuple[float, ...]
    values: tuple[float, ...]
    difference: float
    low: float | None
    high: float | None
    clusters: int
    p_questions: float
    exact: bool
    p_seeds: float | None
    p: float
    p_holm: float
    verdict: str


@dataclass(frozen=True)
class Comparison:
    """All differences from the first group.

    Attributes:
        settings: how it was made.
        clusters: how many clusters there are in all.
        groups: the groups' names; the first is the one compared with.
        rows: by level, then by group, then by figure.
        families: for each level how many tests Holm's correction is over.
    """

    settings: Settings
    clusters: int
    groups: tuple[str, ...]
    rows: tuple[Row, ...]
    families: dict[str, int]


def compare_runs(
    paired: PairedValues,
    groups: Sequence[tuple[str, Sequence[int]]],
    settings: Settings,
    progress: StageProgress | None = None,
) -> Comparison:
    """Compare every further group of runs with the first.

    Args:
        paired: the runs' per-query values.
        groups: two or more names, each with the positions of its runs.
        settings: numbers of draws, seed, confidence.
        progress: told of the resamples and sign vectors.

    Raises:
        EvaluationError: fewer than two groups, an empty group, no values, or settings out of range.
    """
    _check(paired, groups, settings)
    sums = add_up(paired, pairs=settings.pairs)
    runs = [np.array(positions, dtype=np.int64) for _, positions in groups]
    signs, clusters, seeds = np.random.SeedSequence(settings.seed).spawn(3)
    sizes = sums.counts.sum(axis=0)
    figures = [average(sums.sums[of_group].sum(axis=1), sizes, sums.members) for of_group in runs]
    means = [of_runs.mean(axis=0) for of_runs in figures]

    # What each cluster adds to each figure of each group: figures are sums of it over clusters.
    shares = [
        average(sums.sums[of_group].mean(axis=0), np.broadcast_to(sizes, sums.counts.shape), sums.members)
        for of_group in runs
    ]
    flips = sign_flip_test(
        np.concatenate([share - shares[0] for share in shares[1:]], axis=1),
        permutations=settings.permutations,
        generator=np.random.default_rng(signs),
        progress=None if progress is None else lambda done, total: progress("sign flips", done, total),
    )
    replicates = resample(
        sums,
        runs,
        resamples=settings.resamples,
        generator=np.random.default_rng(clusters),
        run_generator=np.random.default_rng(seeds),
        progress=None if progress is None else lambda done, total: progress("resamples", done, total),
    )

    standing = sums.clusters_of_figures()
    parts = []
    for number in range(1, len(groups)):
        place = slice((number - 1) * len(sums.figures), number * len(sums.figures))
        parts.append(
            _Part(
                number,
                means[number] - means[0],
                *_intervals(
                    replicates, figures, number, means[number] - means[0], standing, settings.confidence
                ),
                SignFlips(flips.p[place], flips.exact[place]),
            )
        )
    return Comparison(
        settings=settings,
        clusters=paired.clusters,
        groups=tuple(name for name, _ in groups),
        rows=_rows(parts, [name for name, _ in groups], figures, sums.figures, standing, settings.alpha),
        families={
            level: (len(groups) - 1) * sum(figure.level == level for figure in sums.figures)
            for level in LEVELS
            if level != "pair" or settings.pairs
        },
    )


@dataclass(frozen=True)
class _Part:
    group: int
    difference: Floats
    low: Floats
    high: Floats
    p_seeds: Floats | None
    flips: SignFlips

    @property
    def p(self) -> Floats:
        return self.flips.p if self.p_seeds is None else np.maximum(self.flips.p, self.p_seeds)


def _intervals(
    replicates: Replicates,
    figures: Sequence[Floats],
    number: int,
    difference: Floats,
    standing: NDArray[np.int64],
    confidence: float,
) -> tuple[Floats, Floats, Floats | None]:
    questions = replicates.questions[number] - replicates.questions[0]
    if len(figures[0]) == 1 and len(figures[number]) == 1:
        return (*percentile_interval(questions, standing, confidence), None)
    both = replicates.both[number] - replicates.both[0]
    interaction = replicates.interaction[number] + replicates.interaction[0]
    found = seed_intervals(
        difference, questions, both, interaction, (figures[0], figures[number]), standing, confidence
    )
    return found.low, found.high, found.p


def _rows(
    parts: Sequence[_Part],
    names: Sequence[str],
    values: Sequence[Floats],
    figures: tuple[Figure, ...],
    standing: NDArray[np.int64],
    alpha: float,
) -> tuple[Row, ...]:
    rows = []
    for level in LEVELS:
        places = [place for place, figure in enumerate(figures) if figure.level == level]
        adjusted = holm(np.concatenate([part.p[places] for part in parts]))
        for part, p_holm in zip(parts, adjusted.reshape(len(parts), -1), strict=True):
            for place, p_adjusted in zip(places, p_holm.tolist(), strict=True):
                low, high = _number(part.low[place]), _number(part.high[place])
                rows.append(
                    Row(
                        baseline=names[0],
                        group=names[part.group],
                        figure=figures[place],
                        baseline_values=tuple(values[0][:, place].tolist()),
                        values=tuple(values[part.group][:, place].tolist()),
                        difference=float(part.difference[place]),
                        low=low,
                        high=high,
                        clusters=int(standing[place]),
                        p_questions=float(part.flips.p[place]),
                        exact=bool(part.flips.exact[place]),
                        p_seeds=None if part.p_seeds is None else float(part.p_seeds[place]),
                        p=float(part.p[place]),
                        p_holm=p_adjusted,
                        verdict=verdict(figures[place].measure, low, high, p_adjusted, alpha),
                    )
                )
    return tuple(rows)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _check(paired: PairedValues, groups: Sequence[tuple[str, Sequence[int]]], settings: Settings) -> None:
    if len(groups) < 2:
        raise EvaluationError("one group of runs cannot be compared: give two or more")
    for name, positions in groups:
        if len(positions) == 0:
            raise EvaluationError(f"{name}: a group without a run")
    if not any(np.isfinite(values).any() for values in paired.values.values()):
        raise EvaluationError("the runs hold no values to compare")
    if settings.permutations < 1 or settings.resamples < 2:
        raise EvaluationError(
            f"{settings.permutations} permutations and {settings.resamples} resamples: give at least 1 and 2"
        )
    if not 0.5 <= settings.confidence < 1:
        raise EvaluationError(f"confidence {settings.confidence}: give at least 0.5 and less than 1")
