"""Paired randomisation tests: were the two runs' names exchangeable, how often would they differ as much?

Under the null hypothesis the two systems are exchangeable on each cluster: which one's values are called A's is a
coin's toss, and tossing it swaps them, which flips the sign of the cluster's difference. The p-value is the share of
tosses whose difference is at least as large, either way, as the observed one. Source: Fisher 1935; for retrieval
Smucker, Allan and Carterette, "A comparison of statistical significance tests for information retrieval evaluation",
CIKM 2007.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isogloss.evaluation.significance.clusters import Floats

BLOCK_BYTES = 64 << 20
# Sums of the same numbers in another order differ in their last digits; outcomes that close are equal.
_RELATIVE_TOLERANCE = 1e-11


@dataclass(frozen=True)
class SignFlips:
    """p-values of paired randomisation tests.

    Attributes:
        p: (F,) float64, two-sided.
        exact: (F,) bool, whether all sign vectors were gone through rather than drawn.
    """

    p: Floats
    exact: NDArray[np.bool_]


def sign_flip_test(
    differences: Floats,
    *,
    permutations: int,
    generator: np.random.Generator,
    progress: Callable[[int, int], None] | None = None,
) -> SignFlips:
    """Test for each figure whether the sum of its clusters' differences could be the coin's doing.

    Clusters without a difference change nothing and are left out. With n clusters left, all 2^n sign vectors are gone
    through if they are at most `permutations`; else as many are drawn, and the observed one counts as one more:
    p = (1 + hits) / (1 + permutations), never 0 (Phipson and Smyth 2010). All figures share the drawn signs.

    Args:
        differences: (K, F) float64, what each cluster adds to each figure's difference.
        permutations: how many sign vectors, at least 1.
        generator: where the signs come from.
        progress: called with the sign vectors drawn and their number.
    """
    nonzero = np.count_nonzero(differences, axis=0)
    exact = nonzero <= np.log2(permutations)
    p = np.ones(differences.shape[1])
    for figure in np.flatnonzero(exact):
        p[figure] = _exact(differences[differences[:, figure] != 0, figure])
    drawn = np.flatnonzero(~exact)
    if len(drawn):
        p[drawn] = _drawn(differences[:, drawn], permutations, generator, progress)
    return SignFlips(p, exact)


def _exact(differences: Floats) -> float:
    if len(differences) == 0:
        return 1.0
    # The opposite of every sign vector gives the same distance from zero: the first sign can stay.
    totals = differences[:1]
    for one in differences[1:]:
        totals = np.concatenate([totals + one, totals - one])
    return float(np.mean(np.abs(totals) >= _bound(differences[:, None])[0]))


def _drawn(
    differences: Floats,
    permutations: int,
    generator: np.random.Generator,
    progress: Callable[[int, int], None] | None,
) -> Floats:
    clusters, figures = differences.shape
    bound = _bound(differences)
    hits = np.zeros(figures, dtype=np.int64)
    # The block is a function of the data's size alone: the same seed gives the same signs on every machine.
    block = max(1, BLOCK_BYTES // (8 * max(clusters, figures)))
    for done in range(0, permutations, block):
        rows = min(block, permutations - done)
        bits = generator.integers(0, 256, (rows, (clusters + 7) // 8), dtype=np.uint8)
        signs = np.unpackbits(bits, axis=1, count=clusters).astype(np.float64)
        signs *= 2.0
        signs -= 1.0
        hits += np.count_nonzero(np.abs(signs @ differences) >= bound, axis=0)
        if progress is not None:
            progress(done + rows, permutations)
    return np.asarray((1 + hits) / (1 + permutations))


def _bound(differences: Floats) -> Floats:
    return np.asarray(np.abs(differences.sum(axis=0)) - _RELATIVE_TOLERANCE * np.abs(differences).sum(axis=0))
