"""Patterns and their places against plain lists."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.items import Availability, availability


def drawn(items, languages, density, seed):
    return np.random.default_rng(seed).random((items, languages)) < density


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 700),
    st.sampled_from([1, 3, 9, 64, 70, 130]),
    st.sampled_from([0.5, 0.95, 1.0]),
    st.integers(0, 2**32),
    st.sampled_from([1, 4096]),
)
def test_patterns_codes_and_starts_are_those_of_the_items(items, languages, density, seed, most):
    available = drawn(items, languages, density, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(availability, "SMALLEST_BLOCK", 64)
        patch.setattr(availability, "MOST_PATTERNS", most)
        patch.setattr(availability, "_ITEMS_AT_ONCE", 4096)
        made = Availability.of(available)
        assert made.misfit(languages) is None
        of_rows = Availability.of_rows(np.where(available, 7, -1))
    assert made.difference(of_rows) is None
    assert len(made) == items
    assert made.rows().tolist() == available.tolist()
    patterns = sorted({tuple(row) for row in available.tolist()})
    assert made.patterns.tolist() == [list(pattern) for pattern in patterns]
    codes = [patterns.index(tuple(row)) for row in available.tolist()]
    assert made.codes.reshape(-1)[:items].tolist() == codes
    assert not made.codes.reshape(-1)[items:].any()
    assert made.sizes().tolist() == [codes.count(pattern) for pattern in range(len(patterns))]
    assert (made.starts is None) == (len(patterns) > most)
    if made.starts is not None:
        block = made.codes.shape[1]
        order = sorted(range(items), key=lambda item: (codes[item], item))
        for pattern in range(len(patterns)):
            for number in range(len(made.codes)):
                before = [i for i in order if (codes[i], i) < (pattern, number * block)]
                assert made.starts[pattern, number] == len(before)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 500), st.integers(1, 6), st.integers(0, 2**32), st.data())
def test_fewer_languages_merge_patterns(items, languages, seed, data):
    columns = data.draw(st.permutations(range(languages)))[: data.draw(st.integers(0, languages))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(availability, "SMALLEST_BLOCK", 64)
        made = Availability.of(drawn(items, languages, 0.6, seed))
        merged, numbers = made.merged(list(columns))
    fresh = Availability.of(made.rows()[:, list(columns)])
    assert merged.patterns.tolist() == fresh.patterns.tolist()
    codes = made.codes.reshape(-1)[:items]
    codes = codes if numbers is None else numbers[codes]
    assert codes.tolist() == fresh.codes.reshape(-1)[:items].tolist()
    assert merged.codes is made.codes
    assert merged.sizes().tolist() == fresh.sizes().tolist()
    assert merged.starts.dtype == made.starts.dtype
    block = made.codes.shape[1]
    for pattern, row in enumerate(merged.starts.tolist()):
        below = int((codes < pattern).sum())
        assert row == [below + int((codes[: n * block] == pattern).sum()) for n in range(len(made.codes))]


def test_the_counts_take_a_byte_an_item_at_most():
    for patterns in (1, 2, 127, 128, 129, 1000, availability.MOST_PATTERNS):
        block = availability.block_size(patterns)
        assert block & (block - 1) == 0
        assert 4 * patterns <= block
        assert block == availability.SMALLEST_BLOCK or block < 8 * patterns
    # Parts that are counted on their own hold whole blocks.
    assert availability._ITEMS_AT_ONCE % availability.block_size(10**6) == 0


def test_what_cannot_be_is_named():
    good = Availability.of(drawn(1000, 3, 0.5, 0))
    assert good.misfit(3) is None
    assert good.misfit(2) == "patterns"
    for name, wrong in {
        "patterns": good.patterns.astype(int),
        "codes": good.codes[:-1],
        "starts": good.starts.astype(float),
    }.items():
        arrays = {"patterns": good.patterns, "codes": good.codes, "starts": good.starts, name: wrong}
        assert Availability(1000, **arrays).misfit(3) == name
    assert Availability(1000, good.patterns, good.codes, None).misfit(3) == "starts"
    assert Availability(1000, good.patterns, good.codes, good.starts[::-1]).misfit(3) == "starts"
    assert Availability(2000, good.patterns, good.codes, good.starts).misfit(3) == "codes"


def test_the_array_that_differs_is_named():
    available = drawn(1000, 3, 0.5, 0)
    made = Availability.of(available)
    assert made.difference(Availability.of(available[1:])) == "items"
    assert made.difference(Availability.of(available[:, :1])) == "patterns"
    assert made.difference(Availability.of(available[::-1])) == "codes"
    moved = Availability(1000, made.patterns, made.codes, made.starts + 1)
    assert made.difference(moved) == "starts"
