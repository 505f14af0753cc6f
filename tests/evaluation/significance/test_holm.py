import numpy as np
import pytest

from isogloss.evaluation.significance import NO_CLEAR_DIFFERENCE, holm, verdict


def slow_holm(p):
    """One is rejected at a level where it and all smaller ones pass their steps; the least such level is its p."""
    smallest_first = sorted(range(len(p)), key=lambda one: p[one])
    adjusted = [0.0] * len(p)
    worst = 0.0
    for step, one in enumerate(smallest_first):
        worst = max(worst, min(1.0, p[one] * (len(p) - step)))
        adjusted[one] = worst
    return adjusted


def test_by_hand():
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])


@pytest.mark.parametrize("seed", range(5))
def test_as_the_slow_one(seed):
    p = np.round(np.random.default_rng(seed).random(12) ** 3, 2)
    assert holm(p).tolist() == pytest.approx(slow_holm(p.tolist()))


def test_none_one_and_ties():
    assert holm(np.zeros(0)).tolist() == []
    assert holm(np.array([0.2])).tolist() == [0.2]
    assert holm(np.array([0.01, 0.01])).tolist() == [0.02, 0.02]


@pytest.mark.parametrize(
    ("measure", "low", "high", "p", "word"),
    [
        ("map", 0.01, 0.02, 0.049, "better"),
        ("map", -0.02, -0.01, 0.049, "worse"),
        ("rank_distance", 3, 9, 0.001, "worse"),
        ("rank_distance", -9, -3, 0.001, "better"),
        ("map", 0.01, 0.02, 0.05, NO_CLEAR_DIFFERENCE),
        ("map", 0.0, 0.02, 0.001, NO_CLEAR_DIFFERENCE),
        ("map", -0.01, 0.02, 0.001, NO_CLEAR_DIFFERENCE),
        ("map", None, None, 0.001, NO_CLEAR_DIFFERENCE),
        ("mrr", 0.01, 0.02, 0.001, "better"),
        ("max@r", 3, 9, 0.001, "worse"),
        ("score_gap", 0.01, 0.02, 0.001, "higher"),
        ("something", 0.01, 0.02, 0.001, "higher"),
        ("something", -0.02, -0.01, 0.001, "lower"),
    ],
)
def test_both_interval_and_p_must_speak_for_it(measure, low, high, p, word):
    assert verdict(measure, low, high, p, 0.05) == word
