"""Filters, words, fusion and balance: pure functions against slow twins and hand-worked cases."""

import json
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.errors import RecipeError
from isogloss.search.balance import check_balance, merge, quota
from isogloss.search.filters import Condition, as_sql, read_conditions
from isogloss.search.fusion import reciprocal_rank_fusion
from isogloss.search.words import question_words, words_of


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("year>=2020", Condition("year", ">=", ("2020",))),
        (" year <= 2020 ", Condition("year", "<=", ("2020",))),
        ("a.b-c!=x y", Condition("a.b-c", "!=", ("x y",))),
        ("topic in health, travel", Condition("topic", "in", ("health", "travel"))),
        ("url=http://x?a=b", Condition("url", "=", ("http://x?a=b",))),
        ("Größe<3", Condition("Größe", "<", ("3",))),
    ],
)
def test_conditions_are_read(text, condition):
    assert read_conditions([text]) == (condition,)
    assert read_conditions([str(condition)]) == (condition,)


@pytest.mark.parametrize(
    "text", ["", "year", "=3", "year=", "year==", "a b=3", "topic in ,", "year ~ 3", "'; DROP--=1"]
)
def test_what_is_no_condition_is_refused(text):
    if text == "year==":
        assert read_conditions([text]) == (Condition("year", "=", ("=",)),)
        return
    with pytest.raises(RecipeError, match="filter"):
        read_conditions([text])


def test_too_many_conditions_or_values_are_refused():
    with pytest.raises(RecipeError, match="at most 16"):
        read_conditions(["a=1"] * 17)
    with pytest.raises(RecipeError, match="at most 100"):
        read_conditions(["a in " + ",".join("x" * 101)])


def meets(metadata, condition):
    """The slow, obvious twin of the SQL."""
    if condition.comparison == "!=":
        return not meets(metadata, Condition(condition.key, "=", condition.values))
    there = metadata.get(condition.key)
    members = there if isinstance(there, list) else [] if there is None else [there]
    for member in members:
        for value in condition.values:
            if isinstance(member, bool):
                if condition.comparison in ("=", "in") and value == str(member).lower():
                    return True
                continue
            if isinstance(member, str):
                other = value
            else:
                try:
                    other = float(value)
                except ValueError:
                    continue
            test = {"=": member == other, "in": member == other}
            if condition.comparison not in test:
                test = {
                    "<": member < other,
                    "<=": member <= other,
                    ">": member > other,
                    ">=": member >= other,
                }
            if test[condition.comparison]:
                return True
    return False


plain = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=3).filter(str.strip)
values = st.one_of(
    plain.map(str.strip),
    st.integers(-5, 5),
    st.sampled_from([0.5, 2.5, -1.0]),
    st.booleans(),
    st.lists(plain.map(str.strip), max_size=3),
)
asked = st.one_of(
    plain.map(str.strip), st.integers(-5, 5).map(str), st.sampled_from(["0.5", "true", "false", "' OR 1"])
)


@given(
    st.dictionaries(st.sampled_from(["a", "b"]), values, max_size=2),
    st.lists(
        st.builds(
            Condition,
            st.sampled_from(["a", "b", "c"]),
            st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "in"]),
            st.lists(asked, min_size=1, max_size=2).map(tuple),
        ),
        max_size=2,
    ),
)
def test_sql_means_what_the_twin_means(metadata, conditions):
    expression, bound = as_sql(conditions, "metadata")
    with sqlite3.connect(":memory:") as connection:
        found = connection.execute(
            f"SELECT {expression} FROM (SELECT ? AS metadata)", [*bound, json.dumps(metadata)]
        ).fetchone()[0]
    assert bool(found) == all(meets(metadata, condition) for condition in conditions)


def test_words_by_hand():
    assert words_of("The runner's RUNNING shoes", "en") == ["the", "runner", "s", "run", "shoe"]
    assert words_of("Häuser", "de") == words_of("Haus", "de")
    assert words_of("水是湿的", "zh") == ["水是", "是湿", "湿的"]
    assert words_of("水", "zh-Hans") == ["水"]
    assert words_of("กขค", "th") == ["กข", "ขค"]
    assert words_of("लड़कियाँ 2024", "hi")[-1] == "2024"
    assert len(words_of("लड़कियाँ", "hi")) == 1, "vowel signs belong to the word"
    assert words_of("مَدْرَسَة", "ar") == words_of("مدرسة", "ar")
    assert words_of("Plain WORDS", "sw") == ["plain", "words"], "no stemmer: as written"
    assert words_of("?!… —", "en") == []
    assert words_of("x" * 65 + " y", "en") == ["y"]


def test_a_question_asks_for_the_stems_of_every_language():
    assert question_words("running Häuser", ["en", "de"]) == ["running", "run", "haus", "häuser"]
    assert question_words("", ["en"]) == []


def test_fusion_by_hand():
    fused = reciprocal_rank_fusion([[7, 3], [3, 9]], constant=1)
    assert fused == [(3, 1 / 3 + 1 / 2), (7, 1 / 2), (9, 1 / 3)]
    assert reciprocal_rank_fusion([[5], [2]]) == [(2, 1 / 61), (5, 1 / 61)], "a tie: by number"
    assert reciprocal_rank_fusion([]) == reciprocal_rank_fusion([[], []]) == []


def test_quota_by_hand():
    lists = {"en": [(1, 0.9), (2, 0.8), (3, 0.7)], "de": [(4, 0.6)], "zh": [(5, 0.5), (6, 0.4)]}
    assert quota(lists, 3) == [(1, 0.9), (4, 0.6), (5, 0.5)]
    assert quota(lists, 4) == [(1, 0.9), (2, 0.8), (4, 0.6), (5, 0.5)], "the extra place goes to the best"
    assert quota(lists, 99) == merge(lists, 99)
    assert quota({}, 3) == quota(lists, 0) == merge({}, 3) == []
    assert merge(lists, 2) == [(1, 0.9), (2, 0.8)]


ranked = st.lists(st.integers(0, 10).map(lambda score: score / 10), max_size=6)


@given(st.lists(ranked, max_size=4), st.integers(0, 20))
def test_quota_gives_no_language_more_than_one_place_above_another_that_could_take_it(lists, count):
    numbers = iter(range(1000))
    of_language = {
        str(number): sorted(
            ((next(numbers), score) for score in scores), key=lambda pair: (-pair[1], pair[0])
        )
        for number, scores in enumerate(lists)
    }
    chosen = quota(of_language, count)
    assert len(chosen) == min(count, sum(map(len, of_language.values())))
    assert chosen == sorted(chosen, key=lambda pair: (-pair[1], pair[0]))
    got = {name: sum(pair in chosen for pair in ranked) for name, ranked in of_language.items()}
    for name, ranked_ in of_language.items():
        assert set(ranked_[: got[name]]) <= set(chosen), "the best of each language"
        if got[name] < len(ranked_):
            assert max(got.values()) <= got[name] + 1


def test_balances_are_known_by_name():
    assert check_balance("quota") == "quota"
    with pytest.raises(RecipeError, match="none, quota, centred"):
        check_balance("fair")
