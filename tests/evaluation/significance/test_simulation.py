"""Do intervals hold the truth as often as they say, and do tests cry wolf as seldom as they should?"""

import numpy as np
import pytest

from isogloss.evaluation.significance import Cell, PairedValues, Settings, compare_runs

LANGUAGES = 4


def simulated(draw, clusters, groups, *, difference, run_noise=0.0):
    """Skewed values; a question is as hard in every language, and favours a system, and a run, in every language.

    Returns values (runs, clusters * languages) whose expected figure is 1, and 1 + difference in the second group.
    """
    hard = draw.gamma(2, 0.5, clusters)
    runs = []
    for number, group in enumerate(groups):
        favoured = draw.exponential(1, clusters) - 1
        for _ in group:
            own = number * difference + draw.normal(0, 1) * run_noise
            favoured_by_run = draw.exponential(1, clusters) - 1
            noise = draw.normal(0, 0.3, (clusters, LANGUAGES))
            runs.append((hard + 0.4 * favoured + 0.4 * favoured_by_run)[:, None] + noise + own)
    return np.array(runs).reshape(len(runs), -1)


def paired(values, clusters, *, by_question=True):
    number = clusters * LANGUAGES
    cells = tuple(Cell("multi", f"l{language}", None) for language in range(LANGUAGES))
    cluster = np.repeat(np.arange(clusters), LANGUAGES) if by_question else np.arange(number)
    return PairedValues(
        cluster,
        clusters if by_question else number,
        np.tile(np.arange(LANGUAGES), clusters),
        cells,
        {"map": values},
    )


def rates(times, clusters, groups, *, difference=0.0, run_noise=0.0, by_question=True, seed=0):
    """How often the macro-average's interval holds the true difference, and p < 0.05."""
    draw = np.random.default_rng(seed)
    held = rejected = 0
    for time in range(times):
        values = simulated(draw, clusters, groups, difference=difference, run_noise=run_noise)
        found = compare_runs(
            paired(values, clusters, by_question=by_question),
            [("a", groups[0]), ("b", groups[1])],
            Settings(permutations=999, resamples=999, seed=time),
        )
        row = found.rows[0]
        held += row.low <= difference <= row.high
        rejected += row.p < 0.05
    return held / times, rejected / times


def test_nothing_is_there_and_seldom_found():
    held, rejected = rates(300, 40, ([0], [1]))
    assert 0.92 <= held <= 0.98
    assert 0.02 <= rejected <= 0.085


@pytest.mark.slow
@pytest.mark.parametrize("clusters", [12, 40, 150])
@pytest.mark.parametrize("difference", [0.0, 0.3])
def test_one_run_each(clusters, difference):
    held, rejected = rates(2000, clusters, ([0], [1]), difference=difference, seed=clusters)
    assert 0.93 <= held <= 0.97
    if difference == 0:
        assert 0.035 <= rejected <= 0.065


@pytest.mark.slow
def test_translations_taken_as_independent_would_cry_wolf():
    """Why clusters: with every query on its own, the same simulation is wrong several times as often."""
    held, rejected = rates(1000, 40, ([0], [1]), by_question=False)
    assert held < 0.8
    assert rejected > 0.2


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("run_noise", [0.0, 0.1, 0.5])
def test_over_seeds(seeds, run_noise):
    """Training noise from none to most of the spread: seldom wrong, and not far on the careful side."""
    groups = (range(seeds), range(seeds, 2 * seeds))
    held, rejected = rates(1500, 60, groups, run_noise=run_noise, seed=seeds)
    assert 0.93 <= held <= 0.985
    assert rejected <= 0.065


@pytest.mark.slow
def test_seeds_taken_for_one_model_would_cry_wolf():
    """Why seeds: with one run each and training noise, the interval over questions alone is often wrong."""
    held, rejected = rates(1000, 60, ([0], [1]), run_noise=0.5)
    assert held < 0.6
    assert rejected > 0.4


@pytest.mark.slow
def test_a_fixed_model_against_seeds():
    held, rejected = rates(1500, 60, ([0], range(1, 4)))
    assert 0.93 <= held <= 0.985
    assert rejected <= 0.065
