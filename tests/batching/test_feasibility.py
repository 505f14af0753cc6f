"""Plans that cannot be drawn, and what the error says about them."""

import numpy as np
import pytest

from isogloss.batching import BatchPlanner, Plan, PlanningData
from isogloss.errors import PlanError, RecipeError

from .data import LANGUAGES, parallel


def refusal(data, plan, batch_size=4, **options):
    with pytest.raises(PlanError) as caught:
        BatchPlanner(data, plan, batch_size, 0, **options)
    return str(caught.value)


def test_a_batch_larger_than_the_corpus():
    for kind in ("en-en", "x-x-mono", "hybrid"):
        message = refusal([parallel(3, ("de", "en"), name="small")], Plan(kind))
        assert "dataset 'small', language 'en': 3 distinct items, and a batch needs 4" in message
        assert "at most 3" in message
        assert "skip_small" in message
    assert "dataset 'small', x-y pairs: 3 distinct" in refusal(
        [parallel(3, ("de", "en"), "small")], Plan("x-y")
    )
    assert "all languages together: 3" in refusal([parallel(3, ("de", "en"), "small")], Plan("x-x"))


def test_items_that_share_a_text_count_once():
    data = parallel(10, ("de", "en"), groups=[0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
    assert "x-y pairs: 3 distinct items, and a batch needs 4" in refusal([data], Plan("x-y"))
    BatchPlanner([data], Plan("x-y"), 3, 0)


@pytest.mark.parametrize("kind", ["x-y", "hybrid"])
def test_one_language_is_no_pair(kind):
    message = refusal([parallel(10, ("en",), name="squad")], Plan(kind))
    assert "dataset 'squad' has items in en alone; x-y pairs need items in at least two languages" in message


def test_two_languages_without_a_common_item():
    data = parallel(10, ("de", "en"))
    data.available[:5, 0] = False
    data.available[5:, 1] = False
    message = refusal([data], Plan("hybrid"))
    assert "has items in de, en, but none in two languages that may be paired" in message
    BatchPlanner([data], Plan("x-x"), 10, 0)


def test_all_reasons_come_at_once_but_not_endlessly():
    many = [parallel(2, LANGUAGES, name=f"d{number}") for number in range(3)]
    message = refusal(many, Plan("x-x-mono"))
    assert message.count("\n  - ") == 11
    assert "and 8 more" in message
    two = [parallel(2, ("de", "en"), name="tiny"), parallel(9, ("fr",), name="french")]
    message = refusal(two, Plan("x-y", languages=("de", "en", "fr", "xx")))
    for part in ("'tiny', x-y pairs: 2", "'french' has items in fr alone", "language 'xx' is in no dataset"):
        assert part in message


def test_a_mode_that_never_occurs_need_not_be_feasible():
    english = [parallel(10, ("en",))]
    assert BatchPlanner(english, Plan("hybrid", alpha=1), 4, 0).batch(0).mode == "mono"
    pairs = parallel(4, LANGUAGES)  # four items, but no language with more than two
    pairs.available[:] = np.repeat([[1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0]], 2, axis=0)
    assert "language 'ar'" in refusal([pairs], Plan("hybrid", alpha=0.1))
    assert BatchPlanner([pairs], Plan("hybrid", alpha=0), 4, 0).batch(0).mode == "cross"


def test_a_dataset_that_serves_no_mode_is_refused_or_left_out():
    data = [parallel(10, ("de", "en")), parallel(10, ("en",), name="english")]
    assert "dataset 'english' has items in en alone" in refusal(data, Plan("x-y"))
    assert BatchPlanner(data, Plan("hybrid"), 4, 0).left_out == ()
    planner = BatchPlanner(data, Plan("x-y", skip_small=True), 4, 0)
    assert [(left.dataset, left.mode, left.language) for left in planner.left_out] == [
        ("english", None, None)
    ]
    assert planner.usable_items == (10, 0)


def test_an_alpha_of_zero_leaves_an_english_dataset_idle():
    """The ends of a sweep over alpha take the same data as its middle."""
    data = [parallel(10, ("de", "en")), parallel(10, ("en",), name="english")]
    planner = BatchPlanner(data, Plan("hybrid", alpha=0), 4, 0)
    assert [left.dataset for left in planner.left_out] == ["english"]
    assert "no item in an allowed language" in refusal(
        [*data, parallel(10, ("fr",), name="fr")], Plan("hybrid", alpha=0, languages=("de", "en"))
    )
    assert "english" in refusal(data[1:], Plan("hybrid", alpha=0))


def test_skip_small_leaves_out_languages_and_reports_them():
    data = parallel(10, ("de", "en", "zh"))
    data.available[3:, 0] = False
    planner = BatchPlanner([data], Plan("hybrid", skip_small=True), 4, 0)
    (left,) = planner.left_out
    assert (left.dataset, left.mode, left.language) == ("data", "mono", "de")
    assert "3 distinct items, and a batch needs 4" in left.reason
    assert "skip_small" not in left.reason
    seen = {"mono": set(), "cross": set()}
    for step in range(200):
        batch = planner.batch(step)
        seen[batch.mode].update(planner.space.decode(batch.pairs)[1].tolist())
    assert seen == {"mono": {1, 2}, "cross": {0, 1, 2}}


def test_skip_small_with_nothing_left_is_refused():
    message = refusal([parallel(3, ("de", "en"))], Plan("hybrid", skip_small=True))
    assert "language 'de': 3 distinct" in message
    assert "x-y pairs: 3 distinct" in message


def test_held_out_monolingual_pair_stays_in_cross_batches():
    plan = Plan("hybrid", held_out_pairs=(("de", "de"), ("de", "en")))
    planner = BatchPlanner([parallel(20, ("de", "en", "zh"))], plan, 4, 0)
    seen = {"mono": set(), "cross": set()}
    for step in range(300):
        batch = planner.batch(step)
        _, query, passage = planner.space.decode(batch.pairs)
        seen[batch.mode].update(zip(query.tolist(), passage.tolist(), strict=True))
    assert seen == {"mono": {(1, 1), (2, 2)}, "cross": {(0, 2), (1, 0), (1, 2), (2, 0), (2, 1)}}


def test_holding_out_every_choice_is_refused():
    data = [parallel(20, ("de", "en"))]
    assert "held_out_pairs has de-de, en-en" in refusal(
        data, Plan("x-x-mono", held_out_pairs=(("de", "de"), ("en", "en")))
    )
    assert "may be paired" in refusal(data, Plan("x-y", held_out_pairs=(("de", "en"), ("en", "de"))))
    assert "no item in an allowed language (its languages: de, en)" in refusal(
        data, Plan("x-x", held_out_languages=("de", "en"))
    )


def test_no_dataset_and_empty_datasets():
    assert "no dataset" in refusal([], Plan("x-x"))
    assert "no item" in refusal([parallel(0, ("de", "en"))], Plan("x-y"))
    assert "its languages: none" in refusal([parallel(3, ())], Plan("x-y"))


def test_planning_data_are_checked():
    good = {
        "name": "d",
        "languages": ("de",),
        "available": np.ones((2, 1), dtype=bool),
        "groups": np.arange(2),
    }
    for change, message in (
        ({"languages": ("de", "de"), "available": np.ones((2, 2), dtype=bool)}, "named twice"),
        ({"available": np.ones((2, 1))}, "`available` is float64"),
        ({"available": np.ones((2, 2), dtype=bool)}, r"shape \(2, 2\)"),
        ({"groups": np.arange(3)}, r"`groups` is int64 of shape \(3,\)"),
        ({"groups": np.ones(2)}, "`groups` is float64"),
    ):
        with pytest.raises(PlanError, match=message):
            PlanningData(**{**good, **change})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "x-z"}, "kind: 'x-z' is unknown; choose one of en-en, x-x,"),
        ({"alpha": 1.5}, r"alpha: 1.5 is outside \[0, 1\]"),
        ({"alpha": float("nan")}, "alpha: nan"),
        ({"alpha": "0.5"}, "alpha: '0.5' is not a number"),
        ({"alpha": True}, "alpha: True"),
        ({"languages": ()}, "languages: the list is empty"),
        ({"languages": "en"}, "languages: 'en' is not a list"),
        ({"languages": ("de",), "held_out_languages": ("de",)}, "languages: all of de"),
        ({"held_out_pairs": ("de",)}, "held_out_pairs: 'de'"),
        ({"held_out_pairs": "de"}, "held_out_pairs: 'de'"),
        ({"held_out_pairs": (("de", "en", "fr"),)}, "held_out_pairs: "),
        ({"language_weighting": "random"}, "language_weighting: 'random'"),
        ({"dataset_exponent": -1}, "dataset_exponent: -1"),
        ({"dataset_exponent": float("inf")}, "dataset_exponent: inf"),
        ({"anchor_language": 3}, "anchor_language: "),
        ({"kind": "en-en", "languages": ("de",)}, "anchor_language: en"),
    ],
)
def test_a_bad_plan_option_is_named_with_its_value(options, message):
    with pytest.raises(RecipeError, match=message):
        Plan(**{"kind": "hybrid", **options})
