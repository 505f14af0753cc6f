"""Pairs as integers."""

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.batching import PairSpace, pairs
from isogloss.errors import PlanError

from .data import parallel


def test_docstrings_hold():
    assert doctest.testmod(pairs).failed == 0


@given(st.integers(1, 5), st.lists(st.integers(0, 9), min_size=1, max_size=4))
def test_every_pair_has_one_number(languages, sizes):
    space = PairSpace(tuple("abcde"[:languages]), tuple(sizes))
    numbers = np.arange(space.size)
    assert space.encode(*space.decode(numbers)).tolist() == numbers.tolist()
    wanted = [
        (dataset, item, query, passage)
        for dataset, size in enumerate(sizes)
        for item in range(size)
        for query in range(languages)
        for passage in range(languages)
    ]
    assert list(zip(*(part.tolist() for part in space.locate(numbers)), strict=True)) == wanted


def test_the_space_of_datasets():
    space = PairSpace.of([parallel(3, ("zh", "de")), parallel(2, ("en", "de"))])
    assert (space.languages, space.dataset_sizes, space.dataset_starts) == (
        ("de", "en", "zh"),
        (3, 2),
        (0, 3),
    )
    assert space.encode(4, 1, 0).tolist() == 4 * 9 + 3


def test_the_largest_space_that_fits():
    items = 2**63 // 4
    space = PairSpace(("de", "en"), (items,))
    largest = space.encode(items - 1, 1, 1)
    assert int(largest) == 2**63 - 1
    assert [int(part) for part in space.decode(largest)] == [items - 1, 1, 1]
    with pytest.raises(PlanError, match="more than a 64-bit integer"):
        PairSpace(("de", "en"), (items + 1,))


def test_numbers_outside_are_refused():
    space = PairSpace(("de", "en"), (3,))
    for values, message in (
        ((3, 0, 0), "item 3"),
        ((0, -1, 0), "query language -1"),
        ((0, 0, 2), "passage language 2"),
    ):
        with pytest.raises(PlanError, match=message):
            space.encode(*values)
    with pytest.raises(PlanError, match="pair 12 is outside"):
        space.decode([0, 12])
    with pytest.raises(PlanError, match="float64"):
        space.decode([0.5])
    with pytest.raises(PlanError, match="named twice"):
        PairSpace(("de", "de"), (3,))
    assert [part.tolist() for part in space.decode([])] == [[], [], []]
