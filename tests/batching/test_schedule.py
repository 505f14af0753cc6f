"""Alpha over a run."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.batching import AlphaSchedule, schedule
from isogloss.errors import RecipeError


def test_docstrings_hold():
    assert doctest.testmod(schedule).failed == 0


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("0.5", ((0, 0.5),)),
        ("1", ((0, 1),)),
        ("0.8:0.2", ((0, 0.8), (1, 0.2))),
        ("0:0.9, 0.5:0.5, 1:0.1", ((0, 0.9), (0.5, 0.5), (1, 0.1))),
        ("0.2:0.9,0.4:0.5", ((0.2, 0.9), (0.4, 0.5))),
    ],
)
def test_texts(text, points):
    assert AlphaSchedule.parse(text).points == points


@pytest.mark.parametrize(
    "text", ["", "a", "0.5:", "0:0.5:1", "0.5,0.6", "0:0.5,", "1.5", "-0.1", "nan", "0:2,1:0"]
)
def test_bad_texts_name_the_option(text):
    with pytest.raises(RecipeError, match="alpha: "):
        AlphaSchedule.parse(text)


def test_bad_points():
    for points, message in (
        ((), "no point"),
        (((0, 0.5), (2, 0.5)), "2 is no fraction"),
        (((0.5, 0.1), (0.5, 0.2)), "fraction 0.5 follows 0.5"),
    ):
        with pytest.raises(RecipeError, match=message):
            AlphaSchedule(points)


def test_values():
    bent = AlphaSchedule.parse("0.2:1,0.6:0")
    assert [round(bent.at(step, 11), 6) for step in range(12)] == [1, 1, 1, 0.75, 0.5, 0.25, 0, 0, 0, 0, 0, 0]
    assert (bent.lowest, bent.highest, bent.is_constant) == (0, 1, False)
    assert AlphaSchedule.parse("0.8:0.2").at(0, 1) == 0.8
    assert AlphaSchedule.constant(0.3).at(10**9, None) == 0.3
    with pytest.raises(RecipeError, match="steps: not given"):
        bent.at(0, None)


@given(st.dictionaries(st.sampled_from([k / 16 for k in range(17)]), st.floats(0, 1), min_size=1, max_size=5))
def test_texts_round_trip(points):
    made = AlphaSchedule(tuple(sorted(points.items())))
    again = AlphaSchedule.parse(str(made))
    assert all(made.at(step, 17) == again.at(step, 17) for step in range(17))
