"""The load test runs, with a tiny model, and finds no error."""

import math

import pytest

pytest.importorskip("fastapi", reason="needs isogloss[serve]")

from benchmarks.serving import Load, percentile, run


def test_percentiles():
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2
    assert math.isnan(percentile([], 0.5))
    assert Load().errors == 0


@pytest.mark.slow
def test_both_servers_are_asked_and_answer(tiny_bert):
    report = run(quick=True, model=str(tiny_bert))
    rows = {row[0]: dict(zip(report.columns, row, strict=True)) for row in report.rows}
    assert set(rows) == {"in batches", "one by one"}
    for row in rows.values():
        assert row["errors"] == 0
        assert row["questions/s"] > 0
        assert 0 < row["p50 ms"] <= row["p95 ms"] <= row["p99 ms"]
        assert row["last"] < 1.3 * row["memory MB, first"]
    assert rows["one by one"]["texts a batch"] == 1
    assert rows["in batches"]["texts a batch"] > 1
