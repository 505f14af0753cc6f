import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.errors import EvaluationError
from isogloss.evaluation import average_precision, ndcg_at, recall_at, reciprocal_rank, success_at
from isogloss.evaluation.measures import LIST_MEASURES, max_rank, rank_distance
from tests.evaluation.benchmarks import slow_measures

rank_lists = st.lists(st.sets(st.integers(1, 30), min_size=1, max_size=8).map(sorted), max_size=6)
TWO_LISTS = np.array([1, 3, 6, 4]), np.array([0, 3, 4])


def arrays(lists):
    ranks = np.array([rank for ranks in lists for rank in ranks], dtype=np.int64)
    return ranks, np.cumsum([0, *map(len, lists)])


def test_average_precision_by_hand():
    # Ranks 1, 3, 6: (1/1 + 2/3 + 3/6) / 3 = 13/18. Rank 4 alone: 1/4.
    assert average_precision(*TWO_LISTS) == pytest.approx([13 / 18, 1 / 4], abs=1e-15)


def test_recall_by_hand():
    assert recall_at(*TWO_LISTS, 1) == pytest.approx([1 / 3, 0])
    assert recall_at(*TWO_LISTS, 3) == pytest.approx([2 / 3, 0])
    assert recall_at(*TWO_LISTS, 6).tolist() == [1, 1]


def test_ndcg_by_hand():
    # At 3: ranks 1 and 3 gain 1/log2(2) + 1/log2(4) = 3/2; the best three gain 1 + 1/log2(3) + 1/2. Rank 4 gains none.
    assert ndcg_at(*TWO_LISTS, 3) == pytest.approx([1.5 / (1.5 + 1 / np.log2(3)), 0], abs=1e-15)
    # At 10, rank 4 alone gains 1/log2(5) of 1.
    assert ndcg_at(*TWO_LISTS, 10)[1] == pytest.approx(1 / np.log2(5), abs=1e-15)
    # The first two of three: at 2 nothing better is possible.
    assert ndcg_at(np.array([1, 2, 9]), np.array([0, 3]), 2).tolist() == [1]


def test_reciprocal_rank_and_success_by_hand():
    assert reciprocal_rank(*TWO_LISTS).tolist() == [1, 0.25]
    assert success_at(*TWO_LISTS, 1).tolist() == [1, 0]
    assert success_at(*TWO_LISTS, 3).tolist() == [1, 0]
    assert success_at(*TWO_LISTS, 4).tolist() == [1, 1]


def test_max_rank_and_rank_distance_by_hand():
    assert max_rank(*TWO_LISTS).tolist() == [6, 4]
    assert rank_distance(*TWO_LISTS).tolist() == [5, 0]


@settings(deadline=None)
@given(rank_lists)
def test_equal_the_slow_twin(lists):
    slow = [slow_measures(range(1, 31), set(ranks)) for ranks in lists]
    for column, measure in enumerate(LIST_MEASURES):
        values = measure.values(*arrays(lists))
        assert values == pytest.approx([value[column] for value in slow], abs=1e-12)


@settings(deadline=None)
@given(rank_lists.filter(len))
def test_ranges_and_what_each_bounds(lists):
    given_ = arrays(lists)
    for measure in LIST_MEASURES:
        values = measure.values(*given_)
        assert ((values >= measure.definition.low) & (values <= measure.definition.high)).all()
    assert (recall_at(*given_, 10) <= success_at(*given_, 10)).all()
    # The worst rank is at least the number of relevant candidates, and the distance at least one less.
    sizes = np.diff(given_[1])
    assert (max_rank(*given_) >= sizes).all()
    assert (rank_distance(*given_) == max_rank(*given_) - given_[0][given_[1][:-1]]).all()


@settings(deadline=None)
@given(st.sets(st.integers(2, 30), min_size=1, max_size=8), st.data())
def test_no_measure_falls_when_a_relevant_candidate_rises(ranks, data):
    rises = data.draw(st.sampled_from(sorted(ranks)))
    to = data.draw(st.integers(1, rises - 1).filter(lambda rank: rank not in ranks) | st.just(None))
    if to is None:
        return
    before, after = arrays([sorted(ranks)]), arrays([sorted(ranks - {rises} | {to})])
    for measure in LIST_MEASURES:
        assert measure.values(*after) >= measure.values(*before) - 1e-12


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
    given_ = np.array(ranks, dtype=np.int64), np.array(offsets, dtype=np.int64)
    measures = [measure.values for measure in LIST_MEASURES]
    for measure in (*measures, max_rank, rank_distance):
        with pytest.raises(EvaluationError, match=message):
            measure(*given_)


@pytest.mark.parametrize(
    ("measure", "name"), [(recall_at, "recall"), (ndcg_at, "nDCG"), (success_at, "success")]
)
def test_depth_below_one(measure, name):
    with pytest.raises(EvaluationError, match=f"{name} at 0"):
        measure(np.array([1]), np.array([0, 1]), 0)
