"""Filters: conditions on what is known of a passage, read from text and never pasted into a query language.

    year>=2020    source=handbook    source!=draft    topic in health,travel

A value that reads as a number is compared as one where the passage has a number there, and as a string where it has a
string. A passage without the key meets no condition but `!=`. A list of strings meets `=` and `in` with any of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast

from isogloss.errors import RecipeError

Comparison = Literal["=", "!=", "<", "<=", ">", ">=", "in"]
_CONDITION = re.compile(r"\s*([\w.-]+)\s*(<=|>=|!=|=|<|>|\s+in\s+)\s*(.*?)\s*", re.DOTALL)
_SQL = {"=": "=", "!=": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "in": "="}
MOST_CONDITIONS = 16
MOST_VALUES = 100


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a passage's value with others.

    Attributes:
        key: the value's name.
        comparison: how they are compared.
        values: with what; one, except for `in`.
    """

    key: str
    comparison: Comparison
    values: tuple[str, ...]

    def __str__(self) -> str:
        between = " in " if self.comparison == "in" else self.comparison
        return f"{self.key}{between}{','.join(self.values)}"


def read_conditions(texts: Iterable[str]) -> tuple[Condition, ...]:
    """Read conditions.

    Args:
        texts: one condition each, as above.

    Raises:
        RecipeError: a text is no condition, or there are too many.
    """
    found = []
    for text in texts:
        match = _CONDITION.fullmatch(text)
        if match is None or not match[3]:
            raise RecipeError(
                f"filter {text!r}: not understood; write KEY=VALUE, or !=, <, <=, >, >=, or 'KEY in A,B'"
            )
        comparison = cast(Comparison, match[2].strip())
        values: tuple[str, ...] = (match[3],)
        if comparison == "in":
            values = tuple(one.strip() for one in match[3].split(",") if one.strip())
            if not values:
                raise RecipeError(f"filter {text!r}: names no value")
        if len(values) > MOST_VALUES:
            raise RecipeError(f"filter {text!r}: {len(values)} values; at most {MOST_VALUES}")
        found.append(Condition(match[1], comparison, values))
    if len(found) > MOST_CONDITIONS:
        raise RecipeError(f"{len(found)} filters; at most {MOST_CONDITIONS}")
    return tuple(found)


def as_sql(conditions: Iterable[Condition], column: str) -> tuple[str, list[str | float]]:
    """Turn conditions into an SQL expression over a column of JSON objects, with every word of the user's bound.

    Args:
        conditions: all of which a row has to meet.
        column: the column's name.

    Returns:
        The expression, true where all are met, and the values to bind in it.
    """
    parts: list[str] = []
    bound: list[str | float] = []
    for condition in conditions:
        tests = []
        key: list[str | float] = [condition.key]
        for value in condition.values:
            sign = _SQL[condition.comparison]
            number = _number(value)
            test = f"(type = 'text' AND atom {sign} ?)"
            key.append(value)
            if number is not None:
                test += f" OR (type IN ('integer', 'real') AND atom {sign} ?)"
                key.append(number)
            if value in ("true", "false") and sign == "=":
                test += f" OR type = '{value}'"
            tests.append(f"({test})")
        # A list's members have its key nowhere but in their path; json_tree gives both.
        inside = (
            f"EXISTS (SELECT 1 FROM (SELECT child.type, child.atom FROM json_each({column}) AS parent,"
            f" json_tree(parent.value) AS child WHERE parent.key = ? AND parent.type = 'array'"
            f" UNION ALL SELECT type, atom FROM json_each({column}) WHERE key = ?) WHERE {' OR '.join(tests)})"
        )
        bound.append(condition.key)
        bound.extend(key)
        parts.append(f"NOT {inside}" if condition.comparison == "!=" else inside)
    return " AND ".join(parts) or "1", bound


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
