"""Repeats against the groups written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.items import ItemGroups


def numbered_by_first(labels):
    numbers = {}
    return [numbers.setdefault(label, len(numbers)) for label in labels]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 12), max_size=30))
def test_repeats_hold_all_groups(labels):
    groups = numbered_by_first(labels)
    made = ItemGroups.of(np.array(groups, np.int64))
    assert len(made) == len(groups)
    assert made.written_out().tolist() == groups
    assert made.repeats.tolist() == [item for item, group in enumerate(groups) if group in groups[:item]]
    picked = np.random.default_rng(0).integers(0, max(len(groups), 1), (3, 5)) if groups else np.zeros(0, int)
    assert made[picked].tolist() == np.array(groups, np.int64)[picked].tolist()
    assert made.same_as(ItemGroups.of(np.array(groups, np.int64)))


def test_other_groups_are_other():
    made = ItemGroups.of(np.array([0, 1, 0, 1]))
    for other in ([0, 1, 0], [0, 1, 0, 2], [0, 1, 1, 0]):
        assert not made.same_as(ItemGroups.of(np.array(other)))


@pytest.mark.parametrize("groups", [[1], [0, 2], [0, 0, -1], [1, 0]])
def test_other_numberings_are_refused(groups):
    with pytest.raises(ValueError, match="numbered by their first item"):
        ItemGroups.of(np.array(groups))
