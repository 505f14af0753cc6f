import re
import xml.etree.ElementTree as ET
from collections import Counter
from itertools import pairwise
from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.reporting.charts import Chart, Point, Series, picture_file, style, svg, table, ticks
from isogloss.reporting.charts.labels import Box, beside, least_taken, length, shortened
from isogloss.reporting.tables import markdown

SHARES = (0, 0.2, 0.4, 0.5, 0.6, 0.8, 1)


def curve(name="mixed", base=0.4, **more):
    points = tuple(Point(x, base + x / 10, base + x / 10 - 0.02, base + x / 10 + 0.01) for x in SHARES)
    return Series(name, points, **more)


def chart(*series, **more):
    return Chart("Quality", "share", "mAP", series, **more)


def drawn(shown):
    return ET.fromstring(svg(shown))


def picture(figure):
    return figure.find("svg")


def of_class(element, name):
    return [one for one in element.iter() if name in one.get("class", "").split()]


def numbers(text):
    return [float(one) for one in re.findall(r"-?\d+(?:\.\d+)?", text)]


def places(figure):
    """Where the marks are: a mark's path begins with a move to its middle."""
    return [tuple(numbers(mark.get("d"))[:2]) for mark in of_class(picture(figure), "mark")]


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0, 1, 6, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 1, 11, [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]),
        (0, 1, 5, [0, 0.5, 1]),
        (0.3, 0.7, 5, [0.3, 0.4, 0.5, 0.6, 0.7]),
        (0.412, 0.437, 6, [0.41, 0.42, 0.43, 0.44]),
        (-3, 7, 6, [-5, 0, 5, 10]),
        (-1, 1, 3, [-1, 0, 1]),
        (317, 512, 5, [300, 400, 500, 600]),
        (0, 3_000_000, 4, [0, 1e6, 2e6, 3e6]),
        (5, 5, 5, [4.5, 5, 5.5]),
        (0, 0, 5, [-1, -0.5, 0, 0.5, 1]),
        (-2, -2, 5, [-2.2, -2.1, -2, -1.9, -1.8]),
    ],
)
def test_ticks_by_hand(low, high, most, expected):
    assert ticks(low, high, most) == expected


@given(
    st.floats(-1e300, 1e300),
    st.floats(-1e300, 1e300),
    st.integers(3, 12),
)
def test_ticks_span_what_they_are_given(one, other, most):
    low, high = sorted((one, other))
    found = ticks(low, high, most)
    assert 2 <= len(found) <= most
    assert all(a < b for a, b in pairwise(found))
    step = found[1] - found[0]
    assert found[0] <= low + 1e-5 * step
    assert found[-1] >= high - 1e-5 * step
    assert f"{step:.5e}"[0] in "125"
    assert len(ticks(low, high, 3)) <= 3


@pytest.mark.parametrize(
    ("low", "high", "most", "words"),
    [
        (nan, 1, 5, "from nan"),
        (0, inf, 5, "to inf"),
        (0, 1e301, 5, "cannot run"),
        (1, 0, 5, "down to"),
        (0, 1, 2, "room for 3"),
    ],
)
def test_ticks_that_cannot_be(low, high, most, words):
    with pytest.raises(ValueError, match=words):
        ticks(low, high, most)


def test_a_line_with_intervals():
    figure = drawn(chart(curve(), curve("own", 0.3), reference=(("base", 0.35),)))
    shown = picture(figure)
    assert len(of_class(shown, "line")) == 2
    assert len(of_class(shown, "whisker")) == len(of_class(shown, "mark")) == 2 * len(SHARES)
    assert len(of_class(shown, "reference")) == 1
    ticks_shown = [one.text for one in of_class(shown, "tick")]
    assert ticks_shown[-6:] == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert "base" in [one.text for one in of_class(shown, "name")]
    assert [one.find("bdi").text for one in figure.find("ul").iter("li")] == ["mixed", "own"]
    assert [one.get("class") for one in shown.findall("g")] == ["k1", "k2"]


def test_what_a_screen_reader_is_told():
    shown = picture(drawn(chart(curve(), reference=(("base", 0.35),))))
    assert shown.get("role") == "img"
    named = {one.get("id"): one.text for one in (shown.find("title"), shown.find("desc"))}
    assert shown.get("aria-labelledby").split() == list(named)
    assert list(named.values()) == [
        "Quality",
        "mAP by share. mixed: 7 points, from 0.4 to 0.5. Line at 0.35: base.",
    ]
    assert of_class(shown, "mark")[0].find("title").text == "mixed: share 0, mAP 0.4 (0.38 to 0.41)"


def test_identifiers_are_the_chart_s_own():
    first, second = svg(chart(curve())), svg(chart(curve("other")))
    assert first == svg(chart(curve()))
    assert not set(re.findall(r' id="(.+?)"', first)) & set(re.findall(r' id="(.+?)"', second))


def test_marks_lie_where_their_values_are():
    points = tuple(Point(x, y) for x, y in ((0, 0), (0.5, 10), (1, 5)))
    (x0, y0), (x1, y1), (x2, y2) = places(drawn(chart(Series("a", points))))
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert y0 - y1 == pytest.approx(2 * (y0 - y2), abs=0.2)
    assert x0 < x1 < x2
    assert y1 < y2 < y0


def test_lines_with_intervals_step_aside_and_scatters_do_not():
    one, other = places(drawn(chart(Series("a", (Point(1, 2, 1, 3),)), Series("b", (Point(1, 2, 1, 3),)))))
    assert 3 < other[0] - one[0] < 12
    assert one[1] == other[1]
    one, other = places(
        drawn(chart(Series("a", (Point(1, 2, 1, 3),), False), Series("b", (Point(1, 2, 1, 3),), False)))
    )
    assert one == other


def test_series_differ_without_colour():
    figure = drawn(chart(*(Series(f"s{n}", (Point(0, n), Point(1, n))) for n in range(35))))
    looks = [
        (group.find("path[@class]").get("class"), of_class(group, "mark")[0].get("class"))
        for group in picture(figure).findall("g")
    ]
    assert len(set(looks)) == 35
    assert len({mark for _, mark in looks[:7]}) == 7
    assert {group.get("class") for group in picture(figure).findall("g")} == {f"k{n}" for n in range(1, 9)}
    legend = [
        (*(path.get("class") for path in entry.find("svg").iter("path")),) for entry in figure.find("ul")
    ]
    assert legend == looks
    assert "#" not in re.sub(r"&#\w+;", "", svg(chart(curve())))


def test_a_scatter_has_labels_and_no_line():
    figure = drawn(chart(Series("a", (Point(1, 2, label="x-x"), Point(2, 3, label="x-y")), line=False)))
    assert not of_class(picture(figure), "line")
    assert {one.text for one in of_class(picture(figure), "name")} == {"x-x", "x-y"}


def test_labels_of_a_line_are_not_written():
    figure = drawn(chart(Series("a", (Point(1, 2, label="x-x"),))))
    assert not of_class(picture(figure), "name")
    assert "a, x-x: share 1, mAP 2" in svg(chart(Series("a", (Point(1, 2, label="x-x"),))))


def test_labels_in_one_place_do_not_cover_each_other():
    points = tuple(Point(1, 2, label=f"label {n}") for n in range(6))
    found = of_class(picture(drawn(chart(Series("a", points, False)))), "name")
    seen = Counter((one.get("text-anchor"), one.get("y")) for one in found)
    assert len(seen) == 6


def test_the_least_taken_place():
    frame = Box(0, 0, 200, 200)
    options = beside(100, 100, 50, frame)
    assert options[0] == Box(107, 92.5, 157, 107.5)
    assert least_taken(options, []) == options[0]
    assert least_taken(options, [options[0]]) == Box(43, 92.5, 93, 107.5)
    assert least_taken(options[:2], [Box(0, 0, 200, 200), options[1]]) == options[0]
    # At the right edge there is only the left, and no label leaves the frame upwards.
    assert {(box.right, box.top) for box in beside(195, 2, 50, frame)} >= {(188, 0)}
    assert all(box.right <= 200 and box.top >= 0 for box in beside(195, 2, 50, frame))


@given(st.text(max_size=60), st.floats(14, 300))
def test_a_shortened_text_fits(text, room):
    shown = shortened(text, room)
    assert length(shown) <= room + 1e-6
    assert shown == text or shown.endswith("…")


def test_every_text_is_escaped():
    bad = "<script>alert('1')</script> & \"\x00\x1f\ud800\uffff"
    points = (Point(1, 2, label=bad),)
    shown = Chart(bad, bad, bad, (Series(bad, points, False),), y_up=False, reference=((bad, 1.0),))
    written = svg(shown)
    assert "<script" not in written
    written.encode("utf-8")
    figure = ET.fromstring(written)
    assert figure.find("figcaption/span").text.startswith("<script>alert('1')</script> & \"")


def test_lower_is_better_is_said():
    assert "Lower is better" not in svg(chart(curve()))
    assert "Lower is better" in svg(chart(curve(), y_up=False))
    assert table(chart(curve(), y_up=False)).header[2] == "mAP (lower is better)"


@pytest.mark.parametrize("series", [(), (Series("a", ()),), (Series("", ()), Series("b", (), False))])
@pytest.mark.parametrize("reference", [(), (("base", 0.5),)])
def test_an_empty_chart(series, reference):
    shown = chart(*series, reference=reference)
    figure = drawn(shown)
    assert [one.text for one in of_class(picture(figure), "empty")] == ["No data"]
    assert not of_class(picture(figure), "mark")
    assert len(of_class(picture(figure), "reference")) == len(table(shown).rows) == len(reference)
    assert (figure.find("ul") is None) == (not any(one.name for one in series))


def test_one_point_and_equal_points():
    figure = drawn(chart(Series("a", (Point(3, 0.5),))))
    assert len(of_class(picture(figure), "mark")) == 1
    assert not of_class(picture(figure), "line")
    equal = places(drawn(chart(Series("a", tuple(Point(x, 0.5) for x in SHARES)))))
    assert len({y for _, y in equal}) == 1
    assert len({x for x, _ in equal}) == len(SHARES)


def test_texts_from_the_right():
    name = "نموذج"
    figure = drawn(chart(Series(name, (Point(1, 2, label=name), Point(2, 2, label="left")), False)))
    texts = {one.text: one for one in of_class(picture(figure), "name")}
    assert texts[name].get("direction") == "rtl"
    # The anchor of such a text is its right end: the label stands right of its mark all the same.
    assert texts[name].get("text-anchor") == "end"
    assert texts["left"].get("direction") is None
    assert figure.find("ul/li/bdi").get("dir") == "auto"


def test_long_names_are_cut_in_the_picture_and_whole_elsewhere():
    long = "a model with a name " * 40
    shown = Chart(
        long, long, long, (Series(long, (Point(1, 2, label=long),), False),), reference=((long, 2),)
    )
    figure = drawn(shown)
    for text in picture(figure).iter("text"):
        assert length(text.text) <= 440
    assert figure.find("figcaption/span").text == figure.find("ul/li/bdi").text == long
    assert all(one.find("title").text == long for one in of_class(picture(figure), "name"))


@pytest.mark.parametrize("field", ["x", "y", "low", "high"])
@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_numbers_that_are_none(field, value):
    with pytest.raises(ValueError, match=field):
        Point(**({"x": 1, "y": 2} | {field: value}))


def test_other_bad_numbers():
    with pytest.raises(ValueError, match="interval from 3 to 1"):
        Point(1, 2, 3, 1)
    with pytest.raises(ValueError, match="'base' lies at nan"):
        chart(reference=(("base", nan),))
    with pytest.raises(ValueError, match="cannot run"):
        svg(chart(Series("a", (Point(1, 1e308),))))


def test_a_table_of_the_same_numbers():
    shown = chart(
        Series("a", (Point(0, 0.4, 0.35, 0.45), Point(0.125, 0.41234567))),
        Series("b", (Point(1, 0.5, label="top", high=0.55),), False),
        reference=(("base", 0.35),),
    )
    found = table(shown)
    assert found.title == "Quality"
    assert found.header == ("series", "point", "share", "mAP", "from", "to")
    assert found.words == 2
    assert found.rows == (
        ("a", "", "0.000", "0.4000", "0.3500", "0.4500"),
        ("a", "", "0.125", "0.4123", "–", "–"),
        ("b", "top", "1.000", "0.5000", "0.5000", "0.5500"),
        ("base", "", "–", "0.3500", "–", "–"),
    )
    assert markdown(found).count("\n") == 5
    plain = table(chart(Series("a", (Point(1000, -2), Point(2000, 1.5)))))
    assert plain.header == ("series", "share", "mAP")
    assert plain.rows == (("a", "1,000", "-2.0"), ("a", "2,000", "1.5"))
    assert table(chart()).rows == ()


VALUE = st.one_of(st.floats(-1e300, 1e300), st.floats(-2, 2), st.sampled_from([0.0, 0.5, 1.0]))
TEXT = st.text(max_size=40)


@st.composite
def a_point(draw):
    low, high = sorted((draw(VALUE), draw(VALUE)))
    ends = draw(st.sampled_from([(None, None), (low, high), (low, None), (None, high)]))
    return Point(draw(VALUE), draw(VALUE), *ends, draw(TEXT))


A_SERIES = st.builds(Series, TEXT, st.lists(a_point(), max_size=5).map(tuple), st.booleans())
REFERENCES = st.lists(st.tuples(TEXT, VALUE), max_size=2).map(tuple)
A_CHART = st.builds(
    Chart, TEXT, TEXT, TEXT, st.lists(A_SERIES, max_size=4).map(tuple), st.booleans(), REFERENCES
)


@settings(max_examples=150, deadline=None)
@given(A_CHART)
def test_nothing_leaves_the_picture(shown):
    figure = drawn(shown)
    view = picture(figure)
    _, _, width, height = numbers(view.get("viewBox"))
    found = places(figure)
    assert len(found) == sum(len(one.points) for one in shown.series)
    for x, y in found:
        assert 5 <= x <= width - 5
        assert 5 <= y <= height - 5
    for one in of_class(view, "whisker"):
        x, low, high = numbers(one.get("d"))[:3]
        assert 3 <= x <= width - 3
        assert 0 <= high <= height
        assert 0 <= low <= height
    for one in view.iter("line"):
        assert all(0 <= float(one.get(end)) <= width for end in ("x1", "x2"))
        assert all(0 <= float(one.get(end)) <= height for end in ("y1", "y2"))
    for one in view.iter("text"):
        left, right = edges(one)
        assert left >= -0.2
        assert right <= width + 0.2
        assert 8 <= float(one.get("y")) <= height
    rows = table(shown)
    assert len(rows.rows) == len(found) + len(shown.reference)
    assert all(len(row) == len(rows.header) for row in rows.rows)


def edges(text):
    """Where a text begins and ends, by its estimated length."""
    x, size, anchor = float(text.get("x")), length(text.text or ""), text.get("text-anchor")
    if text.get("direction") == "rtl":
        anchor = {"start": "end", "end": "start"}.get(anchor, anchor)
    left = {"start": x, "middle": x - size / 2, "end": x - size}[anchor]
    return left, left + size


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("block", "ground"), [(0, "#ffffff"), (1, "#14181d"), (2, "#ffffff")])
def test_every_colour_stands_out_from_the_ground(block, ground):
    """At least 3 to 1, as WCAG 2.2 asks of graphics (1.4.11), on light, dark and paper."""
    colours = re.findall(r"--c\d: (#[0-9a-f]{6});", style())
    assert len(colours) == 24
    for colour in colours[8 * block : 8 * block + 8]:
        dark, light = sorted((luminance(colour), luminance(ground)))
        assert (light + 0.05) / (dark + 0.05) >= 3


def test_the_style_knows_every_class():
    shown = chart(*(Series(f"s{n}", (Point(0, n, n - 1, n), Point(1, n))) for n in range(8)))
    for name in {one for element in drawn(shown).iter() for one in element.get("class", "").split()}:
        known = re.search(rf"\.{name}\b", style())
        assert known or name in ("tick", "circle", "square", "triangle", "diamond", "drop"), name


def test_a_file_of_its_own_has_picture_and_legend():
    shown = chart(curve("<one>"), curve("", 0.5), Series("two", (Point(0.5, 0.4, label="here"),), line=False))
    root = ET.fromstring(picture_file(shown))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    marks = [one for one in root.iter() if "mark" in one.get("class", "").split()]
    assert len(marks) == 7 + 7 + 1 + 2
    texts = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"<one>", "two", "here"} <= set(texts)
    assert "--c1" in root.find("{http://www.w3.org/2000/svg}style").text
    assert ET.fromstring(picture_file(chart())) is not None
