"""Charts for HTML pages: inline SVG as text, without scripts, fonts, pictures or network.

`svg` draws a `Chart`, `table` writes the same numbers as a table, and `style` is the CSS that a page with charts needs.
"""

from isogloss.reporting.charts.data import Chart, Point, Series, table
from isogloss.reporting.charts.file import picture_file
from isogloss.reporting.charts.picture import style, svg
from isogloss.reporting.charts.scale import ticks

__all__ = ["Chart", "Point", "Series", "picture_file", "style", "svg", "table", "ticks"]
