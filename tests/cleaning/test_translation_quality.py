import numpy as np
import pytest

from isogloss.cleaning.translation_quality import VectorFile
from tests.cleaning.test_item_rules import removed, state


class NumberEncoder:
    """The vector of "NUMBER NOISE" is drawn from the number, with noise of a size: translations have one number."""

    name = "numbers"

    def encode(self, texts, side, progress=None, *, languages=None):
        rows = []
        for text in texts:
            number, noise, size = text.split()
            vector = np.random.default_rng(int(number)).normal(size=32)
            vector += float(size) * np.random.default_rng(int(noise)).normal(size=32)
            rows.append(vector / np.linalg.norm(vector))
        return np.array(rows, np.float32)


def cleaned(tmp_path, wrong=(), similarity=None, count=200, rate=0.01):
    """Items in English and German; the German queries of the items in `wrong` are of other items."""
    rows, queries, passages = [], [], []
    for item in range(count):
        for language in (0, 1):
            rows.append([item, language, 9, 9, 2 * item + language, 2 * item + language])
            asked = item + 5000 if language and item in wrong else item
            queries.append(f"{asked} {2 * item + language} 0.3")
            passages.append(f"{item} {2 * item + language + 10_000} 0.3")
    one = state(rows)
    with VectorFile(NumberEncoder(), tmp_path) as file:
        for start in range(0, len(rows), 64):
            part = slice(start, start + 64)
            file.add(queries[part], passages[part], ["en"] * len(queries[part]))
        thresholds = file.remove_bad_translations(one, similarity, rate)
    return one, thresholds


def test_the_threshold_found_on_the_data_parts_true_pairs_from_shuffled_ones(tmp_path):
    one, thresholds = cleaned(tmp_path, wrong={3, 50, 120})
    assert set(removed(one)) == {7, 101, 241}
    assert removed(one)[7][0] == "translation"
    assert removed(one)[7][2] == 6
    assert [(made.language, made.side, made.pairs) for made in thresholds] == [
        ("de", "query", 200),
        ("de", "passage", 200),
    ]
    for made in thresholds:
        # A hundredth of random directions in 32 dimensions are more similar than 2.33 standard deviations.
        assert made.similarity == pytest.approx(2.33 / np.sqrt(32), abs=0.15)
        assert made.median > 0.8
        assert abs(made.shuffled_median) < 0.1


def test_a_given_threshold(tmp_path):
    one, thresholds = cleaned(tmp_path, wrong={3}, similarity=0.999)
    assert len(removed(one)) > 150
    assert thresholds[0].shuffled_median is None
    one, _ = cleaned(tmp_path, wrong={3}, similarity=-1)
    assert removed(one) == {}


def test_few_pairs_say_nothing(tmp_path):
    one, thresholds = cleaned(tmp_path, wrong={3}, count=10)
    assert removed(one) == {}
    assert thresholds == []


def test_nothing(tmp_path):
    one = state([])
    with VectorFile(NumberEncoder(), tmp_path) as file:
        assert file.remove_bad_translations(one, None, 0.01) == []
