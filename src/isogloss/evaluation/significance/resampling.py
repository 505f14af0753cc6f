"""Bootstrap: what would the figures be with other questions, and with other seeds of training?

Clusters (parallel ids, with all their translations) are drawn with replacement, as many as there are, and every figure
is computed anew, macro-averages included. A group of several runs is resampled on two levels: its runs are drawn with
replacement as well, the clusters being the same for all. Source: Efron and Tibshirani, "An introduction to the
bootstrap", 1993; for retrieval Sakai, "Evaluating evaluation metrics based on the bootstrap", SIGIR 2006; for two
crossed levels Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1, 2007.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from isogloss.evaluation.significance.clusters import ClusterSums, Floats, average

_BLOCK_BYTES = 32 << 20


@dataclass(frozen=True)
class Replicates:
    """Figures of resamples, by group of runs.

    Attributes:
        questions: (groups, resamples, F) float64, the mean over a group's runs with clusters drawn anew; NaN
            where a resample has no query of a figure.
        both: the same with the group's runs drawn anew as well; a group of one run is as in `questions`.
        interaction: (groups, F) float64, the part of the variance of a group's mean that comes from seeds favouring
            different questions; 0 for a group of one run.
    """

    questions: Floats
    both: Floats
    interaction: Floats


def weight_blocks(
    clusters: int, resamples: int, generator: np.random.Generator
) -> Iterator[tuple[slice, Floats]]:
    """Draw how often each cluster is in each resample, in blocks.

    Yields:
        Which resamples, and (b, clusters) float64, each row adding up to `clusters`.
    """
    # The block is a function of the data's size alone: the same seed gives the same draws on every machine.
    block = max(1, _BLOCK_BYTES // (8 * clusters))
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = generator.integers(0, clusters, (rows, clusters))
        drawn += np.arange(rows)[:, None] * clusters
        counts = np.bincount(drawn.ravel(), minlength=rows * clusters)
        yield slice(start, start + rows), counts.reshape(rows, clusters).astype(np.float64)


def resample(
    sums: ClusterSums,
    groups: Sequence[NDArray[np.int64]],
    *,
    resamples: int,
    generator: np.random.Generator,
    run_generator: np.random.Generator,
    progress: Callable[[int, int], None] | None = None,
) -> Replicates:
    """Compute every figure in every resample.

    The spread of n drawn runs' mean is too narrow by the factor (n - 1) / n in variance; its deviations are stretched
    by the root of n / (n - 1), so that with few runs the spread is right on average. The interaction is the
    variance over resamples of a run's distance from its group's mean, summed over runs, divided by n (n - 1).

    Args:
        sums: the runs' values by cluster.
        groups: for each group the positions of its runs.
        resamples: how many.
        generator: draws clusters.
        run_generator: draws runs.
        progress: called with the resamples done and their number.
    """
    size = len(sums.figures)
    questions = np.empty((len(groups), resamples, size))
    several = any(len(runs) > 1 for runs in groups)
    all_sizes = sums.counts.sum(axis=0)
    observed = [average(sums.sums[runs].sum(axis=1), all_sizes, sums.members) for runs in groups]
    both = np.empty_like(questions) if several else questions
    interaction = np.zeros((len(groups), size))
    # Where every cluster holds the same queries, as with complete translations, a handful of columns is enough.
    distinct, column = np.unique(sums.counts, axis=1, return_inverse=True)
    for place, weights in weight_blocks(len(sums.counts), resamples, generator):
        sizes = (weights @ distinct)[:, column.ravel()]
        for number, runs in enumerate(groups):
            figures = np.stack([average(weights @ sums.sums[run], sizes, sums.members) for run in runs])
            mean = figures.mean(axis=0)
            questions[number, place] = mean
            if not several:
                continue
            both[number, place] = mean
            if len(runs) > 1:
                distance = figures - mean
                both[number, place] += _drawn_runs(distance, run_generator)
                # From the observed distance: resamples lie around it, so their mean square about it is their variance.
                around = distance - (observed[number] - observed[number].mean(axis=0))[:, None]
                interaction[number] += np.nansum(around**2, axis=(0, 1)) / (len(runs) * (len(runs) - 1))
        if progress is not None:
            progress(place.stop, resamples)
    there = np.isfinite(questions[0]).sum(axis=0)
    return Replicates(questions, both, interaction / np.maximum(there, 1))


def _drawn_runs(distance: Floats, generator: np.random.Generator) -> Floats:
    """How far the mean of runs drawn with replacement lies from that of all, stretched; (runs, b, F) to (b, F)."""
    n, rows, _ = distance.shape
    drawn = generator.integers(0, n, (rows, n))
    times = (drawn[:, :, None] == np.arange(n)).sum(axis=1) / n
    return np.asarray(np.sqrt(n / (n - 1)) * np.einsum("br,rbf->bf", times, distance))


def percentile_interval(
    replicates: Floats, clusters: NDArray[np.int64], confidence: float
) -> tuple[Floats, Floats]:
    """Percentile intervals, widened for few clusters.

    The bootstrap's percentiles are too narrow with few clusters n, by the root of (n - 1) / n and by using the normal's
    tails for Student's. Taking them at Phi(-sqrt(n / (n - 1)) t), t the quantile of Student's t with n - 1
    degrees of freedom, makes up for both. Source: Hesterberg, "What teachers should know about the bootstrap",
    The American Statistician 69, 2015, section 4.2 (expanded percentile interval).

    Args:
        replicates: (resamples, F) float64; NaN is left out.
        clusters: (F,) clusters that a figure stands on.
        confidence: such as 0.95.

    Returns:
        (F,) lower and (F,) upper ends; NaN with fewer than two clusters.
    """
    n = np.maximum(clusters, 2)
    tail = stats.norm.cdf(np.sqrt(n / (n - 1)) * stats.t.ppf((1 - confidence) / 2, n - 1))
    ordered = np.sort(replicates, axis=0)
    few = clusters < 2
    return (
        np.where(few, np.nan, _quantile(ordered, tail)),
        np.where(few, np.nan, _quantile(ordered, 1 - tail)),
    )


@dataclass(frozen=True)
class SeedIntervals:
    """Intervals and tests over questions and seeds, a figure each.

    Attributes:
        low: (F,) float64.
        high: (F,) float64.
        p: (F,) float64, two-sided, of the same t.
        degrees: (F,) float64, degrees of freedom.
    """

    low: Floats
    high: Floats
    p: Floats
    degrees: Floats


def seed_intervals(
    difference: Floats,
    question_replicates: Floats,
    both_replicates: Floats,
    interaction: Floats,
    run_figures: Sequence[Floats],
    clusters: NDArray[np.int64],
    confidence: float,
) -> SeedIntervals:
    """Student's t intervals with the two-level bootstrap's standard error.

    With three or five seeds, percentiles of the resampled runs cannot reach far enough: the widest resample is the best
    run drawn every time. So the two-level bootstrap gives the standard error, and Student's t the number of standard
    errors, with the degrees of freedom of a sum of variances (Satterthwaite 1946): that of questions (clusters - 1) and
    those of each group's seeds (runs - 1).

    That seeds favour different questions is in the variance three times: in the spread of clusters, in that of runs,
    and once more because runs are resampled on resampled clusters (McCullagh, "Resampling and exchangeable arrays",
    Bernoulli 6, 2000; Owen 2007). Two of the three are taken off; at least the variance of questions alone is left.

    Args:
        difference: (F,) observed.
        question_replicates: (resamples, F) differences with clusters drawn.
        both_replicates: (resamples, F) differences with clusters and runs drawn.
        interaction: (F,) both groups' `Replicates.interaction`, added up.
        run_figures: for each of the two groups (runs, F) figures; one of them has several runs.
        clusters: (F,) clusters that a figure stands on.
        confidence: such as 0.95.
    """
    n = np.maximum(clusters, 2)
    of_questions = _variance(question_replicates) * n / (n - 1)
    variance = np.maximum((_variance(both_replicates) - 2 * interaction) * n / (n - 1), of_questions)
    variance = np.maximum(variance, np.finfo(np.float64).tiny)
    parts = of_questions**2 / (n - 1)
    for figures in run_figures:
        if len(figures) > 1:
            of_seeds = figures.var(axis=0, ddof=1) / len(figures)
            parts = parts + of_seeds**2 / (len(figures) - 1)
    free = [len(figures) - 1 for figures in run_figures if len(figures) > 1]
    degrees = np.clip(
        variance**2 / np.maximum(parts, np.finfo(np.float64).tiny), min(free), sum(free) + n - 1
    )
    error = np.sqrt(variance)
    half = stats.t.ppf((1 + confidence) / 2, degrees) * error
    p = 2 * stats.t.sf(np.abs(difference) / error, degrees)
    few = clusters < 2
    return SeedIntervals(
        low=np.where(few, np.nan, difference - half),
        high=np.where(few, np.nan, difference + half),
        p=np.where(few, 1.0, p),
        degrees=degrees,
    )


def _variance(replicates: Floats) -> Floats:
    there = np.isfinite(replicates)
    if there.all():
        return np.asarray(replicates.var(axis=0))
    number = np.maximum(there.sum(axis=0), 1)
    mean = np.where(there, replicates, 0.0).sum(axis=0) / number
    return np.asarray(np.where(there, (replicates - mean) ** 2, 0.0).sum(axis=0) / number)


def _quantile(ordered: Floats, probability: Floats) -> Floats:
    """Linear between order statistics; each column has its own probability, NaN (sorted last) left out."""
    number = np.isfinite(ordered).sum(axis=0)
    place = probability * np.maximum(number - 1, 0)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(number - 1, 0))
    column = np.arange(ordered.shape[1])
    low, high = ordered[below, column], ordered[above, column]
    return np.asarray(np.where(number > 0, low + (place - below) * (high - low), np.nan))
