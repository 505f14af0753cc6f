"""PEER, the probability of equal expected rank: do documents of equal relevance rank alike in all languages?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isogloss.evaluation.measures.definition import Definition

PEER_DEPTH = 100
"""Cut-off of the lists in which irrelevant candidates are compared."""


def equal_rank_probability(
    ranks: NDArray[np.int64], languages: NDArray[np.int64], offsets: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The p-value of the Kruskal-Wallis test that a list's documents have one expected rank in all languages.

    With the documents of one relevance level of one query re-ranked among themselves (r_ij, ties sharing the mean of
    their places), N of them, n_i in language i, and means r_i and r,

        H = (N - 1) * sum_i n_i (r_i - r)^2 / sum_ij (r_ij - r)^2,    p = P(chi^2 with (languages - 1) df > H).

    In [0, 1], higher is fairer. p is 1 where there is one language, as in the authors' implementation, and where all
    documents are tied. Where every language has one document, H is N - 1 whatever the order, so that p says nothing:
    see `order_matters`. Languages without a document take no part. Source: Yang, Jänich, Mayfield and Lawrie,
    "Language fairness in multilingual information retrieval", SIGIR 2024, arXiv 2405.00978.

    Args:
        ranks: (n,) numbers, the ranks of one list after the other, in any order; give documents that were not
            retrieved one common rank behind all others.
        languages: (n,) int64, from 0.
        offsets: (lists + 1,) int64; no list is empty.

    Returns:
        (lists,) float64.

    >>> equal_rank_probability(np.arange(1, 5), np.array([0, 0, 1, 1]), np.array([0, 4])).round(4)
    array([0.1213])
    """
    from scipy.special import chdtrc

    sizes = np.diff(offsets)
    lists = np.repeat(np.arange(len(sizes)), sizes)
    middle = np.repeat((sizes + 1) / 2, sizes)
    place = _shared_places(ranks, lists, offsets)
    cell, number = _cells(lists, languages)
    count = np.bincount(cell, minlength=len(sizes) * number)
    deviation = np.bincount(cell, weights=place - middle, minlength=len(sizes) * number)
    between = np.divide(deviation**2, count, out=np.zeros(len(count)), where=count > 0)
    between = between.reshape(len(sizes), number).sum(axis=1)
    total = np.bincount(lists, weights=(place - middle) ** 2, minlength=len(sizes))
    statistic = np.divide((sizes - 1) * between, total, out=np.zeros(len(sizes)), where=total > 0)
    freedom = (count.reshape(len(sizes), number) > 0).sum(axis=1) - 1
    p: NDArray[np.float64] = np.where(
        (freedom > 0) & (total > 0), chdtrc(np.maximum(freedom, 1), statistic), 1.0
    )
    return p


def order_matters(languages: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the order of a list's documents can change its p-value: two languages, and two documents in one.

    Args:
        languages: (n,) int64, from 0.
        offsets: (lists + 1,) int64.

    Returns:
        (lists,) bool.
    """
    sizes = np.diff(offsets)
    cell, number = _cells(np.repeat(np.arange(len(sizes)), sizes), languages)
    count = np.bincount(cell, minlength=len(sizes) * number).reshape(len(sizes), number)
    matters: NDArray[np.bool_] = ((count > 0).sum(axis=1) > 1) & (count > 1).any(axis=1)
    return matters


def _cells(lists: NDArray[np.int64], languages: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """One number a list and language for each document, and how many there are a list."""
    number = int(languages.max()) + 1 if len(languages) else 1
    return lists * number + languages, number


def _shared_places(
    ranks: NDArray[np.int64], lists: NDArray[np.int64], offsets: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Places within a list from 1; equal ranks share the mean of theirs."""
    if not len(ranks):
        return np.zeros(0)
    order = np.lexsort((ranks, lists))
    starts = np.ones(len(order), dtype=np.bool_)
    starts[1:] = (np.diff(ranks[order]) != 0) | (np.diff(lists[order]) != 0)
    bounds = np.append(np.flatnonzero(starts), len(order))
    means = (bounds[:-1] + bounds[1:] - 1) / 2 + 1
    place = np.empty(len(order))
    place[order] = np.repeat(means, np.diff(bounds))
    return place - np.repeat(offsets[:-1], np.diff(offsets))


_SOURCE = "Yang et al., SIGIR 2024, arXiv 2405.00978"

PEER_RELEVANT = Definition(
    key="peer",
    label="PEER, relevant",
    description="p-value of relevant candidates of all languages having the same expected rank",
    formula=(
        "p-value of the Kruskal-Wallis test on the ranks of the relevant candidates, by language; queries with one "
        "language, or with one relevant candidate in each, are left out"
    ),
    low=0,
    high=1,
    better="higher",
    settings=("multi",),
    source=_SOURCE,
    even="about 0.5",
)

PEER_IRRELEVANT = Definition(
    key=f"peer_irrelevant@{PEER_DEPTH}",
    label=f"PEER@{PEER_DEPTH}, irrelevant",
    description=f"the same of the irrelevant candidates in the first {PEER_DEPTH} places",
    formula=(
        f"p-value of the Kruskal-Wallis test on the ranks of the irrelevant candidates in the first {PEER_DEPTH} "
        "places; queries where they are in one language, or one in each, are left out"
    ),
    low=0,
    high=1,
    better="higher",
    settings=("multi",),
    source=_SOURCE,
    even="about 0.5",
    second_pass=True,
)
