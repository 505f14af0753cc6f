"""The composition of a run against counts made by hand."""

from collections import Counter

import pytest

from isogloss.batching import AlphaSchedule, BatchPlanner, CompositionCounter, Plan, compose
from isogloss.errors import PlanError

from .data import parallel


def make_planner(seed=1):
    data = [parallel(20, ("de", "en", "zh"), name="a"), parallel(50, ("en",), name="b")]
    return BatchPlanner(data, Plan("hybrid", alpha=AlphaSchedule.parse("0.8:0.2")), 5, seed, steps=100)


def test_counts_are_those_of_the_batches():
    planner = make_planner()
    got = compose(planner, 100)
    batches = [planner.batch(step) for step in range(100)]
    pairs = Counter()
    for batch in batches:
        _, query, passage = planner.space.decode(batch.pairs)
        names = planner.space.languages
        pairs.update((names[q], names[p]) for q, p in zip(query, passage, strict=True))
    assert got.language_pairs == dict(pairs)
    assert (got.batches, got.pairs, sum(pairs.values())) == (100, 500, 500)
    for language in ("de", "en", "zh"):
        assert got.query_languages[language] == sum(n for pair, n in pairs.items() if pair[0] == language)
        assert got.passage_languages[language] == sum(n for pair, n in pairs.items() if pair[1] == language)
    assert got.mode_batches == {
        mode: sum(batch.mode == mode for batch in batches) for mode in ("mono", "cross", "mixed")
    }
    assert got.realised_alpha == got.mode_batches["mono"] / 100
    assert got.planned_alpha == pytest.approx(0.5)
    for number, (share, items) in enumerate(zip(got.datasets, (20, 50), strict=True)):
        drawn = sum(batch.dataset == number for batch in batches)
        assert (share.name, share.usable_items, share.batches) == ("ab"[number], items, drawn)
        assert (share.pairs, share.epochs) == (5 * drawn, 5 * drawn / items)


def test_parts_merge_into_the_whole():
    planner = make_planner()
    whole = compose(planner, 60)
    merged = CompositionCounter(planner)
    for part in (range(0, 10), range(30, 60), range(10, 30)):
        counter = CompositionCounter(make_planner())
        for step in part:
            counter.add(planner.batch(step))
        merged.merge(counter)
    got = merged.result()
    assert got.planned_alpha == pytest.approx(whole.planned_alpha)
    assert {**vars(got), "planned_alpha": 0} == {**vars(whole), "planned_alpha": 0}


def test_counters_of_different_runs_do_not_merge():
    other = BatchPlanner([parallel(5, ("de", "en"))], Plan("x-y"), 5, 0)
    with pytest.raises(PlanError, match="different planners"):
        CompositionCounter(make_planner()).merge(CompositionCounter(other))


def test_nothing_counted_yet():
    got = CompositionCounter(make_planner()).result()
    assert (got.batches, got.realised_alpha, got.planned_alpha, got.language_pairs) == (0, 0, 0, {})
    assert got.query_languages == {"de": 0, "en": 0, "zh": 0}


def test_epochs_count_the_items_that_can_be_drawn():
    data = parallel(10, ("de", "en", "zh"))
    data.available[4:, 0] = False
    got = compose(BatchPlanner([data], Plan("x-x-mono", languages=("de",)), 2, 0), 10)
    (share,) = got.datasets
    assert (share.usable_items, share.pairs, share.epochs) == (4, 20, 5.0)
