"""Measures of a ranking's first k, with graded relevance, where the whole ranking is not to be had.

A list is the relevance of its candidates in rank order: `found` is (lists, depth), 0 where a candidate is not relevant,
not judged or not there. `relevant` is (lists, r), the relevance of all relevant candidates, found or not, in any order
and filled up with 0; each list has at least one. Relevance below 0 counts as 0, as in trec_eval. All values lie in
[0, 1], and higher is better.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isogloss.errors import EvaluationError


def ndcg(found: NDArray[np.int64], relevant: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Normalised discounted cumulative gain at k: the sum of relevance / log2(1 + rank), over that of the best order.

    Source: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 2002, with the
    relevance itself as the gain: `ndcg_cut_k` of trec_eval, `nDCG@k` of ir-measures.

    Args:
        found: (lists, depth) int64, depth at least k or the candidates' number.
        relevant: (lists, r) int64.
        k: the depth, at least 1.

    Returns:
        (lists,) float64.

    Raises:
        EvaluationError: shapes do not fit, a list has nothing relevant, or k is below 1.

    >>> ndcg(np.array([[0, 1]]), np.array([[1]]), 10)  # 1 / log2(3)
    array([0.63092975])
    """
    gains, ideal = _checked(found, relevant, k)
    return _discounted(gains[:, :k]) / _discounted(-np.sort(-ideal, axis=1)[:, :k])


def recall(found: NDArray[np.int64], relevant: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Recall at k: the share of a list's relevant candidates among its first k (`recall_k` of trec_eval).

    Args:
        found: as `ndcg`.
        relevant: as `ndcg`.
        k: as `ndcg`.

    Returns:
        (lists,) float64.

    Raises:
        EvaluationError: as `ndcg`.
    """
    gains, ideal = _checked(found, relevant, k)
    return _share((gains[:, :k] > 0).sum(axis=1), ideal)


def average_precision(found: NDArray[np.int64], relevant: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Average precision at k: the sum of i / rank of the i-th relevant candidate among the first k, over the relevant.

    `map_cut_k` of trec_eval, `AP@k` of ir-measures; relevant candidates further down count as never found.

    Args:
        found: as `ndcg`.
        relevant: as `ndcg`.
        k: as `ndcg`.

    Returns:
        (lists,) float64.

    Raises:
        EvaluationError: as `ndcg`.
    """
    gains, ideal = _checked(found, relevant, k)
    hits = gains[:, :k] > 0
    precision = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    return _share((precision * hits).sum(axis=1), ideal)


def reciprocal_rank(found: NDArray[np.int64], relevant: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Reciprocal rank at k: 1 / rank of the first relevant candidate, 0 where none is among the first k (`RR@k`).

    Args:
        found: as `ndcg`.
        relevant: as `ndcg`.
        k: as `ndcg`.

    Returns:
        (lists,) float64.

    Raises:
        EvaluationError: as `ndcg`.
    """
    gains, _ = _checked(found, relevant, k)
    hits = gains[:, :k] > 0
    if not hits.shape[1]:
        return np.zeros(len(hits))
    return np.where(hits.any(axis=1), 1 / (1 + hits.argmax(axis=1)), 0.0)


def _discounted(gains: NDArray[np.int64]) -> NDArray[np.float64]:
    total: NDArray[np.float64] = gains @ (1 / np.log2(np.arange(2, gains.shape[1] + 2)))
    return total


def _share(sums: NDArray[np.float64], ideal: NDArray[np.int64]) -> NDArray[np.float64]:
    """Divide by the number of relevant candidates."""
    share: NDArray[np.float64] = sums / (ideal > 0).sum(axis=1)
    return share


def _checked(
    found: NDArray[np.int64], relevant: NDArray[np.int64], k: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if k < 1:
        raise EvaluationError(f"a measure at {k}: the depth must be at least 1")
    if found.ndim != 2 or relevant.ndim != 2 or len(found) != len(relevant):
        raise EvaluationError(
            f"relevance of shape {found.shape} and of all relevant ones {relevant.shape}; expected (lists, depth) and"
            " (lists, relevant)"
        )
    gains, ideal = np.maximum(found, 0), np.maximum(relevant, 0)
    if not ideal.any(axis=1).all():
        first = int(np.flatnonzero(~ideal.any(axis=1))[0])
        raise EvaluationError(f"list {first} has no relevant candidate; leave such lists out")
    return gains, ideal
