import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.errors import EvaluationError
from isogloss.evaluation import distinct_vectors, score_blocks, scoring
from tests.evaluation.benchmarks import integer_vectors


def names(count):
    return [f"id{number}" for number in range(count)]


def all_scores(queries, candidates, **options):
    blocks = [(block.start, block.scores.copy()) for block in score_blocks(queries, candidates, **options)]
    assert [start for start, _ in blocks] == np.cumsum([0, *(len(part) for _, part in blocks[:-1])]).tolist()
    return np.concatenate([part for _, part in blocks])


def distinct(vectors, **options):
    return distinct_vectors(vectors, names(len(vectors)), **options)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 60), dimensions=st.integers(1, 3))
def test_distinct_vectors_give_back_every_text(seed, count, dimensions):
    vectors = integer_vectors(seed, count, dimensions)
    kept = distinct(vectors)
    assert (kept.rows[kept.index] == vectors).all()
    assert len(np.unique(kept.rows, axis=0)) == len(kept.rows)
    # In order of first use, so that blocks go through the texts in order.
    first_use = [kept.index.tolist().index(row) for row in range(len(kept.rows))]
    assert first_use == sorted(first_use)


def test_negative_zero_is_zero():
    kept = distinct(np.array([[0.0, 1.0], [-0.0, 1.0]]))
    assert len(kept.rows) == 1


def test_equal_vectors_tie_exactly_wherever_they_stand():
    draw = np.random.default_rng(0)
    candidates = draw.standard_normal((2500, 384)).astype(np.float32)
    candidates[[0, 1023, 2048, 2499]] = candidates[7]
    queries = draw.standard_normal((131, 384)).astype(np.float32)
    queries[130] = queries[0]
    left, right = distinct(queries), distinct(candidates)
    scores = all_scores(left, right)[left.index][:, right.index]
    assert (scores[:, [0, 1023, 2048, 2499]] == scores[:, [7]]).all()
    assert (scores[130] == scores[0]).all()
    assert scores == pytest.approx(queries.astype(np.float64) @ candidates.astype(np.float64).T, abs=1e-3)


@settings(max_examples=8, deadline=None)
@given(st.integers(2500 * 4 * 60, 2500 * 4 * 700))
def test_scores_are_the_same_to_the_bit_in_any_blocks(block_bytes):
    draw = np.random.default_rng(1)
    queries = distinct(draw.standard_normal((600, 33)))
    candidates = distinct(draw.standard_normal((2500, 33)))
    parts = [block.scores.nbytes for block in score_blocks(queries, candidates, block_bytes=block_bytes)]
    assert max(parts) <= max(block_bytes, 2500 * 4)
    scores = all_scores(queries, candidates, block_bytes=block_bytes)
    assert scores.tobytes() == all_scores(queries, candidates).tobytes()


def test_a_block_holds_a_query_at_least():
    queries, candidates = distinct(integer_vectors(1, 5)), distinct(integer_vectors(2, 40))
    assert len(list(score_blocks(queries, candidates, block_bytes=1))) == len(queries.rows)
    scores = all_scores(queries, candidates, block_bytes=1)
    assert (scores == queries.rows @ candidates.rows.T).all()


def test_unused_rows_may_be_anything():
    vectors = np.array([[1.0, 0.0], [np.nan, 0.0], [0.0, 1.0]])
    kept = distinct_vectors(vectors, ["a", "b", "c"], index=[2, 0, 2])
    assert kept.rows.tolist() == [[1, 0], [0, 1]] or kept.rows.tolist() == [[0, 1], [1, 0]]
    assert kept.rows[kept.index].tolist() == [[0, 1], [1, 0], [0, 1]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_vectors_that_are_not_finite_are_counted_and_the_first_named(bad):
    vectors = np.ones((5, 3))
    vectors[1:3, 2] = bad
    with pytest.raises(
        EvaluationError, match=r"2 of 5 query vectors .* the first that of query 'id1' \(row 1\)"
    ):
        distinct(vectors)
    with pytest.raises(EvaluationError, match=r"1 of 2 candidate vectors .* candidate 'b' \(row 2\)"):
        distinct_vectors(vectors, ["a", "b", "c"], index=[0, 2, 2], side="candidate")


@pytest.mark.parametrize(
    ("vectors", "index", "message"),
    [
        (np.ones(3), None, r"shape \(3,\)"),
        (np.ones((3, 0)), None, r"shape \(3, 0\)"),
        (np.ones((2, 4)), None, "2 query vectors for 3 query ids"),
        (np.ones((2, 4)), [0, 1], r"shape \(2,\); expected 3 integers"),
        (np.ones((2, 4)), [0.0, 1.0, 1.0], "query_index is float64"),
        (np.ones((2, 4)), [0, 1, 2], "sends 'id2' to row 2, but there are 2 query vectors"),
        (np.ones((2, 4)), [0, -1, 1], "sends 'id1' to row -1"),
    ],
)
def test_shapes_that_do_not_fit(vectors, index, message):
    with pytest.raises(EvaluationError, match=message):
        distinct_vectors(vectors, names(3), index=index)


def test_dimensions_and_sizes_that_do_not_fit():
    three, four = distinct(np.eye(3)), distinct(np.eye(4))
    with pytest.raises(EvaluationError, match="query vectors have 3 dimensions, candidate vectors 4"):
        next(score_blocks(three, four))
    with pytest.raises(EvaluationError, match="block_bytes is 0"):
        next(score_blocks(three, three, block_bytes=0))


def test_scores_beyond_float32():
    huge = distinct(np.full((1, 2), 1e30))
    with pytest.raises(EvaluationError, match="beyond float32"):
        next(score_blocks(huge, huge))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 60), dimensions=st.integers(1, 3))
def test_equal_hashes_of_different_vectors(seed, count, dimensions):
    vectors = integer_vectors(seed, count, dimensions)
    expected = distinct(vectors)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "_hashes", lambda rows, _: np.zeros(len(rows), dtype=np.uint64))
        found = distinct(vectors)
    assert found.rows.tolist() == expected.rows.tolist()
    assert found.index.tolist() == expected.index.tolist()


def test_rows_in_a_given_order():
    vectors = np.array([[1.0], [2.0], [1.0], [3.0]])
    kept = distinct(vectors, order=np.array([3, 2, 1, 0]))
    assert kept.rows.ravel().tolist() == [3, 1, 2]
    assert kept.index.tolist() == [1, 2, 1, 0]
