"""What the planner has to know of a dataset: which item exists in which language, and which items clash."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isogloss.errors import PlanError
from isogloss.items import Availability, ItemGroups


@dataclass(frozen=True, eq=False)
class PlanningData:
    """One dataset as integers, without its texts.

    Attributes:
        name: Name of the dataset, used in messages and in the composition of a run.
        languages: Language codes, one a column of `available`, all different.
        available: Shape (items, languages), bool: the item has a query and a passage in that language. Or the
            same as `Availability`, which a planner need not look through.
        groups: Shape (items,), int64. Items that share a query or a passage text (in any language) have
            the same number; no two items of a group enter the same batch. Or the same as `ItemGroups`.

    Raises:
        PlanError: The shapes or dtypes do not fit, or a language is named twice.
    """

    name: str
    languages: tuple[str, ...]
    available: NDArray[np.bool_] | Availability
    groups: NDArray[np.int64] | ItemGroups

    def __post_init__(self) -> None:
        languages = tuple(self.languages)
        where = f"dataset {self.name!r}"
        if len(set(languages)) != len(languages):
            raise PlanError(f"{where}: a language is named twice in {', '.join(languages)}; name each once.")
        object.__setattr__(self, "languages", languages)
        object.__setattr__(self, "available", self._checked_available(where))
        object.__setattr__(self, "groups", self._checked_groups(where))

    def __len__(self) -> int:
        """Number of items."""
        return len(self.available)

    def availability(self) -> Availability:
        """Which item exists in which language, by pattern; made anew of an array, as that may have changed."""
        if isinstance(self.available, Availability):
            return self.available
        return Availability.of(self.available)

    def _checked_available(self, where: str) -> NDArray[np.bool_] | Availability:
        if isinstance(self.available, Availability):
            if self.available.languages != len(self.languages):
                raise PlanError(
                    f"{where}: `available` has {self.available.languages} languages; "
                    f"it has to have {len(self.languages)}."
                )
            return self.available
        # asarray keeps a memory-mapped file mapped, and gives plain arrays, which index faster.
        available = np.asarray(self.available)
        if available.dtype != np.bool_ or available.ndim != 2 or available.shape[1] != len(self.languages):
            raise PlanError(
                f"{where}: `available` is {available.dtype} of shape {available.shape}; "
                f"it has to be bool of shape (items, {len(self.languages)})."
            )
        return available

    def _checked_groups(self, where: str) -> NDArray[np.int64] | ItemGroups:
        if isinstance(self.groups, ItemGroups):
            if len(self.groups) != len(self):
                raise PlanError(
                    f"{where}: `groups` is of {len(self.groups)} items; it has to be of {len(self)}."
                )
            return self.groups
        groups = np.asarray(self.groups)
        if groups.dtype.kind not in "iu" or groups.shape != (len(self),):
            raise PlanError(
                f"{where}: `groups` is {groups.dtype} of shape {groups.shape}; "
                f"it has to be integers of shape ({len(self)},)."
            )
        return groups
