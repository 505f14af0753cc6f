from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.errors import EvaluationError
from isogloss.evaluation.top_k import top_k
from tests.evaluation.benchmarks import integer_vectors


def slow_top_k(scores, ids, k):
    """Sort everything: higher score first, then ascending id."""
    lists = []
    for row in scores:
        order = sorted(range(len(ids)), key=lambda place: (-row[place], ids[place]))[:k]
        lists.append(([ids[place] for place in order], row[order].tolist()))
    return lists


def in_blocks(ids, vectors, cuts):
    bounds = [0, *sorted(cuts), len(ids)]
    return [(ids[low:high], vectors[low:high]) for low, high in pairwise(bounds)]


def as_pairs(lists):
    return [(one.ids, one.scores.tolist()) for one in lists]


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 10_000),
    candidates=st.integers(1, 60),
    cuts=st.lists(st.integers(0, 60), max_size=5),
    k=st.integers(1, 20),
    largest=st.integers(0, 3),
    block_bytes=st.sampled_from([1, 200, 2**20]),
)
def test_equal_the_slow_twin_with_ties(seed, candidates, cuts, k, largest, block_bytes):
    # Small integers: products are exact and often equal; ids come in no order, some of another length and script.
    draw = np.random.default_rng(seed)
    ids = [f"{'é' if n % 5 == 0 else ''}{n}" for n in draw.permutation(candidates)]
    queries, vectors = (
        integer_vectors(seed, 7, largest=largest),
        integer_vectors(seed + 1, candidates, largest=largest),
    )
    blocks = in_blocks(ids, vectors, [min(cut, candidates) for cut in cuts])
    lists = top_k([f"q{n}" for n in range(7)], queries, blocks, k, block_bytes=block_bytes)
    assert as_pairs(lists) == slow_top_k(queries @ vectors.T, ids, k)


def test_a_model_that_maps_all_to_one_vector_ranks_by_id():
    ids = [f"{n:03d}" for n in np.random.default_rng(0).permutation(200)]
    vectors = np.full((200, 8), 0.3, dtype=np.float32)
    lists = top_k(["q"], vectors[:1], in_blocks(ids, vectors, [13, 100, 101]), 50)
    assert lists[0].ids == [f"{n:03d}" for n in range(50)]
    assert len(set(lists[0].scores.tolist())) == 1


@pytest.fixture(scope="module")
def repeated():
    """Queries, vectors that come three times each, in no order, with ids, and which of them are the same."""
    # Each vector three times: equal texts tie, and go by id, wherever they stand.
    draw = np.random.default_rng(4)
    vectors = np.repeat(draw.standard_normal((700, 48)).astype(np.float32), 3, axis=0)
    queries = draw.standard_normal((150, 48)).astype(np.float32)
    place = draw.permutation(len(vectors))
    return queries, vectors[place], [f"d{n}" for n in place], place // 3


def test_real_vectors_in_one_block(repeated):
    queries, vectors, ids, _ = repeated
    lists = as_pairs(top_k([f"q{n}" for n in range(150)], queries, [(ids, vectors)], 30))
    scores = queries.astype(np.float64) @ vectors.astype(np.float64).T
    for row, (found, values) in zip(scores, lists, strict=True):
        order = sorted(range(len(ids)), key=lambda one: (-round(row[one], 10), ids[one]))[:30]
        assert found == [ids[one] for one in order]
        assert values == pytest.approx(row[order], rel=1e-5)


def test_real_vectors_in_any_blocks(repeated):
    queries, vectors, ids, same = repeated
    product = queries @ vectors.T
    if not (product == product[:, np.unique(same, return_index=True)[1]][:, same]).all():
        # `top_k` says that it holds as far as the product does.
        pytest.skip("the matrix product here rounds equal vectors differently by their place")
    names = [f"q{n}" for n in range(150)]
    whole = as_pairs(top_k(names, queries, [(ids, vectors)], 30))
    for cuts in ([1], [500, 1000, 1500], list(range(0, 2100, 97))):
        assert as_pairs(top_k(names, queries, in_blocks(ids, vectors, cuts), 30, block_bytes=50_000)) == whole


def test_queries_may_share_a_vector():
    queries, vectors = integer_vectors(1, 2), integer_vectors(2, 9)
    ids = [str(n) for n in range(9)]
    lists = top_k(["a", "b", "c"], queries, [(ids, vectors)], 4, query_index=[1, 0, 1])
    assert as_pairs(lists) == slow_top_k(queries[[1, 0, 1]] @ vectors.T, ids, 4)


def test_empty_blocks_no_candidates_no_queries():
    vectors, told = integer_vectors(2, 3), []
    none = ([], vectors[:0])
    lists = top_k(["q"], vectors[:1], [none, (["a", "b", "c"], vectors), none], 2, progress=told.append)
    assert len(lists[0].ids) == 2
    assert told == [0, 3, 0]
    assert as_pairs(top_k(["q"], vectors[:1], [none], 2)) == [([], [])]
    assert as_pairs(top_k(["q"], vectors[:1], [], 2)) == [([], [])]
    assert top_k([], vectors[:0], [(["a"], vectors[:1])], 2) == []


def test_what_cannot_be_ranked():
    vectors = integer_vectors(2, 3, largest=3)
    with pytest.raises(EvaluationError, match="depth must be at least 1"):
        top_k(["q"], vectors[:1], [], 0)
    with pytest.raises(EvaluationError, match="3 candidate vectors for 2 candidate ids"):
        top_k(["q"], vectors[:1], [(["a", "b"], vectors)], 2)
    with pytest.raises(EvaluationError, match="query vectors have 4 dimensions, candidate vectors 3"):
        top_k(["q"], vectors[:1], [(["a", "b", "c"], vectors[:, :3])], 2)
    with pytest.raises(EvaluationError, match="candidate id 'a' comes twice"):
        top_k(["q"], vectors[:1], [(["a", "b", "c"], vectors), (["a"], vectors[:1])], 4)
    broken = vectors.copy()
    broken[1, 0] = np.nan
    with pytest.raises(EvaluationError, match="candidate 'b'"):
        top_k(["q"], vectors[:1], [(["a", "b", "c"], broken)], 2)
