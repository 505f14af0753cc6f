"""What the planner has to know of a dataset: which item exists in which language, and which items clash."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isogloss.errors import PlanError


@dataclass(frozen=True, eq=False)
class PlanningData:
    """One dataset as integers, without its texts.

    Attributes:
        name: Name of the dataset, used in messages and in the composition of a run.
        languages: Language codes, one a column of `available`, all different.
        available: Shape (items, languages), bool: the item has a query and a passage in that language.
        groups: Shape (items,), int64. Items that share a query or a passage text (in any language) have
            the same number; no two items of a group enter the same batch.

    Raises:
        PlanError: The shapes or dtypes do not fit, or a language is named twice.
    """

    name: str
    languages: tuple[str, ...]
    available: NDArray[np.bool_]
    groups: NDArray[np.int64]

    def __post_init__(self) -> None:
        languages = tuple(self.languages)
        # asarray keeps a memory-mapped file mapped, and gives plain arrays, which index faster.
        available = np.asarray(self.available)
        groups = np.asarray(self.groups)
        where = f"dataset {self.name!r}"
        if len(set(languages)) != len(languages):
            raise PlanError(f"{where}: a language is named twice in {', '.join(languages)}; name each once.")
        if available.dtype != np.bool_ or available.ndim != 2 or available.shape[1] != len(languages):
            raise PlanError(
                f"{where}: `available` is {available.dtype} of shape {available.shape}; "
                f"it has to be bool of shape (items, {len(languages)})."
            )
        if groups.dtype.kind not in "iu" or groups.shape != available.shape[:1]:
            raise PlanError(
                f"{where}: `groups` is {groups.dtype} of shape {groups.shape}; "
                f"it has to be integers of shape ({available.shape[0]},)."
            )
        object.__setattr__(self, "languages", languages)
        object.__setattr__(self, "available", available)
        object.__setattr__(self, "groups", groups)

    def __len__(self) -> int:
        """Number of items."""
        return int(self.available.shape[0])
