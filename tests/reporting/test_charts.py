"""Charts are well-formed, inside their frame, and say the same as their tables."""

import math
import re
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.reporting.charts import HEIGHT, WIDTH, Chart, Point, Series, picture_file, svg, table, ticks

SVG = "{http://www.w3.org/2000/svg}"


def chart(*series, **fields):
    return Chart("a <title>", "x & y", "mAP", tuple(series), **fields)


def parsed(text):
    return ElementTree.fromstring(text)


def marks(root):
    return [one for one in root.iter(f"{SVG}path") if one.get("class") == "mark"]


def test_what_is_drawn():
    lines = Series("one", (Point(0, 1, 0.5, 1.5), Point(1, 2)))
    scatter = Series("<b>two</b>", (Point(0.5, 1.2, label="here"),), line=False)
    root = parsed(svg(chart(lines, scatter, y_up=False)))
    drawing = root.find(f"{SVG}svg")
    assert drawing.get("role") == "img"
    title = drawing.find(f"{SVG}title")
    assert title.text == "a <title>: mAP by x & y"
    assert drawing.get("aria-labelledby") == title.get("id")
    assert len(marks(drawing)) == 3
    assert sum(one.get("class") == "line" for one in drawing.iter(f"{SVG}path")) == 1
    assert sum(one.get("class") == "whisker" for one in drawing.iter(f"{SVG}path")) == 1
    assert "here" in [one.text for one in drawing.iter(f"{SVG}text")]
    assert [one.text for one in root.iter("span")] == ["one", "<b>two</b>"]
    assert root.find("figcaption").text == "a <title>. Lower is better."
    assert len({one.get("d") for one in marks(root)}) == len(marks(root))


@pytest.mark.parametrize(
    "series",
    [
        (),
        (Series("none", ()),),
        (Series("one", (Point(3, 4),)),),
        (Series("flat", (Point(0, 0), Point(0, 0))),),
        (Series("x" * 300, (Point(-5, -1e6, label="y" * 300), Point(1e9, 1e-9, label="שלום")), line=False),),
        tuple(Series(str(number), (Point(number, 1),)) for number in range(12)),
    ],
)
def test_odd_charts(series):
    points = sum(len(one.points) for one in series)
    text = svg(chart(*series))
    assert len(marks(parsed(text))) == points
    # A file has its legend in the picture.
    assert len(marks(parsed(picture_file(chart(*series))))) == points + len(series)
    if not any(one.points for one in series):
        assert "no figures" in text


@given(
    st.lists(
        st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.text(max_size=60)), min_size=1, max_size=12
    )
)
def test_everything_is_inside(points):
    # XML has no place for most control characters, whoever writes them.
    named = [Point(x, y, label="".join(one for one in label if one.isprintable())) for x, y, label in points]
    root = parsed(svg(chart(Series("s", tuple(named), line=False)))).find(f"{SVG}svg")
    for one in marks(root):
        x, y = map(float, re.match(r"M([-\d.]+) ([-\d.]+)", one.get("d")).groups())
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT
    for one in root.iter(f"{SVG}text"):
        if one.get("x") is not None:
            assert 0 <= float(one.get("x")) <= WIDTH
            assert 0 <= float(one.get("y")) <= HEIGHT


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.52, 0.61, [0.52, 0.54, 0.56, 0.58, 0.6]),
        (-3, 12, [0, 5, 10]),
        (280, 1250, [400, 600, 800, 1000, 1200]),
        (5, 5, [5]),
    ],
)
def test_ticks_by_hand(low, high, expected):
    assert ticks(low, high) == pytest.approx(expected)


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(2, 9))
def test_ticks_lie_between(low, width, most):
    found = ticks(low, low + width, most)
    assert len(found) <= most
    tolerance = 1e-6 * max(abs(low), width)
    assert all(low - tolerance <= one <= low + width + tolerance for one in found)


def test_the_table_has_the_numbers():
    shown = table(chart(Series("one", (Point(0, 1.25, 1, 1.5), Point(0.5, 2)))))
    assert shown.rows == (("one", "0", "1.25", "1 to 1.5"), ("one", "0.5", "2", ""))


@pytest.mark.parametrize("bad", [Point(math.nan, 0), Point(0, math.inf), Point(0, 0, math.nan, 1)])
def test_numbers_must_be_finite(bad):
    with pytest.raises(ValueError, match="is not finite"):
        chart(Series("s", (bad,)))
