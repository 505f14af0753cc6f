from dataclasses import replace

import numpy as np
import pytest

from isogloss.errors import EvaluationError
from isogloss.evaluation.significance import NO_CLEAR_DIFFERENCE, Settings, compare_runs, holm
from tests.evaluation.significance.slow import random_paired, slow_figures

FEW = Settings(permutations=2000, resamples=300, pairs=True)


@pytest.fixture
def paired():
    return random_paired(1, runs=5, clusters=40)


def test_every_figure_of_every_group(paired):
    found = compare_runs(paired, [("a", [0]), ("b", [1]), ("c", [2, 3, 4])], FEW)
    assert found.groups == ("a", "b", "c")
    assert found.clusters == 40
    slow = [slow_figures(paired, run) for run in range(5)]
    assert {(row.group, *row.figure) for row in found.rows} == {
        (name, *key) for name in "bc" for key in slow[0]
    }
    for row in found.rows:
        key = tuple(row.figure)
        runs = [1] if row.group == "b" else [2, 3, 4]
        assert row.baseline_values == pytest.approx((slow[0][key],))
        assert row.values == pytest.approx(tuple(slow[run][key] for run in runs))
        assert row.difference == pytest.approx(np.mean(row.values) - slow[0][key])
        assert row.low < row.difference < row.high
        assert (row.p_seeds is None) == (row.group == "b")
        assert row.p == max(row.p_questions, row.p_seeds or 0)


def test_holm_goes_over_all_rows_of_a_level(paired):
    found = compare_runs(paired, [("a", [0]), ("b", [1]), ("c", [2, 3])], FEW)
    assert [row.figure.level for row in found.rows] == sorted(
        (row.figure.level for row in found.rows), key=("overall", "language", "pair").index
    )
    for level, size in found.families.items():
        rows = [row for row in found.rows if row.figure.level == level]
        assert len(rows) == size
        assert [row.p_holm for row in rows] == holm(np.array([row.p for row in rows])).tolist()
    assert compare_runs(paired, [("a", [0]), ("b", [1])], replace(FEW, pairs=False)).families == {
        "overall": 4, "language": 12,
    }  # fmt: skip


def test_the_same_seed_gives_the_same_comparison(paired):
    groups = [("a", [0, 1]), ("b", [2, 3, 4])]
    assert compare_runs(paired, groups, FEW) == compare_runs(paired, groups, FEW)
    assert compare_runs(paired, groups, FEW).rows != compare_runs(paired, groups, replace(FEW, seed=1)).rows


def test_the_other_way_round_it_is_the_opposite(paired):
    """Resamples and signs are the same; differences, intervals and verdicts turn round."""
    opposite = {"better": "worse", "worse": "better", NO_CLEAR_DIFFERENCE: NO_CLEAR_DIFFERENCE}
    for groups in ([("a", [0]), ("b", [1])], [("a", [0, 1]), ("b", [2, 3])]):
        one = compare_runs(paired, groups, FEW).rows
        other = compare_runs(paired, groups[::-1], FEW).rows
        for row, turned in zip(one, other, strict=True):
            assert turned.difference == pytest.approx(-row.difference)
            assert turned.p_questions == row.p_questions
            assert turned.verdict == opposite[row.verdict]
            if row.p_seeds is None:
                assert (turned.low, turned.high) == (pytest.approx(-row.high), pytest.approx(-row.low))


def test_equal_runs_differ_nowhere():
    paired = random_paired(3)
    same = replace(paired, values={key: values[[0, 0]] for key, values in paired.values.items()})
    for row in compare_runs(same, [("a", [0]), ("b", [1])], FEW).rows:
        assert (row.difference, row.p, row.p_holm, row.verdict) == (0.0, 1.0, 1.0, NO_CLEAR_DIFFERENCE)
        assert (row.low, row.high) in ((0.0, 0.0), (None, None))


def test_a_large_difference_is_called_one_in_its_direction():
    paired = random_paired(4, clusters=60, shift=0.5)
    values = {**paired.values, "rank_distance": paired.values["rank_distance"].copy()}
    values["rank_distance"][1] += 60
    found = compare_runs(replace(paired, values=values), [("a", [0]), ("b", [1])], FEW)
    words = {row.figure.measure: set() for row in found.rows}
    for row in found.rows:
        if row.figure.level == "overall":
            words[row.figure.measure].add(row.verdict)
    assert words == {"map": {"better"}, "rank_distance": {"worse"}}


def test_one_cluster_has_no_interval_and_no_verdict():
    paired = random_paired(5, clusters=1, shift=0.5)
    for row in compare_runs(paired, [("a", [0]), ("b", [1])], FEW).rows:
        assert (row.low, row.high, row.p, row.verdict) == (None, None, 1.0, NO_CLEAR_DIFFERENCE)


def test_spread_over_seeds_widens_the_interval():
    paired = random_paired(6, runs=6, clusters=80, missing=0)
    noisy = {key: values.copy() for key, values in paired.values.items()}
    for run, noise in enumerate([0.0, 0.0, 0.0, -0.2, 0.3, 0.1]):
        noisy["map"][run] += noise
    groups = [("a", [0, 1, 2]), ("b", [3, 4, 5])]

    def width(values):
        rows = compare_runs(replace(paired, values=values), groups, FEW).rows
        return next(row.high - row.low for row in rows if row.figure[:3] == ("multi", "map", None))

    assert width(noisy) > 3 * width(paired.values)


def test_progress_is_told(paired):
    seen = {}
    compare_runs(
        paired,
        [("a", [0]), ("b", [1])],
        FEW,
        lambda stage, done, total: seen.__setitem__(stage, (done, total)),
    )
    assert seen == {"sign flips": (2000, 2000), "resamples": (300, 300)}


@pytest.mark.parametrize(
    ("groups", "settings", "message"),
    [
        ([("a", [0])], FEW, "give two or more"),
        ([("a", [0]), ("b", [])], FEW, "b: a group without a run"),
        ([("a", [0]), ("b", [1])], replace(FEW, permutations=0), "0 permutations"),
        ([("a", [0]), ("b", [1])], replace(FEW, resamples=1), "1 resamples"),
        ([("a", [0]), ("b", [1])], replace(FEW, confidence=1.0), "confidence 1.0"),
    ],
)
def test_what_cannot_be_compared(paired, groups, settings, message):
    with pytest.raises(EvaluationError, match=message):
        compare_runs(paired, groups, settings)


def test_runs_without_values():
    paired = random_paired(1)
    with pytest.raises(EvaluationError, match="no values"):
        compare_runs(replace(paired, values={}), [("a", [0]), ("b", [1])], FEW)
