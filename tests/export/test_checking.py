"""What an export is compared on, and how."""

import numpy as np
import pytest

from isogloss.encoding.encoder import SentenceTransformerEncoder
from isogloss.export.checking import Probe, sample_probe


def test_the_sample_has_both_sides_of_every_language_and_extremes():
    probe = sample_probe()
    assert probe.languages == ["ar", "de", "en", "es", "fr", "hi", "ru", "zh"]
    for language in probe.languages:
        for side in ("query", "passage"):
            assert len([1 for text in probe.texts if text[:2] == (side, language)]) > 5
        assert ("query", language, "") in probe.texts
        assert max(len(text[2]) for text in probe.texts if text[1] == language) > 1200
    assert 100 < len(probe.texts) < 200
    assert len(set(probe.texts)) == len(probe.texts)


def test_vectors_come_in_the_order_of_the_texts(tiny_bert):
    probe = Probe((("passage", "de", "gold"), ("query", "en", "gold"), ("passage", "zh", "水")))
    encoder = SentenceTransformerEncoder.load(tiny_bert, query_prompt="q: ", device="cpu")
    done = []
    vectors = probe.encode(encoder, lambda *counts: done.append(counts))
    np.testing.assert_allclose(vectors[1:2], encoder.encode(["gold"], "query"), atol=1e-6)
    np.testing.assert_allclose(vectors[[0, 2]], encoder.encode(["gold", "水"], "passage"), atol=1e-6)
    assert done[-1] == (3, 3)


def test_the_worst_text_is_named():
    probe = Probe((("passage", "de", "gold"), ("query", "en", "x" * 80), ("query", "en", "y")))
    vectors = np.eye(3, dtype=np.float32)
    other = vectors.copy()
    other[1] = [0.6, 0.8, 0]
    likeness = probe.likeness(vectors, other)
    assert likeness.lowest == pytest.approx(0.8)
    assert likeness.mean == pytest.approx(2.8 / 3)
    assert likeness.worst == f"en query '{'x' * 60}…'"
    other[2] = np.nan
    assert np.isnan(probe.likeness(vectors, other).lowest)
    assert probe.likeness(vectors, other).worst == "en query 'y'"
