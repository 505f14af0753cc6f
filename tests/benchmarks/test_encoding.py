"""The encoding benchmarks go through their motions on a tiny model, and check what they compare."""

from __future__ import annotations

import pytest

from benchmarks import encoding, evaluation
from isogloss.encoding.encoder import SentenceTransformerEncoder

pytestmark = pytest.mark.openvino


def test_encoding(tiny_bert):
    report = encoding.run(quick=True, model=str(tiny_bert), data="sample:dev")
    ratios = {row[0]: row[2] for row in report.rows}
    assert {encoding.PLAIN, "isogloss, float32", "isogloss, bfloat16"} <= ratios.keys()
    assert ratios[encoding.PLAIN].median == 1
    assert report.measured["lowest_cosine"]["isogloss, float32"] == pytest.approx(1, abs=1e-5)
    assert report.measured["texts"] == 64


def test_evaluation(tiny_bert):
    report = evaluation.run(quick=True, model=str(tiny_bert), data="sample:dev")
    maps, encoded = report.measured["map"], report.measured["encoded"]
    assert maps[evaluation.PEER] == pytest.approx(maps["isogloss, float32"], abs=1e-3)
    # Two languages of 18 queries and 36 candidates: four pairs and two pools against each text once.
    assert encoded[evaluation.PEER] == 4 * (18 + 36) + 2 * (18 + 72)
    assert encoded["isogloss, float32"] <= 2 * (18 + 36)
    assert [row[1] for row in report.rows] == list(encoded.values())


def test_vectors_that_differ_are_not_timed(tiny_bert, monkeypatch):
    encode = SentenceTransformerEncoder.encode
    monkeypatch.setattr(
        SentenceTransformerEncoder, "encode", lambda self, texts, side: encode(self, texts, side)[::-1]
    )
    with pytest.raises(AssertionError):
        encoding.run(quick=True, model=str(tiny_bert), data="sample:dev")
