"""Alpha over a run: the probability that a hybrid batch is monolingual, constant or changing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from isogloss.errors import RecipeError

_FORMS = 'write "0.5" (constant), "0.8:0.2" (from start to end) or "0:0.9,0.5:0.5,1:0.1" (fraction:alpha)'


@dataclass(frozen=True)
class AlphaSchedule:
    """Alpha as a piecewise linear function of how much of the run is done.

    Attributes:
        points: (fraction of the run, alpha) with growing fractions, all in [0, 1]. Between two points alpha
            is interpolated; before the first and after the last it stays at theirs. The first step of a run
            is fraction 0, its last step fraction 1.

    Raises:
        RecipeError: No point is given, a number is outside [0, 1], or the fractions do not grow.

    Examples:
        >>> AlphaSchedule.parse("0.8:0.2").at(step=5, steps=11)
        0.5
        >>> str(AlphaSchedule.parse("0.8:0.2"))
        '0:0.8,1:0.2'
    """

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        points = tuple((float(fraction), float(alpha)) for fraction, alpha in self.points)
        if not points:
            raise RecipeError(f"alpha: no point is given; {_FORMS}.")
        for fraction, alpha in points:
            if not 0 <= alpha <= 1:
                raise RecipeError(f"alpha: {alpha:g} is outside [0, 1]; it is a probability.")
            if not 0 <= fraction <= 1:
                raise RecipeError(f"alpha: {fraction:g} is no fraction of the run, which is in [0, 1].")
        for (before, _), (after, _) in pairwise(points):
            if after <= before:
                raise RecipeError(f"alpha: fraction {after:g} follows {before:g}; fractions have to grow.")
        object.__setattr__(self, "points", points)

    @classmethod
    def constant(cls, alpha: float) -> AlphaSchedule:
        """The same alpha at every step."""
        return cls(((0.0, alpha),))

    @classmethod
    def parse(cls, text: str) -> AlphaSchedule:
        """Read "0.5", "0.8:0.2" (linear from start to end) or "0:0.9,0.5:0.5,1:0.1" (fraction:alpha points).

        Raises:
            RecipeError: The text has none of these forms, or its numbers make no schedule.
        """
        try:
            parts = [[float(number) for number in part.split(":")] for part in text.split(",")]
        except ValueError:
            raise RecipeError(f"alpha: {text!r} is no number and no schedule; {_FORMS}.") from None
        if len(parts) == 1 and len(parts[0]) == 1:
            return cls.constant(parts[0][0])
        if any(len(part) != 2 for part in parts):
            raise RecipeError(f"alpha: {text!r} is no number and no schedule; {_FORMS}.")
        if len(parts) == 1:
            start, end = parts[0]
            return cls(((0.0, start), (1.0, end)))
        return cls(tuple((fraction, alpha) for fraction, alpha in parts))

    @property
    def lowest(self) -> float:
        """The smallest alpha of any point."""
        return min(alpha for _, alpha in self.points)

    @property
    def highest(self) -> float:
        """The largest alpha of any point."""
        return max(alpha for _, alpha in self.points)

    @property
    def is_constant(self) -> bool:
        """Whether alpha is the same at every step, so that the length of the run does not matter."""
        return self.lowest == self.highest

    def at(self, step: int, steps: int | None) -> float:
        """Alpha at a step of a run.

        Args:
            step: Step, from 0. Steps past the end of the run keep the last alpha.
            steps: Length of the run in steps; only a constant schedule does without.

        Raises:
            RecipeError: The schedule changes over the run and `steps` is None.
        """
        if self.is_constant:
            return self.points[0][1]
        if steps is None:
            raise RecipeError(f"steps: not given, but alpha {self} changes over the run; say how long it is.")
        fraction = min(step / (steps - 1), 1.0) if steps > 1 else 0.0
        fractions, alphas = zip(*self.points, strict=True)
        return float(np.interp(fraction, fractions, alphas))

    def __str__(self) -> str:
        if len(self.points) == 1:
            return f"{self.points[0][1]!r}"
        return ",".join(f"{fraction:g}:{alpha!r}" for fraction, alpha in self.points)
