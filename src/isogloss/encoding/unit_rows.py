"""Vectors that came from elsewhere, checked and brought to unit length."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from isogloss.errors import ModelError


def unit_rows(vectors: NDArray[np.float32], describe: Callable[[int], str]) -> NDArray[np.float32]:
    """Bring vectors to unit length.

    Args:
        vectors: float32, shape (n, d).
        describe: what to call the vector of a row in errors.

    Returns:
        float32, shape (n, d).

    Raises:
        ModelError: a vector holds NaN or an infinity, or is all zeros, so that it has no cosine; says which.
    """
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise ModelError(
            f"{describe(int(np.argmin(finite)))} holds NaN or an infinity, and so do"
            f" {np.count_nonzero(~finite)} of {len(vectors)} in all; such vectors cannot be ranked"
        )
    # In float64 no square of a float32 overflows or vanishes.
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    if not lengths.all():
        raise ModelError(
            f"{describe(int(np.argmin(lengths)))} is all zeros, and so are {np.count_nonzero(lengths == 0)} of"
            f" {len(vectors)} in all; such a vector has no direction and no cosine"
        )
    return np.asarray(vectors / lengths[:, None], dtype=np.float32)
