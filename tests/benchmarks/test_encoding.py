"""The encoding benchmarks go through their motions on a tiny model, and check what they compare."""

from __future__ import annotations

import json

import pytest

from benchmarks import encoding, evaluation
from isogloss.encoding.encoder import SentenceTransformerEncoder


def test_encoding(tiny_bert):
    report = encoding.run(quick=True, model=str(tiny_bert), data="sample:dev")
    assert {encoding.PLAIN, "isogloss, float32", "isogloss, bfloat16"} <= report.seconds.keys()
    assert report.lowest_cosine["isogloss, float32"] == pytest.approx(1, abs=1e-5)
    assert report.texts == 64
    assert "| isogloss, float32 |" in report.as_markdown()
    assert json.loads(report.as_json())["ratios"][encoding.PLAIN] == [1]


def test_evaluation(tiny_bert):
    report = evaluation.run(quick=True, model=str(tiny_bert), data="sample:dev")
    assert report.maps[evaluation.PEER] == pytest.approx(report.maps["isogloss, float32"], abs=1e-3)
    # Two languages of 18 queries and 36 candidates: four pairs and two pools against each text once.
    assert report.encoded[evaluation.PEER] == 4 * (18 + 36) + 2 * (18 + 72)
    assert report.encoded["isogloss, float32"] <= 2 * (18 + 36)
    assert evaluation.PEER in report.as_markdown()


def test_vectors_that_differ_are_not_timed(tiny_bert, monkeypatch):
    encode = SentenceTransformerEncoder.encode
    monkeypatch.setattr(
        SentenceTransformerEncoder, "encode", lambda self, texts, side: encode(self, texts, side)[::-1]
    )
    with pytest.raises(AssertionError):
        encoding.run(quick=True, model=str(tiny_bert), data="sample:dev")
