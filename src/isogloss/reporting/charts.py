"""Charts as inline SVG for pages and files: no script, no font, no network.

Colours come from the classes k1 to k8 of `charts.css`; marks and dashes differ as well, so that a chart reads in black
and white. Each chart has the same numbers as a table.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import count

from isogloss.reporting.pages import packaged_text
from isogloss.reporting.tables import Table

WIDTH, HEIGHT = 640, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 12, 44
_KINDS = 8
_DASHES = ("", "6 3", "2 3", "8 3 2 3")
_MARK = 4.5
_LETTER, _LINE = 6.6, 13
"""About how wide a letter is and how high a line of labels."""

_numbers = count(1)


@dataclass(frozen=True)
class Point:
    """A value, perhaps with an interval and a name."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    label: str = ""


@dataclass(frozen=True)
class Series:
    """Points of one kind; a scatter has no line."""

    name: str
    points: tuple[Point, ...]
    line: bool = True


@dataclass(frozen=True)
class Chart:
    """A chart.

    Attributes:
        title: what it shows.
        x_label: of the horizontal axis.
        y_label: of the vertical axis.
        series: in the order of the legend.
        y_up: whether higher is better.
    """

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    y_up: bool = True

    def __post_init__(self) -> None:
        for one in self.series:
            for point in one.points:
                numbers = (point.x, point.y, point.low or 0.0, point.high or 0.0)
                if not all(map(math.isfinite, numbers)):
                    raise ValueError(f"{self.title}: {one.name}: {point} is not finite")


def svg(chart: Chart) -> str:
    """Write a chart as a figure with its legend and title, for a page that has `charts.css`."""
    legend = "".join(
        f'<li class="k{number % _KINDS + 1}"><svg viewBox="0 0 24 12" aria-hidden="true">{_sample(number, one)}</svg>'
        f'<span dir="auto">{escape(one.name)}</span></li>'
        for number, one in enumerate(chart.series)
    )
    note = "" if chart.y_up else " Lower is better."
    return (
        f'<figure class="chart">{_drawing(chart)}<ul class="legend">{legend}</ul>'
        f"<figcaption>{escape(chart.title)}.{note}</figcaption></figure>"
    )


def picture_file(chart: Chart) -> str:
    """Write a chart as an SVG file of its own, legend included."""
    css = packaged_text("reporting/charts.css")
    rows = [
        f'<g class="k{number % _KINDS + 1}" transform="translate({_LEFT} {HEIGHT + 8 + 18 * number})">'
        f'{_sample(number, one)}<text x="30" y="10">{escape(one.name)}</text></g>'
        for number, one in enumerate(chart.series)
    ]
    height = HEIGHT + 16 + 18 * len(rows)
    inside = _drawing(chart, height).replace("</svg>", f"{''.join(rows)}</svg>")
    return inside.replace("<title", f"<style>{css}</style><title", 1) + "\n"


def table(chart: Chart) -> Table:
    """The numbers of a chart."""
    rows = tuple(
        (
            one.name,
            f"{point.x:.6g}",
            f"{point.y:.6g}",
            "" if point.low is None or point.high is None else f"{point.low:.6g} to {point.high:.6g}",
        )
        for one in chart.series
        for point in one.points
    )
    return Table(chart.title, ("", chart.x_label, chart.y_label, "interval"), rows)


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers, 1, 2 or 5 times a power of ten apart, at most `most` of them, that lie in [low, high]."""
    if not high > low:
        return [low]
    step = 10.0 ** math.floor(math.log10((high - low) / most))
    for factor in (1, 2, 5, 10, 20, 50):
        first, last = math.ceil(low / (step * factor) - 1e-9), math.floor(high / (step * factor) + 1e-9)
        if last - first + 1 <= most:
            return [number * step * factor for number in range(first, last + 1)]
    return [low]


@dataclass
class _Axes:
    """From numbers to places in the picture."""

    x: tuple[float, float]
    y: tuple[float, float]
    taken: list[tuple[float, float, float]] = field(default_factory=list)

    def across(self, value: float) -> float:
        return _LEFT + (value - self.x[0]) / (self.x[1] - self.x[0]) * (WIDTH - _LEFT - _RIGHT)

    def down(self, value: float) -> float:
        return HEIGHT - _BOTTOM - (value - self.y[0]) / (self.y[1] - self.y[0]) * (HEIGHT - _TOP - _BOTTOM)

    def label_place(self, x: float, y: float, width: float) -> tuple[float, float]:
        """Where a label beside a point goes: inside the picture, and not on another label."""
        left = x + 8 if x + 8 + width <= WIDTH else x - 8 - width
        left = max(0.0, left)
        for nudge in _nudges():
            top = y + nudge
            if not _TOP <= top <= HEIGHT - _BOTTOM:
                if abs(nudge) > HEIGHT:
                    break
                continue
            if all(
                abs(top - other) >= _LINE or left + width <= start or end <= left
                for start, end, other in self.taken
            ):
                y = top
                break
        self.taken.append((left, left + width, y))
        return left, y


def _nudges() -> Iterator[float]:
    yield 0.0
    for step in range(1, 60):
        yield step * _LINE / 2
        yield -step * _LINE / 2


def _drawing(chart: Chart, height: int = HEIGHT) -> str:
    number = next(_numbers)
    points = [point for one in chart.series for point in one.points]
    axes = _Axes(
        _range([point.x for point in points]),
        _range(
            [value for point in points for value in (point.y, point.low, point.high) if value is not None]
        ),
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        f' aria-labelledby="chart{number}">',
        f'<title id="chart{number}">{escape(chart.title)}: {escape(chart.y_label)} by {escape(chart.x_label)}</title>',
        *_frame(chart, axes),
    ]
    if not points:
        parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT / 2}" text-anchor="middle">no figures</text>')
    for place, one in enumerate(chart.series):
        parts += _series(place, one, axes)
    return "".join([*parts, "</svg>"])


def _frame(chart: Chart, axes: _Axes) -> Iterator[str]:
    bottom, middle = HEIGHT - _BOTTOM, (HEIGHT - _BOTTOM + _TOP) / 2
    for value in ticks(*axes.y):
        y = axes.down(value)
        yield f'<line class="axis" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.6g}</text>'
    for value in ticks(*axes.x):
        x = axes.across(value)
        yield f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 5}"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{value:.6g}</text>'
    yield f'<text x="{(WIDTH + _LEFT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(chart.x_label)}</text>'
    yield (
        f'<text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">{escape(chart.y_label)}</text>'
    )


def _series(place: int, one: Series, axes: _Axes) -> Iterator[str]:
    yield f'<g class="k{place % _KINDS + 1}">'
    places = [(axes.across(point.x), axes.down(point.y)) for point in one.points]
    if one.line and len(places) > 1:
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        dash = _DASHES[place % len(_DASHES)]
        yield f'<path class="line" d="M{path}"{f""" stroke-dasharray="{dash}" """ if dash else ""}/>'
    for point, (x, y) in zip(one.points, places, strict=True):
        if point.low is not None and point.high is not None:
            top, bottom = axes.down(point.high), axes.down(point.low)
            yield (
                f'<path class="whisker" d="M{x:.1f} {top:.1f}V{bottom:.1f}M{x - 4:.1f} {top:.1f}H{x + 4:.1f}'
                f'M{x - 4:.1f} {bottom:.1f}H{x + 4:.1f}"/>'
            )
        yield _mark(place, x, y)
        if point.label:
            text = point.label if len(point.label) <= 40 else f"{point.label[:39]}…"
            left, base = axes.label_place(x, y, len(text) * _LETTER)
            yield f'<text x="{left:.1f}" y="{base + 4:.1f}">{escape(text)}</text>'
    yield "</g>"


def _mark(place: int, x: float, y: float) -> str:
    """A point: circle, square, triangle, diamond, cross and so on, by the series' place."""
    r = _MARK
    shapes = (
        f"M{x - r:.1f} {y:.1f}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0Z",
        f"M{x - r:.1f} {y - r:.1f}h{2 * r}v{2 * r}h{-2 * r}Z",
        f"M{x:.1f} {y - r:.1f}l{r} {2 * r}h{-2 * r}Z",
        f"M{x:.1f} {y - r:.1f}l{r} {r}l{-r} {r}l{-r} {-r}Z",
        f"M{x - r:.1f} {y - r:.1f}l{2 * r} {2 * r}M{x - r:.1f} {y + r:.1f}l{2 * r} {-2 * r}",
        f"M{x:.1f} {y - r:.1f}v{2 * r}M{x - r:.1f} {y:.1f}h{2 * r}",
        f"M{x:.1f} {y + r:.1f}l{r} {-2 * r}h{-2 * r}Z",
        f"M{x - r:.1f} {y:.1f}h{2 * r}",
    )
    return f'<path class="mark" d="{shapes[place % len(shapes)]}"/>'


def _sample(place: int, one: Series) -> str:
    dash = _DASHES[place % len(_DASHES)]
    line = f'<path class="line" d="M0 6H24"{f""" stroke-dasharray="{dash}" """ if dash else ""}/>'
    return (line if one.line else "") + _mark(place, 12, 6)


def _range(values: Sequence[float]) -> tuple[float, float]:
    """From the least to the greatest with a little room; never empty."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    room = (high - low) * 0.05 or abs(low) * 0.05 or 0.5
    return low - room, high + room
