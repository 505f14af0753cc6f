"""Items joined pair by pair into groups, many pairs at once: a forest of which each tree is a group (union-find)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


class JoinedItems:
    """Groups of items, and how like another one each item is; eight bytes an item, however many pairs are joined.

    Args:
        count: the number of items.

    Attributes:
        values: the highest value of a pair that each item was joined by, 0 for none, float32 of shape (count,).
    """

    def __init__(self, count: int) -> None:
        self._parents = np.arange(count, dtype=np.int32)
        self.values = np.zeros(count, np.float32)

    def join(self, pairs: NDArray[np.integer], values: NDArray[np.floating] | float) -> None:
        """Join the groups of the items of each pair.

        Args:
            pairs: items, shape (pairs, 2).
            values: of the pairs, shape (pairs,), or one for all.
        """
        if not len(pairs):
            return
        of_pairs = np.broadcast_to(np.asarray(values, np.float32), len(pairs))
        np.maximum.at(self.values, pairs.ravel(), np.repeat(of_pairs, 2))
        roots, places = np.unique(self.roots(pairs.ravel()), return_inverse=True)
        ends = places.reshape(-1, 2).T
        graph = coo_array((np.ones(len(pairs), np.bool_), (ends[0], ends[1])), shape=(len(roots), len(roots)))
        _, groups = connected_components(graph, directed=False)
        # Roots are sorted, so the first one of a group is its lowest.
        _, firsts = np.unique(groups, return_index=True)
        self._parents[roots] = roots[firsts][groups]

    def roots(self, items: NDArray[np.integer]) -> NDArray[np.int32]:
        """The lowest item of the group of each item, int32 of the shape of `items`."""
        roots: NDArray[np.int32] = self._parents[items]
        while not np.array_equal(above := self._parents[roots], roots):
            roots = above
        self._parents[items] = roots
        return roots

    def groups(self) -> NDArray[np.int32]:
        """The lowest item of the group of every item, int32 of shape (count,)."""
        return self.roots(np.arange(len(self._parents)))
