"""Cells against plain lists of items."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.batching.cells import AvailabilityIndex, CellTable
from isogloss.items import Availability


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 60),
    st.sampled_from([1, 3, 9, 70, 130]),
    st.sampled_from([0.5, 0.98, 1.0]),
    st.integers(0, 2**32),
)
def test_a_cell_is_the_items_that_have_its_languages(items, languages, density, seed):
    random = np.random.default_rng(seed)
    available = random.random((items, languages)) < density
    columns = random.permutation(languages)[: max(1, languages - 1)].tolist()
    index = AvailabilityIndex(Availability.of(available), columns)
    sets = [random.integers(0, len(columns), size=size) for size in (1, 2, 2, 3)]
    table = CellTable(index, [index.patterns[:, wanted].all(axis=1) for wanted in sets])
    for cell, wanted in enumerate(sets):
        rows = available[:, [columns[place] for place in wanted]]
        expected = np.flatnonzero(rows.all(axis=1)).tolist()
        listed = table.items(cell).tolist()
        assert sorted(listed) == expected
        assert listed == sorted(expected, key=lambda item: (available[item, columns].tolist(), item))
        assert table.sizes[cell] == len(expected)
        for limit in (0, 1, len(expected) // 2, len(expected) + 1):
            assert index.items(index.patterns[:, wanted].all(axis=1), limit).tolist() == listed[:limit]
        if expected:
            uniforms = (np.arange(len(expected)) + 0.5) / len(expected)
            assert table.draw(np.full(len(expected), cell), uniforms).tolist() == listed


def test_parallel_data_need_no_memory_an_item():
    index = AvailabilityIndex(Availability.of(np.ones((1000, 7), dtype=bool)), range(7))
    assert index.patterns.tolist() == [[True] * 7]
    assert index.bounds.tolist() == [0, 1000]
    assert index._order is None


def test_neighbouring_patterns_make_one_range():
    available = np.array([[False, True], [True, False], [True, True]])
    index = AvailabilityIndex(Availability.of(available), [0, 1])
    starts, stops = index.ranges(index.patterns[:, 0])
    assert (starts.tolist(), stops.tolist()) == ([1], [3])


@pytest.mark.parametrize("uniform", [0.0, 1 - 2**-53])
def test_the_ends_of_the_unit_interval_stay_in_the_cell(uniform):
    index = AvailabilityIndex(Availability.of(np.array([[True, False], [True, True], [False, True]])), [0, 1])
    table = CellTable(index, [index.patterns[:, 0], index.patterns[:, 1]])
    for cell in (0, 1):
        assert table.draw(np.array([cell]), np.array([uniform]))[0] in table.items(cell)
