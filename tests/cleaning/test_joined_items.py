import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from isogloss.cleaning.joined_items import JoinedItems

PAIR = st.tuples(st.integers(0, 11), st.integers(0, 11), st.integers(1, 9))


@given(st.lists(st.lists(PAIR, max_size=6), max_size=5))
def test_groups_are_those_of_a_slow_twin(parts):
    joined = JoinedItems(12)
    groups = {item: {item} for item in range(12)}
    values = [0] * 12
    for part in parts:
        pairs = np.array([pair[:2] for pair in part], np.int64).reshape(-1, 2)
        joined.join(pairs, np.array([pair[2] for pair in part], np.float32))
        for one, other, value in part:
            whole = groups[one] | groups[other]
            groups.update(dict.fromkeys(whole, whole))
            values[one], values[other] = max(values[one], value), max(values[other], value)
    assert joined.groups().tolist() == [min(groups[item]) for item in range(12)]
    assert joined.values.tolist() == values


def test_long_chains_and_no_items():
    joined = JoinedItems(1000)
    for item in range(999, 0, -1):
        joined.join(np.array([[item - 1, item]]), 0.5)
    assert not joined.groups().any()
    assert JoinedItems(0).groups().tolist() == []
