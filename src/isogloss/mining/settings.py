"""What is mined: validated before anything is read or encoded."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from isogloss.errors import RecipeError

Search = Literal["within", "parallel", "all"]
Pick = Literal["first", "random"]
Existing = Literal["keep", "pool", "drop"]

_CHOICES = {"search": Search, "pick": Pick, "existing": Existing}


@dataclass(frozen=True)
class MiningSettings:
    """How negatives are looked for, and which of those found are taken.

    Attributes:
        count: negatives mined a language version, at most.
        rank_from: first place of a ranked list that is looked at, from 1; right answers have places too.
        rank_to: last place.
        margin: a negative scores at most the positive's score less this; None sets no such limit.
        relative_margin: a negative scores at most this part of the positive's score (0.95: 95 %, after Moreira et al.
            2024, arXiv 2407.15831, "TopK-PercPos"); None sets no such limit.
        search: ``within`` ranks the passages of a query's own language; ``parallel`` gives an item also what its
            versions in other languages find there; ``all`` ranks the passages of every language for every query.
        pick: ``first`` takes those that stand first in a list, ``random`` any of those found, by seed and id.
        seed: of ``random``.
        existing: what becomes of negatives that are there already: ``keep`` leaves them in front of the mined ones,
            ``pool`` looks for negatives among them too, under the same rules, ``drop`` leaves them out.

    Raises:
        RecipeError: a value makes no sense.
    """

    count: int = 5
    rank_from: int = 2
    rank_to: int = 50
    margin: float | None = None
    relative_margin: float | None = 0.95
    search: Search = "all"
    pick: Pick = "first"
    seed: int = 0
    existing: Existing = "keep"

    def __post_init__(self) -> None:
        """Check every value."""
        if self.count < 1:
            raise RecipeError(f"--count {self.count}: give at least 1")
        if self.rank_from < 1 or self.rank_to < self.rank_from:
            raise RecipeError(
                f"--rank-from {self.rank_from} --rank-to {self.rank_to}: ranks count from 1, and the last cannot"
                " come before the first"
            )
        if self.margin is not None and not math.isfinite(self.margin):
            raise RecipeError(f"--margin {self.margin}: give a number, such as 0.05")
        if self.relative_margin is not None and not 0 < self.relative_margin < math.inf:
            raise RecipeError(
                f"--relative-margin {self.relative_margin}: give a positive number, such as 0.95"
            )
        if self.seed < 0:
            raise RecipeError(f"--seed {self.seed}: give 0 or more")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in get_args(choices):
                raise RecipeError(f"--{name} {getattr(self, name)}: use {', '.join(get_args(choices))}")

    @classmethod
    def of(cls, **values: Any) -> MiningSettings:
        """Settings of values as options give them, not known to be of the right choices."""
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        """The settings in JSON's types."""
        return asdict(self)
