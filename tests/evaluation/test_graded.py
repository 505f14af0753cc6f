import doctest
import math

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import AP, RR, R, nDCG

from isogloss.errors import EvaluationError
from isogloss.evaluation import graded

OURS = {
    nDCG @ 5: lambda found, relevant: graded.ndcg(found, relevant, 5),
    nDCG @ 10: lambda found, relevant: graded.ndcg(found, relevant, 10),
    R @ 5: lambda found, relevant: graded.recall(found, relevant, 5),
    R @ 100: lambda found, relevant: graded.recall(found, relevant, 100),
    AP @ 5: lambda found, relevant: graded.average_precision(found, relevant, 5),
    AP @ 100: lambda found, relevant: graded.average_precision(found, relevant, 100),
    RR @ 5: lambda found, relevant: graded.reciprocal_rank(found, relevant, 5),
    RR @ 10: lambda found, relevant: graded.reciprocal_rank(found, relevant, 10),
}


def test_by_hand():
    # Grades 0, 3, 0, 1 in the list; a 2 was not found. The best order is 3, 2, 1.
    found, relevant = np.array([[0, 3, 0, 1]]), np.array([[1, 3, 2]])
    best = 3 + 2 / math.log2(3) + 1 / 2
    assert graded.ndcg(found, relevant, 10) == pytest.approx([(3 / math.log2(3) + 1 / math.log2(5)) / best])
    assert graded.ndcg(found, relevant, 2) == pytest.approx([3 / math.log2(3) / (3 + 2 / math.log2(3))])
    assert graded.recall(found, relevant, 3).tolist() == [1 / 3]
    assert graded.average_precision(found, relevant, 10) == pytest.approx([(1 / 2 + 2 / 4) / 3])
    assert graded.reciprocal_rank(found, relevant, 10).tolist() == [1 / 2]
    assert graded.reciprocal_rank(found, relevant, 1).tolist() == [0]


lists = st.lists(
    st.tuples(
        st.permutations(range(15)).map(lambda order: order[:12]),
        st.dictionaries(st.integers(0, 20), st.integers(-1, 3), min_size=1, max_size=12).filter(
            lambda judged: max(judged.values()) > 0
        ),
    ),
    min_size=1,
    max_size=5,
)


@settings(deadline=None, max_examples=60)
@given(lists)
def test_an_independent_library_agrees(drawn):
    qrels = {
        str(n): {f"c{one}": grade for one, grade in judged.items()} for n, (_, judged) in enumerate(drawn)
    }
    run = {
        str(n): {f"c{one}": 1.0 - place / 100 for place, one in enumerate(order)}
        for n, (order, _) in enumerate(drawn)
    }
    found = np.array([[judged.get(one, 0) for one in order] for order, judged in drawn])
    relevant = np.zeros((len(drawn), 12), dtype=np.int64)
    for row, (_, judged) in enumerate(drawn):
        relevant[row, : len(judged)] = list(judged.values())
    theirs = {measure: [None] * len(drawn) for measure in OURS}
    for metric in ir_measures.iter_calc(list(OURS), qrels, run):
        theirs[metric.measure][int(metric.query_id)] = metric.value
    for measure, ours in OURS.items():
        assert ours(found, relevant) == pytest.approx(theirs[measure], abs=1e-9), measure


def test_what_cannot_be_measured():
    with pytest.raises(EvaluationError, match="list 1 has no relevant candidate"):
        graded.ndcg(np.array([[1], [0]]), np.array([[1], [-1]]), 10)
    with pytest.raises(EvaluationError, match="expected"):
        graded.recall(np.array([[1]]), np.array([1]), 10)
    with pytest.raises(EvaluationError, match="at 0"):
        graded.recall(np.array([[1]]), np.array([[1]]), 0)


def test_nothing_found_and_nothing_to_measure():
    nothing = np.zeros((1, 0), dtype=np.int64)
    for measure in OURS.values():
        assert measure(nothing, np.array([[1]])).tolist() == [0]
        assert measure(nothing[:0], np.zeros((0, 1), dtype=np.int64)).tolist() == []


def test_examples():
    failed, tried = doctest.testmod(graded)
    assert tried
    assert not failed
