import numpy as np
import pytest

from isogloss.evaluation.significance import Figure, Settings, compare_runs, read_saved_runs
from isogloss.evaluation.significance.intervals import figure_intervals
from tests.evaluation.significance.test_saved_runs import save


def test_intervals_of_every_figure_and_the_same_every_time(tmp_path):
    saved = read_saved_runs([save(tmp_path / "a", 4)], ["map"])
    found = figure_intervals(saved.paired, resamples=300)
    assert found == figure_intervals(saved.paired, resamples=300)
    assert {Figure("mono", "map"), Figure("cross", "map"), Figure("multi", "map")} <= found.keys()
    for low, high in found.values():
        assert 0 <= low <= high <= 1


def test_a_run_of_zeros_against_it_gives_the_interval_of_the_difference(tmp_path):
    """The interval of a run is that of its difference from a run whose values are all zero."""
    saved = read_saved_runs([save(tmp_path / "a", 4), save(tmp_path / "b", 6)], ["map"])
    paired = saved.paired
    values = {"map": np.stack([paired.values["map"][0], np.zeros_like(paired.values["map"][0])])}
    zeros = type(paired)(paired.cluster, paired.clusters, paired.cell, paired.cells, values)
    rows = compare_runs(zeros, [("zero", [1]), ("run", [0])], Settings(100, 4000)).rows
    found = figure_intervals(paired, resamples=4000)
    for row in rows:
        if row.low is not None:
            assert found[row.figure] == pytest.approx((row.low, row.high), abs=0.05)
