"""What is said of a measure in one place, for the command line, the results and the docs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Better = Literal["higher", "lower", "neither"]

ListValues = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]]
"""Takes the ranks of relevant candidates and the offsets of their lists; gives a value a list."""


@dataclass(frozen=True)
class Definition:
    """A measure.

    Attributes:
        key: its name in results, in per-query tables and in code: "recall@10".
        label: its name in tables for people: "R@10".
        description: one sentence without a full stop.
        formula: how it is computed for one query.
        low: the smallest possible value; None where there is no bound.
        high: the largest possible value; None where there is no bound.
        better: which direction is better; "neither" where both ends are bias.
        settings: the settings it is measured in.
        source: where the definition comes from.
        decimals: digits after the point in tables.
        even: what a model without language bias gets; empty for measures of quality.
        second_pass: whether it needs the scores a second time (`isogloss.evaluation.second_pass`).
        per_query: whether every query has a value of its own.
        by_pair: whether it is measured by pair of languages rather than by query language.
    """

    key: str
    label: str
    description: str
    formula: str
    low: float | None
    high: float | None
    better: Better
    settings: tuple[str, ...]
    source: str
    decimals: int = 3
    even: str = ""
    second_pass: bool = False
    per_query: bool = True
    by_pair: bool = False

    @property
    def range(self) -> str:
        """The range in words: "0 to 1", "0 up"."""
        low, high = (None if end is None else f"{end:g}" for end in (self.low, self.high))
        if low is None:
            return "any number" if high is None else f"up to {high}"
        return f"{low} up" if high is None else f"{low} to {high}"


def first_places(k: int) -> str:
    """The first k places in words."""
    return "the first place" if k == 1 else f"the first {k} places"


@dataclass(frozen=True)
class ListMeasure:
    """A measure of quality that the ranks of a list's relevant candidates give.

    Attributes:
        definition: what it is.
        values: computes it for many lists.
    """

    definition: Definition
    values: ListValues

    @classmethod
    def of(
        cls, values: ListValues, *, key: str, label: str, description: str, formula: str, source: str
    ) -> ListMeasure:
        """A measure from 0 to 1, higher is better, in every setting."""
        definition = Definition(
            key=key,
            label=label,
            description=description,
            formula=formula,
            low=0,
            high=1,
            better="higher",
            settings=("mono", "cross", "multi"),
            source=source,
        )
        return cls(definition, values)
