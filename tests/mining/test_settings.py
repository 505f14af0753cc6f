import pytest

from isogloss.errors import RecipeError
from isogloss.mining.settings import MiningSettings


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"count": 0}, "--count 0"),
        ({"rank_from": 0}, "ranks count from 1"),
        ({"rank_from": 9, "rank_to": 8}, "the last cannot come before the first"),
        ({"margin": float("nan")}, "--margin nan"),
        ({"relative_margin": -0.5}, "--relative-margin -0.5"),
        ({"relative_margin": float("inf")}, "--relative-margin inf"),
        ({"seed": -1}, "--seed -1"),
        ({"search": "everywhere"}, "--search everywhere: use within, parallel, all"),
        ({"pick": "last"}, "--pick last: use first, random"),
        ({"existing": "lose"}, "--existing lose: use keep, pool, drop"),
    ],
)
def test_what_makes_no_sense_is_refused(values, message):
    with pytest.raises(RecipeError, match=message):
        MiningSettings.of(**values)
