"""The random numbers of one batch, from a counter-based generator keyed by seed and step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class UniformStream:
    """Uniform numbers in [0, 1) that depend on the seed and the step, and on nothing else.

    They are made from the raw 64-bit words of Philox (Salmon et al. 2011, "Parallel random numbers: as easy
    as 1, 2, 3"), whose sequence NumPy keeps fixed between versions, as it does not for the methods of
    `numpy.random.Generator`. The top 53 bits of a word are taken, so that u * n < n in floating point.

    Args:
        seed: From 0 to 2**64 - 1.
        step: From 0 to 2**64 - 1.
    """

    def __init__(self, seed: int, step: int) -> None:
        self._bits = np.random.Philox(key=np.array([seed, step], dtype=np.uint64))

    def take(self, count: int) -> NDArray[np.float64]:
        """The next `count` numbers, float64."""
        words = np.asarray(self._bits.random_raw(count), dtype=np.uint64)
        return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
