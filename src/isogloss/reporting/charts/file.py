"""A chart as an SVG file of its own, for Markdown and slides."""

from __future__ import annotations

import re

from isogloss.reporting.charts.data import Chart
from isogloss.reporting.charts.labels import clean
from isogloss.reporting.charts.picture import HEIGHT, WIDTH, sample, style, svg

_ROW = 18.0


def picture_file(chart: Chart) -> str:
    """Write a chart as an SVG file: the picture, and under it the legend.

    Raises:
        ValueError: as `svg`.
    """
    picture = re.search(r"<svg .*?</svg>", svg(chart), re.DOTALL)
    assert picture is not None  # every chart has one
    named = [(number, one) for number, one in enumerate(chart.series) if one.name]
    rows = [
        f'<g transform="translate(8 {HEIGHT + 4 + _ROW * place:g})">{sample(number, one)}'
        f'<text class="label" x="38" y="10">{clean(one.name)}</text></g>'
        for place, (number, one) in enumerate(named)
    ]
    height = HEIGHT + 12 + _ROW * len(rows)
    inside = picture.group().replace("<svg ", f'<svg width="{WIDTH:g}" height="{HEIGHT:g}" ', 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" width="{WIDTH:g}" height="{height:g}"'
        f' viewBox="0 0 {WIDTH:g} {height:g}"'
        f' font-family="system-ui, sans-serif" font-size="13">'
        f"<style>{style()} text {{ fill: #56606b; }} .chart > svg {{ width: {WIDTH:g}px; }}</style>"
        f"{inside}{''.join(rows)}</svg>\n"
    )
