"""Cells against plain lists of items."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.batching import cells
from isogloss.batching.cells import AvailabilityIndex, CellTable
from isogloss.items import Availability, availability


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


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks so small that a few hundred items have several."""
    monkeypatch.setattr(availability, "SMALLEST_BLOCK", 64)
    monkeypatch.setattr(availability, "_ITEMS_A_PATTERN", 1)
    monkeypatch.setattr(cells, "_AT_ONCE", 256)


@pytest.mark.parametrize("most", [3, 4096])
@pytest.mark.parametrize("languages", [2, 5, 9])
@pytest.mark.parametrize("sorted_items", [False, True])
def test_items_are_found_in_any_block(small_blocks, monkeypatch, most, languages, sorted_items):
    monkeypatch.setattr(availability, "MOST_PATTERNS", most)
    random = np.random.default_rng(languages)
    available = random.random((1500, languages)) < random.random((1500, 1)) + 0.3
    if sorted_items:  # patterns that occur in a few neighbouring blocks alone
        available = available[np.lexsort(available.T)]
    for columns in (list(range(languages)), [1, 0], [languages - 1]):
        index = AvailabilityIndex(Availability.of(available), columns)
        key = [row.tolist() for row in available[:, columns]]
        order = sorted(range(1500), key=lambda item: (key[item], item))
        assert index.items_at(np.arange(1500)).tolist() == order
        backwards = random.permutation(1500)
        assert index.items_at(backwards).tolist() == [order[place] for place in backwards]
        assert index.items_at(np.zeros(0, np.int64)).tolist() == []
        for _ in range(5):
            holds = random.random(len(index.patterns)) < 0.5
            expected = [item for item in order if holds[index.patterns.tolist().index(key[item])]]
            for limit in (None, 0, 1, 40, 700):
                assert index.items(holds, limit).tolist() == expected[:limit]
