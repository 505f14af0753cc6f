"""A chart drawn as SVG inside an HTML figure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import pairwise

from isogloss.reporting.charts.data import Chart, Point, Series
from isogloss.reporting.charts.labels import (
    FONT,
    LINE,
    Box,
    beside,
    clean,
    least_taken,
    length,
    shortened,
    written,
)
from isogloss.reporting.charts.scale import Scale, scale_over
from isogloss.reporting.pages import packaged_text

# Narrow, so that texts can still be read where a telephone shrinks the picture to its width.
WIDTH, HEIGHT = 440.0, 290.0
_TOP, _BOTTOM, _RIGHT = 30.0, 42.0, 12.0
_INSET = 12.0  # from the frame to the outermost mark
_COLOURS, _DASHES = 8, 5
_RADIUS = 4.0
_MOST_ACROSS, _MOST_UPWARDS = 7, 6

# Around the origin. Seven shapes, eight colours and five dash patterns repeat together only after 280 series.
_SHAPES = {
    "circle": "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z",
    "square": "m-3.5 -3.5h7v7h-7Z",
    "triangle": "m0 -4.5l4.5 8h-9Z",
    "diamond": "m0 -5l5 5l-5 5l-5 -5Z",
    "cross": "m-3.5 -3.5l7 7m0 -7l-7 7",
    "drop": "m0 4.5l4.5 -8h-9Z",
    "plus": "m-4.5 0h9m-4.5 -4.5v9",
}


def style() -> str:
    """The CSS that charts need; it takes --ink, --soft, --line and --ground from the page where it sets them."""
    return packaged_text("reporting/charts.css")


def svg(chart: Chart) -> str:
    """Draw a chart as an HTML figure with caption, inline SVG and legend, well-formed as XML too.

    Series differ in colour (the classes k1 to k8, which the page's CSS sets), in the shape of their marks and in the
    dashes of their lines. The identifiers inside come from the chart's content: draw a chart once a page.

    Raises:
        ValueError: a number is too large to be drawn (beyond 1e300).
    """
    picture = _Picture(chart)
    name = "chart-" + sha256(repr(chart).encode("utf-8", "replace")).hexdigest()[:12]
    note = "" if chart.y_up else ' <span class="note">Lower is better.</span>'
    return "\n".join(
        [
            '<figure class="chart">',
            f'<figcaption><span dir="auto">{clean(chart.title)}</span>{note}</figcaption>',
            f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" font-size="{FONT:g}" role="img" '
            f'aria-labelledby="{name}-title {name}-text">',
            f'<title id="{name}-title">{clean(chart.title)}</title>',
            f'<desc id="{name}-text">{clean(_said(chart))}</desc>',
            *picture.axes(),
            *picture.references(),
            *picture.texts(),
            *(part for number in range(len(chart.series)) for part in picture.series(number)),
            "</svg>",
            *_legend(chart),
            "</figure>",
        ]
    )


@dataclass(frozen=True)
class _Picture:
    """A chart with its axes and the places of everything on them."""

    chart: Chart

    @cached_property
    def y(self) -> Scale | None:
        """The vertical axis, upwards."""
        heights = self.chart.heights
        start, end = HEIGHT - _BOTTOM - _INSET, _TOP + _INSET
        return scale_over(min(heights), max(heights), _MOST_UPWARDS, start, end) if heights else None

    @cached_property
    def frame(self) -> Box:
        """The space between the axes."""
        names = self.y.names if self.y else ()
        left = max(map(length, names), default=0.0) + 10
        return Box(left, _TOP, WIDTH - _RIGHT, HEIGHT - _BOTTOM)

    @cached_property
    def x(self) -> Scale | None:
        """The horizontal axis, with as many ticks as their names leave room for."""
        values = [point.x for point in self.chart.points]
        if not values:
            return None
        start, end = self.frame.left + _INSET, self.frame.right - _INSET
        for most in range(_MOST_ACROSS, 3, -1):
            scale = scale_over(min(values), max(values), most, start, end)
            if sum(length(name) + FONT for name in scale.names) <= end - start:
                return scale
        return scale_over(min(values), max(values), 3, start, end)

    @cached_property
    def places(self) -> list[list[tuple[float, float]]]:
        """Where the marks of each series are; lines with intervals step aside, so that none hides another's."""
        if self.x is None or self.y is None:
            return [[] for _ in self.chart.series]
        all_series = self.chart.series
        aside = [
            n for n, one in enumerate(all_series) if one.line and any(point.interval for point in one.points)
        ]
        step = min(5.0, 2 * (_INSET - _RADIUS - 1) / max(1, len(aside) - 1))
        shifts = {number: (place - (len(aside) - 1) / 2) * step for place, number in enumerate(aside)}
        return [
            [(self.x.place(point.x) + shifts.get(number, 0.0), self.y.place(point.y)) for point in one.points]
            for number, one in enumerate(all_series)
        ]

    def axes(self) -> list[str]:
        """Grid, ticks and the names of the axes."""
        left, top, right, bottom = self.frame
        parts = []
        if self.y:
            for value, name in zip(self.y.values, self.y.names, strict=True):
                place = self.y.place(value)
                parts.append(_line("grid", left, place, right, place))
                parts.append(written(name, left - 6, place, "end", name="tick"))
        if self.x:
            for value, name in zip(self.x.values, self.x.names, strict=True):
                place = self.x.place(value)
                parts.append(_line("axis", place, bottom, place, bottom + 4))
                half = length(name) / 2
                parts.append(
                    written(name, min(max(place, half), WIDTH - half), bottom + 14, "middle", name="tick")
                )
        parts.append(_line("axis", left, bottom, right, bottom))
        parts.append(_line("axis", left, top, left, bottom))
        parts.append(written(self.chart.y_label, 0, 12, room=WIDTH, name="label"))
        middle = (left + right) / 2
        room = 2 * min(middle, WIDTH - middle)
        parts.append(written(self.chart.x_label, middle, HEIGHT - 10, "middle", room, "label"))
        if not self.chart.points:
            parts.append(written("No data", middle, (top + bottom) / 2, "middle", name="empty"))
        return parts

    def references(self) -> list[str]:
        """The dashed lines."""
        if self.y is None:
            return []
        heights = [self.y.place(value) for _, value in self.chart.reference]
        return [_line("reference", self.frame.left, place, self.frame.right, place) for place in heights]

    def series(self, number: int) -> list[str]:
        """The line, the intervals and the marks of a series."""
        one, places = self.chart.series[number], self.places[number]
        parts = [f'<g class="{_colour(number)}">']
        if one.line and len(places) > 1:
            course = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
            parts.append(f'<path class="line {_dash(number)}" d="M{course}"/>')
        for point, (x, _) in zip(one.points, places, strict=True):
            if point.interval and self.y:
                low, high = map(self.y.place, point.interval)
                course = f"M{x:.1f} {low:.1f}V{high:.1f}M{x - 3:.1f} {low:.1f}h6M{x - 3:.1f} {high:.1f}h6"
                parts.append(f'<path class="whisker" d="{course}"/>')
        for point, place in zip(one.points, places, strict=True):
            parts.append(
                _mark(number, *place, f"<title>{clean(_pointed_at(self.chart, one, point))}</title>")
            )
        return [*parts, "</g>"]

    def texts(self) -> list[str]:
        """Names of reference lines and labels of scatters, each where least is in its way; marks lie over them."""
        if self.y is None:
            return []
        taken, parts = self._taken(), []
        frame = self.frame
        room = 0.42 * (frame.right - frame.left)
        for name, value in self.chart.reference:
            size, place = length(shortened(name, room)), self.y.place(value)
            tops = (place - LINE - 1, place + 1)
            lefts = (frame.right - size - 2, frame.left + 4)
            box = least_taken([Box(x, top, x + size, top + LINE) for x in lefts for top in tops], taken)
            taken.append(box)
            parts.append(written(name, box.left, (box.top + box.bottom) / 2, room=room, name="name"))
        labels = [
            (length(shortened(point.label, room)), point.label, place)
            for one, places in zip(self.chart.series, self.places, strict=True)
            for point, place in zip(one.points, places, strict=True)
            if point.label and not one.line
        ]
        # The short ones first: they fit close to their marks, and the long ones find their way around them.
        for size, label, (x, y) in sorted(labels, key=lambda one: one[0]):
            box = least_taken(beside(x, y, size, frame), taken)
            taken.append(box)
            middle = (box.top + box.bottom) / 2
            near = min(max(x, box.left), box.right)
            if abs(middle - y) > 0.8 * LINE:
                edge = middle if near != x else box.bottom if middle < y else box.top
                parts.append(_line("leader", x, y, near, edge))
            if near == x:
                parts.append(written(label, (box.left + box.right) / 2, middle, "middle", room, "name"))
            else:
                parts.append(written(label, near, middle, "start" if near > x else "end", room, "name"))
        return parts

    def _taken(self) -> list[Box]:
        """What labels should not cover: marks, intervals and lines."""
        taken = []
        for one, places in zip(self.chart.series, self.places, strict=True):
            for point, (x, y) in zip(one.points, places, strict=True):
                taken.append(Box(x - 5, y - 5, x + 5, y + 5))
                if point.interval and self.y:
                    low, high = map(self.y.place, point.interval)
                    taken.append(Box(x - 3, high, x + 3, low))
            for (x, y), (to_x, to_y) in pairwise(places) if one.line else ():
                pieces = 1 + int(max(abs(to_x - x), abs(to_y - y)) / 8)
                for piece in range(pieces):
                    share = (piece + 0.5) / pieces
                    at, height = x + share * (to_x - x), y + share * (to_y - y)
                    taken.append(Box(at - 4, height - 4, at + 4, height + 4))
        return taken


def _legend(chart: Chart) -> list[str]:
    """The series by name, each with its line and mark; HTML, so that it wraps and takes names of any length."""
    entries = []
    for number, one in enumerate(chart.series):
        if one.name:
            drawn = f'<svg viewBox="0 0 30 12" aria-hidden="true">{sample(number, one)}</svg>'
            entries.append(f'<li>{drawn} <bdi dir="auto">{clean(one.name)}</bdi></li>')
    return ['<ul class="legend">', *entries, "</ul>"] if entries else []


def sample(number: int, one: Series) -> str:
    """A series' line and mark for a legend, 30 wide and 12 high."""
    line = f'<path class="line {_dash(number)}" d="M0 6H30"/>' if one.line else ""
    return f'<g class="{_colour(number)}">{line}{_mark(number, 15, 6)}</g>'


def _said(chart: Chart) -> str:
    """What a reader who cannot see the picture hears."""
    x = [point.x for point in chart.points]
    said = [f"{chart.y_label} by {chart.x_label}."]
    for one in chart.series:
        heights = [point.y for point in one.points]
        count = f"{len(heights)} {'point' if len(heights) == 1 else 'points'}"
        span = f", from {min(heights):.4g} to {max(heights):.4g}" if heights else ""
        said.append(f"{one.name or 'Unnamed series'}: {count}{span}.")
    said += [f"Line at {value:.4g}: {name}." for name, value in chart.reference]
    return " ".join(said if x else [*said, "No data."])


def _pointed_at(chart: Chart, one: Series, point: Point) -> str:
    names = ", ".join(name for name in (one.name, point.label) if name)
    interval = " ({:.4g} to {:.4g})".format(*point.interval) if point.interval else ""
    where = f"{chart.x_label} {point.x:.4g}, {chart.y_label} {point.y:.4g}{interval}"
    return f"{names}: {where}" if names else where


def _mark(number: int, x: float, y: float, inside: str = "") -> str:
    shape = list(_SHAPES)[number % len(_SHAPES)]
    return f'<path class="mark {shape}" d="M{x:.1f} {y:.1f}{_SHAPES[shape]}">{inside}</path>'


def _line(kind: str, x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<line class="{kind}" x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"/>'


def _colour(number: int) -> str:
    return f"k{number % _COLOURS + 1}"


def _dash(number: int) -> str:
    return f"d{number % _DASHES + 1}"
