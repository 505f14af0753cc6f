import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.cleaning import minhash as module
from isogloss.cleaning.characters import TextArray, comparable_characters, starts_of
from isogloss.cleaning.hashing import mixed, shingles
from isogloss.cleaning.minhash import Banding, KeyTable, band_keys, jaccard, signatures


def sets_of(sets):
    """Sets of numbers as shingles."""
    values = np.array([value for one in sets for value in one], np.uint64)
    return TextArray(mixed(values), starts_of(np.array([len(one) for one in sets])))


def slow_signatures(array, size):
    factors, offsets = module._functions(size)
    result = np.full((len(array), size), 2**32 - 1, np.uint32)
    for number in range(len(array)):
        for place in range(size):
            values = [
                (int(value) * int(factors[place]) + int(offsets[place])) % 2**32
                for value in array[number].astype(np.uint32)
            ]
            if values:
                result[number, place] = min(values)
    return result


@given(st.lists(st.lists(st.integers(0, 50), max_size=8), max_size=6))
def test_signatures_are_those_of_the_slow_twin(sets):
    assert np.array_equal(signatures(sets_of(sets), 5), slow_signatures(sets_of(sets), 5))


def test_signatures_in_parts(monkeypatch):
    sets = [list(range(number, number + 9)) for number in range(40)] + [[]]
    whole = signatures(sets_of(sets), 8)
    monkeypatch.setattr(module, "_AT_ONCE", 20)
    assert np.array_equal(signatures(sets_of(sets), 8), whole)


@pytest.mark.parametrize("similarity", [0.2, 0.5, 0.8])
def test_the_agreement_of_signatures_estimates_the_similarity(similarity):
    generator = np.random.default_rng(3)
    common = round(200 * similarity)
    estimates = []
    for _ in range(30):
        values = generator.integers(0, 2**60, 200)
        half = (200 - common) // 2
        one, other = values[: common + half], np.concatenate([values[:common], values[common + half :]])
        pair = signatures(sets_of([one, other]), 64)
        estimates.append((pair[0] == pair[1]).mean())
    # Thirty estimates with a standard error of at most 0.0625 each.
    assert np.mean(estimates) == pytest.approx(similarity, abs=0.04)
    assert np.std(estimates) < 0.09


def test_texts_meet_as_often_as_the_formula_says():
    banding = Banding(bands=8, rows=2)
    generator = np.random.default_rng(4)
    met = []
    for _ in range(200):
        values = generator.integers(0, 2**60, 60)
        pair = sets_of([values[:45], np.concatenate([values[:30], values[45:]])])
        keys = band_keys(signatures(pair, banding.size), banding)
        met.append((keys[0] == keys[1]).any())
    assert np.mean(met) == pytest.approx(banding.meeting(0.5), abs=0.08)


def test_bands_do_not_meet_one_another():
    banding = Banding(bands=6, rows=2)
    keys = band_keys(np.zeros((1, 12), np.uint32), banding)
    assert len(np.unique(keys)) == 6


def test_jaccard():
    texts = shingles(comparable_characters(["abcdef", "abcdeg", "zzzz"]))
    one, other, third = (np.unique(texts[number]) for number in range(3))
    # abcd bcde cdef, abcd bcde cdeg: two of four.
    assert jaccard(one, other) == pytest.approx(2 / 4)
    assert jaccard(one, one) == 1
    assert jaccard(one, third) == 0
    assert jaccard(one[:0], one[:0]) == 0


@given(st.lists(st.integers(0, 30)), st.lists(st.integers(0, 30)))
def test_the_key_table_finds_what_a_loop_finds(keys, wanted):
    table = KeyTable.of(np.array(keys, np.uint64), np.arange(len(keys), dtype=np.int64))
    positions, places = table.find(np.array(wanted, np.uint64))
    expected = sorted(
        (at, place) for at, key in enumerate(wanted) for place, one in enumerate(keys) if one == key
    )
    assert sorted(zip(positions.tolist(), places.tolist(), strict=True)) == expected
