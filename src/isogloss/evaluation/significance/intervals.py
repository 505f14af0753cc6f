"""How far a run's own figures would vary with other questions."""

from __future__ import annotations

import numpy as np

from isogloss.evaluation.significance.clusters import Figure, PairedValues, add_up
from isogloss.evaluation.significance.resampling import percentile_interval, resample


def figure_intervals(
    paired: PairedValues, *, resamples: int = 2000, seed: int = 0, confidence: float = 0.95
) -> dict[Figure, tuple[float, float]]:
    """Bootstrap intervals of the first run's macro-averages and of their parts by language.

    Clusters (parallel ids, with all their translations) are drawn with replacement, as in `compare_runs`.

    Args:
        paired: per-query values.
        resamples: how many.
        seed: of the draws.
        confidence: such as 0.95.

    Returns:
        Lower and upper end of each figure that stands on at least two clusters.
    """
    sums = add_up(paired, pairs=False)
    questions, runs = (np.random.default_rng(one) for one in np.random.SeedSequence(seed).spawn(2))
    replicates = resample(sums, [np.array([0])], resamples=resamples, generator=questions, run_generator=runs)
    low, high = percentile_interval(replicates.questions[0], sums.clusters_of_figures(), confidence)
    return {
        figure: (float(lower), float(upper))
        for figure, lower, upper in zip(sums.figures, low, high, strict=True)
        if np.isfinite(lower) and np.isfinite(upper)
    }
