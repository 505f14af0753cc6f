"""How often things are drawn, within five standard deviations of what the plan says."""

import numpy as np
import pytest

from isogloss.batching import AlphaSchedule, BatchPlanner, Plan, compose

from .data import LANGUAGES, parallel, within_binomial

STEPS = 4000


@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_alpha_is_exact_though_one_dataset_is_english_only(alpha):
    data = [parallel(30, ("de", "en")), parallel(300, ("en",), name="english")]
    if alpha == 1:
        data = data[::-1]
    got = compose(BatchPlanner(data, Plan("hybrid", alpha=alpha), 2, seed=5), STEPS)
    assert got.planned_alpha == pytest.approx(alpha)
    assert within_binomial(got.mode_batches["mono"], STEPS, alpha)
    assert got.realised_alpha == got.mode_batches["mono"] / STEPS


def test_alpha_follows_its_schedule():
    steps = 9000
    plan = Plan("hybrid", alpha=AlphaSchedule.parse("0:0.9,0.5:0.5,1:0.1"))
    planner = BatchPlanner([parallel(30, ("de", "en"))], plan, 2, seed=5, steps=steps)
    assert (planner.alpha(0), planner.alpha(steps - 1), planner.alpha(10 * steps)) == (0.9, 0.1, 0.1)
    for start in range(0, steps, 1500):
        part = compose(planner, 1500, start)
        probability = np.mean([planner.alpha(step) for step in range(start, start + 1500)])
        assert part.planned_alpha == pytest.approx(probability)
        assert within_binomial(part.mode_batches["mono"], 1500, probability)


def test_each_step_has_its_alpha_over_many_seeds():
    plan = Plan("hybrid", alpha=AlphaSchedule.parse("1:0"))
    data = [parallel(5, ("de", "en"))]
    planners = [BatchPlanner(data, plan, 1, seed, steps=5) for seed in range(1000)]
    for step, alpha in enumerate([1.0, 0.75, 0.5, 0.25, 0.0]):
        mono = sum(planner.batch(step).mode == "mono" for planner in planners)
        assert within_binomial(mono, len(planners), alpha)


def uneven(name="data"):
    """100 items; ar in all, de in 50, en in 20."""
    data = parallel(100, ("ar", "de", "en"), name=name)
    data.available[50:, 1] = False
    data.available[20:, 2] = False
    return data


@pytest.mark.parametrize(("weighting", "weights"), [("uniform", [1, 1, 1]), ("size", [100, 50, 20])])
def test_languages_of_mono_and_mixed_batches(weighting, weights):
    for kind, size, draws in (("x-x-mono", 4, STEPS), ("x-x", 1, STEPS)):
        got = compose(BatchPlanner([uneven()], Plan(kind, language_weighting=weighting), size, seed=2), STEPS)
        assert got.query_languages == got.passage_languages
        for language, weight in zip(("ar", "de", "en"), weights, strict=True):
            assert within_binomial(got.query_languages[language] / size, draws, weight / sum(weights))


@pytest.mark.parametrize(("weighting", "weights"), [("uniform", (1, 1, 1)), ("size", (50, 20, 20))])
def test_ordered_pairs_of_cross_batches(weighting, weights):
    planner = BatchPlanner([uneven()], Plan("x-y", language_weighting=weighting), 1, seed=2)
    got = compose(planner, STEPS)
    assert len(got.language_pairs) == 6
    for (one, other), weight in zip((("ar", "de"), ("ar", "en"), ("de", "en")), weights, strict=True):
        for pair in ((one, other), (other, one)):
            assert within_binomial(got.language_pairs[pair], STEPS, weight / sum(weights) / 2)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 2.0])
def test_datasets_in_proportion_to_a_power_of_their_usable_size(exponent):
    data = [
        parallel(40, ("de", "en")),
        parallel(120, ("en", "zh"), name="b"),
        parallel(300, ("en",), name="c"),
    ]
    plan = Plan("hybrid", dataset_exponent=exponent)
    planner = BatchPlanner(data, plan, 2, seed=9)
    batches = [planner.batch(step) for step in range(STEPS)]
    for mode, sizes in (("mono", (40, 120, 300)), ("cross", (40, 120, 0))):
        of_mode = [batch.dataset for batch in batches if batch.mode == mode]
        weights = [size**exponent if size else 0 for size in sizes]
        probabilities = [weight / sum(weights) for weight in weights]
        assert planner.dataset_probabilities(mode) == pytest.approx(probabilities)
        for number, probability in enumerate(probabilities):
            assert within_binomial(of_mode.count(number), len(of_mode), probability)
    assert planner.dataset_probabilities("mixed").tolist() == [0, 0, 0]


def test_a_large_exponent_does_not_overflow():
    data = [parallel(1000, ("de", "en")), parallel(10, ("de", "en"), name="b")]
    planner = BatchPlanner(data, Plan("x-y", dataset_exponent=500), 2, seed=9)
    assert {planner.batch(step).dataset for step in range(50)} == {0}


@pytest.mark.parametrize("batch_size", [1, 5, 10])
def test_items_are_uniform_in_their_cell(batch_size):
    """By symmetry each of twelve single items is as likely as the next, however full the batch."""
    planner = BatchPlanner([parallel(12, LANGUAGES)], Plan("x-y"), batch_size, seed=4)
    counts = np.zeros(12, dtype=int)
    for step in range(STEPS):
        counts[planner.space.decode(planner.batch(step).pairs)[0]] += 1
    assert counts.sum() == STEPS * batch_size
    assert all(within_binomial(count, STEPS, batch_size / 12) for count in counts)


def test_listing_what_is_left_is_uniform_too():
    """Nearly all items are of one group, so most slots end in the list of what is left."""
    groups = np.concatenate([np.zeros(4000, dtype=np.int64), np.arange(1, 9)])
    planner = BatchPlanner([parallel(len(groups), ("de", "en"), groups=groups)], Plan("x-y"), 4, seed=4)
    counts = np.zeros(9, dtype=int)
    for step in range(1000):
        counts[groups[planner.space.decode(planner.batch(step).pairs)[0]]] += 1
    chance = (4000 - counts[0]) / 8 / 1000
    assert all(within_binomial(count, 1000, chance) for count in counts[1:])
