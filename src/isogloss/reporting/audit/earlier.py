"""This audit held against an earlier one of the same data."""

from __future__ import annotations

from pathlib import Path

from isogloss.evaluation.significance import SavedRuns, Settings, compare_runs
from isogloss.reporting.tables import MEASURE_NAMES, SETTING_NAMES, Table, figure

COMPARED = ("map", "recall@10", "rank_distance", "own_preference")


def earlier_table(saved: SavedRuns, earlier: Path) -> Table:
    """Macro-averages now and then, their differences with intervals and verdicts.

    Args:
        saved: the earlier run, then this one.
        earlier: where the earlier one lies.
    """
    comparison = compare_runs(saved.paired, [("earlier", [0]), ("this", [1])], Settings(10_000, 2_000))
    rows = []
    for row in comparison.rows:
        if row.figure.level != "overall" or row.figure.measure not in COMPARED:
            continue
        decimals = 0 if row.figure.measure == "rank_distance" else 3
        interval = ""
        if row.low is not None and row.high is not None:
            interval = (
                f"[{figure(row.low, decimals, signed=True)}, {figure(row.high, decimals, signed=True)}]"
            )
        rows.append(
            (
                f"{SETTING_NAMES[row.figure.setting]} {MEASURE_NAMES[row.figure.measure]}",
                figure(row.baseline_values[0], decimals),
                figure(row.values[0], decimals),
                figure(row.difference, decimals, signed=True),
                interval,
                row.verdict,
            )
        )
    return Table(
        f"this audit against {saved.models[0]} ({earlier.name}), 95 % intervals",
        ("", "earlier", "this", "difference", "interval", "verdict"),
        tuple(rows),
    )
