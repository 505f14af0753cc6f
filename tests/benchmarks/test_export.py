"""The benchmark of exports goes through its motions on a tiny model."""

from __future__ import annotations

import importlib.util

import pytest

from benchmarks import export

pytestmark = [
    pytest.mark.openvino,
    pytest.mark.skipif(importlib.util.find_spec("onnx") is None, reason="needs the extra export"),
]


def test_export(tiny_bert):
    report = export.run(quick=True, model=str(tiny_bert), data="sample:dev")
    assert [row[0] for row in report.rows] == [export.ORIGINAL, export.ONNX, "ONNX, int8"]
    assert report.rows[0][2].median == 1
    assert report.measured["lowest_cosine"][export.ONNX] == pytest.approx(1, abs=1e-5)
    assert report.measured["texts"] == 32
    assert report.measured["bytes"]["ONNX, int8"] < report.measured["bytes"][export.ONNX]
