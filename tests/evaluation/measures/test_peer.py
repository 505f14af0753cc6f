"""PEER against its published definition, computed the slow and obvious way with scipy's Kruskal-Wallis test."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, kruskal

from isogloss.evaluation.measures import equal_rank_probability, order_matters

UNRETRIEVED = 10**9

documents = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 4)), min_size=1, max_size=25)


def slow_peer(list_):
    """arXiv 2405.00978, of one query and one relevance level: one group a language that has a document."""
    groups = {}
    for rank, language in list_:
        groups.setdefault(language, []).append(rank)
    if len(groups) < 2 or len({rank for rank, _ in list_}) == 1:
        return 1.0
    return kruskal(*groups.values()).pvalue


def arrays(lists):
    flat = [document for list_ in lists for document in list_]
    ranks, languages = (np.array([one[part] for one in flat], dtype=np.int64) for part in (0, 1))
    return ranks, languages, np.cumsum([0, *map(len, lists)])


def peer(*lists):
    return equal_rank_probability(*arrays(lists))


@settings(deadline=None, max_examples=200)
@given(st.lists(documents, min_size=1, max_size=5))
def test_equals_the_slow_twin_ties_included(lists):
    assert peer(*lists) == pytest.approx([slow_peer(list_) for list_ in lists], abs=1e-9)


def test_the_formula_of_the_paper_written_out():
    """H as published, where ranks are 1 to N without ties, and so also what the authors' program computes."""
    draw = np.random.default_rng(3)
    for size in (4, 9, 40):
        languages = draw.integers(0, 3, size)
        ranks = draw.permutation(size) + 1
        mean = sum(ranks) / size
        between, total = 0.0, 0.0
        for language in set(languages.tolist()):
            group = [rank for rank, its in zip(ranks, languages, strict=True) if its == language]
            between += len(group) * (sum(group) / len(group) - mean) ** 2
        for rank in ranks:
            total += (rank - mean) ** 2
        p = chi2.sf((size - 1) * between / total, len(set(languages.tolist())) - 1)
        assert peer(list(zip(ranks, languages, strict=True))) == pytest.approx([p])


def test_by_hand():
    # Ranks 1 2 | 3 4: N = 4, means 1.5 and 3.5 of 2.5; H = 3 * (2 + 2) / 5 = 2.4 with one degree of freedom.
    assert peer([(1, 0), (2, 0), (3, 1), (4, 1)]) == pytest.approx([chi2.sf(2.4, 1)])
    # Ranks 1 4 | 2 3: equal means, H = 0.
    assert peer([(1, 0), (4, 0), (2, 1), (3, 1)]) == pytest.approx([1])
    # Only the order counts, not how far apart: documents are re-ranked among themselves.
    assert peer([(10, 0), (20, 0), (300, 1), (4000, 1)]) == peer([(1, 0), (2, 0), (3, 1), (4, 1)])


def test_documents_that_were_not_retrieved_share_the_last_places():
    # As if they stood on places 3, 4, 5 and each had the mean, 4.
    found = peer([(1, 0), (2, 1), *[(UNRETRIEVED, 0)] * 2, (UNRETRIEVED, 1)])
    assert found == pytest.approx([kruskal([1, 4, 4], [2, 4]).pvalue])
    assert peer([(UNRETRIEVED, 0), (UNRETRIEVED, 1), (UNRETRIEVED, 1)]).tolist() == [1]


def test_one_language_is_fair_and_one_document_in_each_says_nothing():
    assert peer([(1, 2), (5, 2)], [(7, 0)]).tolist() == [1, 1]
    constant = chi2.sf(3, 3)
    for order in permutations(range(4)):
        assert peer([(rank, language) for rank, language in zip((1, 2, 3, 4), order, strict=True)])[
            0
        ] == pytest.approx(constant)
    lists = arrays([[(1, 0), (2, 1)], [(1, 0), (2, 0)], [(1, 0), (2, 1), (3, 1)], [(1, 0)]])
    assert order_matters(lists[1], lists[2]).tolist() == [False, False, True, False]


@settings(deadline=None)
@given(documents, st.permutations(range(5)), st.randoms(use_true_random=False))
def test_invariances(list_, names, shuffler):
    value = peer(list_)
    assert 0 <= value[0] <= 1
    # The names of the languages, the order of the documents and any increasing change of ranks do not matter.
    renamed = [(rank, names[language]) for rank, language in list_]
    shuffler.shuffle(renamed)
    assert peer(renamed) == pytest.approx(value, abs=1e-12)
    assert peer([(rank**3, language) for rank, language in list_]) == pytest.approx(value, abs=1e-12)
    # Nor does the direction: the last places are as good a sign of unequal treatment as the first.
    assert peer([(100 - rank, language) for rank, language in list_]) == pytest.approx(value, abs=1e-9)


def test_no_lists():
    assert peer().tolist() == []
    assert order_matters(*arrays([])[1:]).tolist() == []


def test_random_order_has_uniform_p_values():
    draw = np.random.default_rng(0)
    ranks = np.concatenate([draw.permutation(60) + 1 for _ in range(2000)])
    p = equal_rank_probability(ranks, np.tile(np.arange(60) % 6, 2000), np.arange(2001) * 60)
    assert p.mean() == pytest.approx(0.5, abs=0.03)
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.02)
