import numpy as np
import pytest
from scipy import stats

from isogloss.evaluation.significance import (
    Settings,
    add_up,
    average,
    compare_runs,
    randomisation,
    sign_flip_test,
)
from tests.evaluation.significance.slow import random_paired, slow_sign_flip


def generator(seed=0):
    return np.random.default_rng(seed)


def scipy_p(differences, **arguments):
    return stats.permutation_test(
        (differences, np.zeros_like(differences)),
        lambda one, other, axis: np.sum(one - other, axis=axis),
        permutation_type="samples",
        vectorized=True,
        **arguments,
    ).pvalue


@pytest.mark.parametrize("seed", range(6))
def test_exact_as_scipy(seed):
    differences = generator(seed).normal(0.3, 1, (9, 4))
    found = sign_flip_test(differences, permutations=1000, generator=generator())
    assert found.exact.all()
    assert found.p == pytest.approx([scipy_p(column) for column in differences.T])


def test_drawn_as_scipy():
    differences = generator(3).normal(0.25, 1, (40, 3))
    found = sign_flip_test(differences, permutations=200_000, generator=generator())
    assert not found.exact.any()
    expected = [scipy_p(column, n_resamples=100_000, rng=generator(1)) for column in differences.T]
    assert found.p == pytest.approx(expected, abs=0.01)


def test_drawn_comes_near_exact():
    differences = generator(4).integers(-2, 4, (15, 5)).astype(float)
    exact = sign_flip_test(differences, permutations=2**15, generator=generator())
    drawn = sign_flip_test(differences, permutations=2**15 - 1, generator=generator())
    full = np.count_nonzero(differences, axis=0) == 15
    assert exact.exact.all()
    assert drawn.exact.tolist() == (~full).tolist()
    assert drawn.p == pytest.approx(exact.p, abs=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_the_clusters_differences_are_those_of_swapped_runs(seed):
    """The quick test multiplies differences of sums; the slow one swaps rows and measures everything anew."""
    paired = random_paired(seed, clusters=5, languages=("de", "en"), shift=0.2)
    comparison = compare_runs(paired, [("a", [0]), ("b", [1])], Settings(1000, 100, pairs=True))
    for row in comparison.rows:
        assert row.exact
        assert row.p_questions == pytest.approx(slow_sign_flip(paired, 0, 1, tuple(row.figure)))


def test_by_hand():
    """Differences 1, 2, 3: of 8 sign vectors two reach 6, and none goes beyond."""
    found = sign_flip_test(np.array([[1.0], [2.0], [3.0], [0.0]]), permutations=100, generator=generator())
    assert found.p.tolist() == [0.25]


def test_no_difference_and_one_cluster():
    found = sign_flip_test(np.array([[0.0, 5.0], [0.0, 0.0]]), permutations=100, generator=generator())
    assert found.p.tolist() == [1.0, 1.0]
    assert found.exact.all()


def test_sums_that_differ_in_their_last_digit_are_equal():
    """0.1 + 0.2 - 0.3 is not 0 in floating point; every sign vector that reaches 0.6 must count."""
    differences = np.array([[0.1], [0.2], [0.3]] * 3)
    exact = sign_flip_test(differences, permutations=512, generator=generator())
    whole = sign_flip_test(np.round(differences * 10), permutations=512, generator=generator())
    assert exact.p.tolist() == whole.p.tolist()


def test_never_zero_and_the_same_for_a_seed(monkeypatch):
    differences = generator(5).random((60, 2)) + 1
    found = sign_flip_test(differences, permutations=999, generator=generator(7))
    assert found.p.tolist() == [0.001, 0.001]
    noise = generator(6).normal(0, 1, (60, 7))
    again = [sign_flip_test(noise, permutations=999, generator=generator(7)).p.tolist() for _ in range(2)]
    assert again[0] == again[1]
    assert again[0] != sign_flip_test(noise, permutations=999, generator=generator(8)).p.tolist()
    seen = []
    monkeypatch.setattr(randomisation, "BLOCK_BYTES", 8 * 60 * 100)
    sign_flip_test(
        noise,
        permutations=250,
        generator=generator(),
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(100, 250), (200, 250), (250, 250)]


def test_the_mean_of_seeds_is_what_is_flipped():
    paired = random_paired(1, runs=4, clusters=6)
    sums = add_up(paired, pairs=False)
    comparison = compare_runs(paired, [("a", [0, 1]), ("b", [2, 3])], Settings(1000, 100))
    sizes = np.broadcast_to(sums.counts.sum(axis=0), sums.counts.shape)
    share = average(sums.sums[2:].mean(axis=0) - sums.sums[:2].mean(axis=0), sizes, sums.members)
    found = sign_flip_test(share, permutations=1000, generator=generator())
    assert [row.p_questions for row in comparison.rows] == found.p.tolist()
