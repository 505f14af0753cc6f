"""Holm's correction of a family of p-values."""

from __future__ import annotations

import numpy as np

from isogloss.evaluation.significance.clusters import Floats


def holm(p: Floats) -> Floats:
    """Adjust p-values so that the chance of any false finding in the family is bounded.

    The i-th smallest of m is multiplied by m - i + 1, made at least as large as the one before and at most 1. Valid
    however the tests depend on each other. Source: Holm, "A simple sequentially rejective multiple test procedure",
    Scandinavian Journal of Statistics 6, 1979.

    Args:
        p: (m,) float64, m may be 0.

    Returns:
        (m,) float64 in the order given.
    """
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
