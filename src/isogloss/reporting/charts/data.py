"""What a chart shows, and the same numbers as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

from isogloss.reporting.charts.scale import decimals_of
from isogloss.reporting.tables import Table


@dataclass(frozen=True)
class Point:
    """A point, where wanted with an interval around `y`.

    Attributes:
        x: across.
        y: upwards.
        low: the interval's lower end; None: the interval begins at `y`, or there is none.
        high: the interval's upper end; None: the interval ends at `y`, or there is none.
        label: the point's name: written beside it in a scatter, and shown by the pointer in every series.

    Raises:
        ValueError: a number is not finite, or `low` is above `high`.
    """

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    label: str = ""

    def __post_init__(self) -> None:
        numbers = {"x": self.x, "y": self.y, "low": self.low, "high": self.high}
        for name, value in numbers.items():
            if value is not None and not isfinite(value):
                raise ValueError(f"a point of a chart ({self.label or 'no label'}) has {name} = {value}")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"a point of a chart has an interval from {self.low} to {self.high}")

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends of the interval; None where there is none."""
        if self.low is None and self.high is None:
            return None
        return (
            self.y if self.low is None else self.low,
            self.y if self.high is None else self.high,
        )


@dataclass(frozen=True)
class Series:
    """Points under one name.

    Attributes:
        name: stands in the legend; empty: not in the legend.
        points: in the order in which the line meets them.
        line: whether the points are joined; False: a scatter, with the points' labels beside them.
    """

    name: str
    points: tuple[Point, ...]
    line: bool = True


@dataclass(frozen=True)
class Chart:
    """A chart.

    Attributes:
        title: the caption.
        x_label: what lies across, with its unit.
        y_label: what lies upwards, with its unit.
        series: drawn in this order, the last on top.
        y_up: whether higher is better; False: the caption says that lower is.
        reference: names and heights of horizontal dashed lines.

    Raises:
        ValueError: a reference is not finite.
    """

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    y_up: bool = True
    reference: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        for name, value in self.reference:
            if not isfinite(value):
                raise ValueError(f"a chart's reference line {name!r} lies at {value}")

    @property
    def points(self) -> list[Point]:
        """The points of all series."""
        return [point for one in self.series for point in one.points]

    @property
    def heights(self) -> list[float]:
        """Every number that the vertical axis has to hold."""
        ends = [end for point in self.points for end in point.interval or ()]
        return [*(point.y for point in self.points), *ends, *(value for _, value in self.reference)]


def table(chart: Chart) -> Table:
    """Write a chart's numbers as a table: a row a point, then a row a reference line.

    Labels and intervals have columns only where a point has them. Numbers are written with as many decimals as they
    have, up to two more than the axis shows.
    """
    points = chart.points
    labelled = any(point.label for point in points)
    intervals = any(point.interval for point in points)
    across = _writer([point.x for point in points])
    upwards = _writer(chart.heights)

    def row(name: str, label: str, x: str, y: float, interval: tuple[float, float] | None) -> tuple[str, ...]:
        ends = (upwards(interval[0]), upwards(interval[1])) if interval else ("–", "–")
        return (name, *([label] if labelled else []), x, upwards(y), *(ends if intervals else ()))

    better = "" if chart.y_up else " (lower is better)"
    header = ("series", *(["point"] if labelled else []), chart.x_label, chart.y_label + better)
    rows = [
        row(one.name, point.label, across(point.x), point.y, point.interval)
        for one in chart.series
        for point in one.points
    ]
    rows += [row(name, "", "–", value, None) for name, value in chart.reference]
    return Table(
        chart.title,
        (*header, *(["from", "to"] if intervals else [])),
        tuple(rows),
        words=2 if labelled else 1,
    )


def _writer(values: Sequence[float]) -> Callable[[float], str]:
    """How to write the numbers of a column: all with the same decimals."""
    if not values:
        return str
    most = max(0, decimals_of(min(values), max(values)) + 2)
    if most > 12 or max(map(abs, values)) >= 1e12:
        return lambda value: f"{value:.6g}"
    exact = (decimals for decimals in range(most) if all(round(one, decimals) == one for one in values))
    decimals = next(exact, most)
    return lambda value: f"{value:,.{decimals}f}"
