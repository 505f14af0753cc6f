import numpy as np
import pytest
from scipy import stats

from isogloss.evaluation.significance import (
    Cell,
    PairedValues,
    add_up,
    percentile_interval,
    resample,
    resampling,
    seed_intervals,
    weight_blocks,
)
from tests.evaluation.significance.slow import random_paired, slow_figures


def generator(seed=0):
    return np.random.default_rng(seed)


def drawn_clusters(clusters, resamples, seed):
    """The clusters that `weight_blocks` draws, as lists, in the order of its draws."""
    return generator(seed).integers(0, clusters, (resamples, clusters))


def test_weights_add_up_and_are_the_drawn_clusters(monkeypatch):
    monkeypatch.setattr(resampling, "_BLOCK_BYTES", 8 * 5 * 4)
    blocks = list(weight_blocks(5, 10, generator(1)))
    assert [block.stop - block.start for block, _ in blocks] == [4, 4, 2]
    weights = np.concatenate([weights for _, weights in blocks])
    assert (weights.sum(axis=1) == 5).all()
    expected = [np.bincount(drawn, minlength=5).tolist() for drawn in drawn_clusters(5, 10, 1)]
    assert weights.tolist() == expected


@pytest.mark.parametrize("seed", range(4))
def test_replicates_are_those_of_drawn_clusters(seed):
    paired = random_paired(seed, missing=0.5)
    sums = add_up(paired, pairs=True)
    found = resample(
        sums,
        [np.array([0]), np.array([1])],
        resamples=20,
        generator=generator(seed),
        run_generator=generator(9),
    )
    for number, drawn in enumerate(drawn_clusters(paired.clusters, 20, seed)):
        for run in range(2):
            expected = slow_figures(paired, run, drawn)
            for figure, value in zip(sums.figures, found.questions[run, number], strict=True):
                assert value == pytest.approx(expected.get(tuple(figure), np.nan), nan_ok=True)
    assert found.both is found.questions


def test_replicates_over_seeds_draw_runs_for_the_same_clusters():
    paired = random_paired(2, runs=4)
    sums = add_up(paired, pairs=False)
    groups = [np.array([0]), np.array([1, 2, 3])]
    found = resample(sums, groups, resamples=15, generator=generator(3), run_generator=generator(4))
    runs = generator(4).integers(0, 3, (15, 3))
    for number, drawn in enumerate(drawn_clusters(paired.clusters, 15, 3)):
        of_run = [slow_figures(paired, run, drawn) for run in range(4)]
        for place, figure in enumerate(map(tuple, sums.figures)):
            values = [one.get(figure, np.nan) for one in of_run[1:]]
            mean = np.mean(values)
            stretched = mean + np.sqrt(3 / 2) * (np.mean([values[run] for run in runs[number]]) - mean)
            assert found.questions[1, number, place] == pytest.approx(mean, nan_ok=True)
            assert found.both[1, number, place] == pytest.approx(stretched, nan_ok=True)
            assert found.both[0, number, place] == pytest.approx(of_run[0].get(figure, np.nan), nan_ok=True)


def test_interaction_is_what_seeds_favour_differently():
    """Against the variance components of a table of independent values, runs by clusters."""
    values = generator(8).normal(0, 1, (4, 300))
    sums = add_up(plain(values), pairs=False)
    found = resample(sums, [np.arange(4)], resamples=4000, generator=generator(), run_generator=generator(1))
    rest = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
    mean_square = (rest**2).sum() / (3 * 299)
    assert found.interaction[0, 0] == pytest.approx(mean_square / (4 * 300), rel=0.05)
    # All of the values' variance is interaction: in both levels it is there three times, as it should be once.
    assert found.questions[0].var(axis=0)[0] == pytest.approx(mean_square / 1200, rel=0.15)
    observed = values.mean(axis=1).var(ddof=1) / 4
    assert found.both[0].var(axis=0)[0] == pytest.approx(observed + 2 * mean_square / 1200, rel=0.15)


def plain(values):
    """Runs (runs, clusters) of one cell, a query a cluster."""
    clusters = values.shape[1]
    return PairedValues(
        np.arange(clusters),
        clusters,
        np.zeros(clusters, dtype=int),
        (Cell("multi", "en", None),),
        {"map": values},
    )


@pytest.mark.parametrize("clusters", [8, 30, 200])
def test_intervals_as_scipy(clusters):
    """The percentile interval of scipy, at the level that the expansion for few clusters asks for."""
    values = generator(clusters).gamma(2, 1, (2, clusters))
    sums = add_up(plain(values), pairs=False)
    found = resample(
        sums,
        [np.array([0]), np.array([1])],
        resamples=20_000,
        generator=generator(),
        run_generator=generator(),
    )
    low, high = percentile_interval(found.questions[1] - found.questions[0], np.array([clusters] * 2), 0.9)
    tail = stats.norm.cdf(np.sqrt(clusters / (clusters - 1)) * stats.t.ppf(0.05, clusters - 1))
    assert tail < 0.05
    expected = stats.bootstrap(
        (values[1] - values[0],),
        np.mean,
        n_resamples=20_000,
        confidence_level=1 - 2 * tail,
        method="percentile",
        rng=generator(1),
    )
    width = expected.confidence_interval.high - expected.confidence_interval.low
    assert low[0] == pytest.approx(expected.confidence_interval.low, abs=0.03 * width)
    assert high[0] == pytest.approx(expected.confidence_interval.high, abs=0.03 * width)
    spread = (found.questions[1] - found.questions[0]).std(axis=0)[0]
    assert spread == pytest.approx(expected.standard_error, rel=0.03)


def test_percentiles_by_hand():
    """101 replicates 0 ... 100, many clusters: the ends are the 2.5 and 97.5 of linear interpolation."""
    replicates = np.arange(101.0)[generator().permutation(101), None]
    low, high = percentile_interval(replicates, np.array([10**9]), 0.95)
    assert (low[0], high[0]) == (pytest.approx(2.5), pytest.approx(97.5))


def test_intervals_leave_out_missing_replicates_and_need_two_clusters():
    replicates = np.column_stack([np.arange(101.0)] * 4)
    replicates = np.concatenate([replicates, np.full((50, 4), np.nan)])
    replicates[:, 3] = np.nan
    low, high = percentile_interval(replicates, np.array([10**9, 1, 0, 50]), 0.95)
    assert (low[0], high[0]) == (pytest.approx(2.5), pytest.approx(97.5))
    assert np.isnan([*low[1:], *high[1:]]).all()
    wide = percentile_interval(replicates, np.array([3, 1, 0, 50]), 0.95)
    assert wide[0][0] < 0.1
    assert wide[1][0] > 99.9


def test_over_seeds_without_question_noise_it_is_welch_s_t_test():
    """When all questions agree, only seeds vary: Welch's test and interval, from runs' figures alone."""
    draw = generator(5)
    seeds = draw.normal([[0.5] * 4, [0.7] * 4], 0.1)
    values = np.repeat(seeds.ravel()[:, None], 30, axis=1)
    sums = add_up(plain(values), pairs=False)
    groups = [np.arange(4), np.arange(4, 8)]
    found = resample(sums, groups, resamples=40_000, generator=generator(), run_generator=generator(1))
    one, other = seeds
    figures = [np.column_stack([of_seeds, of_seeds]) for of_seeds in seeds]
    result = seed_intervals(
        np.array([other.mean() - one.mean()] * 2),
        found.questions[1] - found.questions[0],
        found.both[1] - found.both[0],
        found.interaction.sum(axis=0),
        figures,
        np.array([10**7] * 2),
        0.95,
    )
    welch = stats.ttest_ind(other, one, equal_var=False)
    interval = welch.confidence_interval(0.95)
    assert result.degrees[0] == pytest.approx(welch.df, rel=0.05)
    assert result.low[0] == pytest.approx(interval.low, rel=0.05)
    assert result.high[0] == pytest.approx(interval.high, rel=0.05)
    assert result.p[0] == pytest.approx(welch.pvalue, rel=0.1)


def test_over_equal_seeds_it_is_the_paired_t_test_on_questions():
    """When all seeds agree, only questions vary."""
    draw = generator(6)
    of_group = draw.random((2, 40))
    values = np.repeat(of_group, 3, axis=0)
    sums = add_up(plain(values), pairs=False)
    groups = [np.arange(3), np.arange(3, 6)]
    found = resample(sums, groups, resamples=40_000, generator=generator(), run_generator=generator(1))
    figures = [values[of_runs].mean(axis=1)[:, None].repeat(2, axis=1) for of_runs in groups]
    result = seed_intervals(
        np.array([of_group[1].mean() - of_group[0].mean()] * 2),
        found.questions[1] - found.questions[0],
        found.both[1] - found.both[0],
        found.interaction.sum(axis=0),
        figures,
        np.array([40] * 2),
        0.95,
    )
    paired = stats.ttest_rel(of_group[1], of_group[0])
    interval = paired.confidence_interval(0.95)
    assert result.degrees[0] == pytest.approx(39, rel=0.01)
    assert (result.low[0], result.high[0]) == pytest.approx((interval.low, interval.high), abs=0.005)
    assert result.p[0] == pytest.approx(paired.pvalue, rel=0.1)


def test_runs_that_all_agree():
    zero = np.zeros((50, 1))
    figures = [np.ones((3, 1)), np.ones((3, 1))]
    same = seed_intervals(np.zeros(1), zero, zero, np.zeros(1), figures, np.array([10]), 0.95)
    assert (same.p[0], same.low[0]) == (1.0, pytest.approx(0, abs=1e-100))
    other = seed_intervals(np.ones(1), zero + 1, zero + 1, np.zeros(1), figures, np.array([10]), 0.95)
    assert other.p[0] < 1e-100
    assert (other.low[0], other.high[0]) == (1.0, 1.0)
    few = seed_intervals(np.ones(1), zero + 1, zero + 1, np.zeros(1), figures, np.array([1]), 0.95)
    assert few.p[0] == 1.0
    assert np.isnan(few.low[0])
