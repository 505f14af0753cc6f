"""Which items share a text, told by the items that repeat an earlier one: most items are alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ItemGroups:
    """The group of each item; groups are numbered by their first item, from 0.

    An item that is the first of its group has as its number how many firsts come before it, which is its own
    number less the repeats before it. So only repeats are held: memory grows with them, not with the items.

    Attributes:
        items: Number of items.
        repeats: Shape (repeats,), int64, ascending: the items that are not the first of their group.
        numbers: Shape (repeats,), int64: their groups.
    """

    items: int
    repeats: NDArray[np.int64]
    numbers: NDArray[np.int64]

    @classmethod
    def of(cls, groups: NDArray[np.integer]) -> ItemGroups:
        """Take the repeats out of the group of each item, shape (items,).

        Raises:
            ValueError: the groups are not numbered by their first item, from 0.
        """
        groups = np.asarray(groups)
        highest = np.maximum.accumulate(np.concatenate(([-1], groups)))[:-1]
        first = groups > highest
        if not np.array_equal(groups[first], np.arange(first.sum())) or (len(groups) and groups.min() < 0):
            raise ValueError("groups are not numbered by their first item, from 0")
        repeats = np.flatnonzero(~first)
        return cls(len(groups), repeats, groups[repeats].astype(np.int64))

    def __len__(self) -> int:
        """The number of items."""
        return self.items

    def __getitem__(self, items: NDArray[np.integer]) -> NDArray[np.int64]:
        """The groups of items, int64 of the same shape."""
        items = np.asarray(items, np.int64)
        places = np.searchsorted(self.repeats, items)
        groups: NDArray[np.int64] = items - places
        if len(self.repeats):
            within = np.minimum(places, len(self.repeats) - 1)
            groups = np.where(self.repeats[within] == items, self.numbers[within], groups)
        return groups

    def same_as(self, other: ItemGroups) -> bool:
        """Whether the groups are the other's."""
        return (
            self.items == other.items
            and np.array_equal(self.repeats, other.repeats)
            and np.array_equal(self.numbers, other.numbers)
        )

    def written_out(self) -> NDArray[np.int64]:
        """The group of each item, int64 of shape (items,)."""
        return self[np.arange(self.items)]
