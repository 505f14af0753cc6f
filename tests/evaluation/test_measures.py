import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.errors import EvaluationError
from isogloss.evaluation import average_precision, measures, recall_at
from tests.evaluation.benchmarks import slow_measures

rank_lists = st.lists(st.sets(st.integers(1, 30), min_size=1, max_size=8).map(sorted), max_size=6)


def test_average_precision_by_hand():
    # Ranks 1, 3, 6: (1/1 + 2/3 + 3/6) / 3 = 13/18. Rank 4 alone: 1/4.
    values = average_precision(np.array([1, 3, 6, 4]), np.array([0, 3, 4]))
    assert values == pytest.approx([13 / 18, 1 / 4], abs=1e-15)


def test_recall_by_hand():
    ranks, offsets = np.array([1, 3, 6, 4]), np.array([0, 3, 4])
    assert recall_at(ranks, offsets, 1) == pytest.approx([1 / 3, 0])
    assert recall_at(ranks, offsets, 3) == pytest.approx([2 / 3, 0])
    assert recall_at(ranks, offsets, 6).tolist() == [1, 1]


@settings(deadline=None)
@given(rank_lists)
def test_equal_the_slow_twin(lists):
    ranks = np.array([rank for ranks in lists for rank in ranks], dtype=np.int64)
    offsets = np.cumsum([0, *map(len, lists)])
    slow = [slow_measures(range(1, 31), set(ranks)) for ranks in lists]
    assert average_precision(ranks, offsets) == pytest.approx([value[0] for value in slow], abs=1e-12)
    assert recall_at(ranks, offsets, 1) == pytest.approx([value[1] for value in slow], abs=1e-12)
    assert recall_at(ranks, offsets, 10) == pytest.approx([value[2] for value in slow], abs=1e-12)


@pytest.mark.parametrize(
    ("ranks", "offsets", "message"),
    [
        ([1], [0, 0, 1], "list 0 has no relevant candidate"),
        ([1, 2], [0, 1], "do not cover their 2 ranks"),
        ([], [], "do not cover their 0 ranks"),
        ([2, 1], [0, 2], "rank 1 at 1"),
        ([3, 3], [0, 2], "rank 3 at 1"),
        ([0, 1], [0, 2], "rank 0 at 0"),
        ([1, 0], [0, 1, 2], "rank 0 at 1"),
    ],
)
def test_lists_that_cannot_be_measured(ranks, offsets, message):
    ranks, offsets = np.array(ranks, dtype=np.int64), np.array(offsets, dtype=np.int64)
    with pytest.raises(EvaluationError, match=message):
        average_precision(ranks, offsets)
    with pytest.raises(EvaluationError, match=message):
        recall_at(ranks, offsets, 1)


def test_depth_below_one():
    with pytest.raises(EvaluationError, match="recall at 0"):
        recall_at(np.array([1]), np.array([0, 1]), 0)


def test_examples():
    failed, tried = doctest.testmod(measures)
    assert tried
    assert not failed
