"""Random corpora and plans for the properties, and small ones made by hand."""

import numpy as np
from hypothesis import strategies as st

from isogloss.batching import AlphaSchedule, Plan, PlanningData

LANGUAGES = ("ar", "de", "en", "es", "hi", "zh")


def parallel(items, languages, name="data", groups=None):
    """Fully parallel data, each item a group of its own unless groups are given."""
    return PlanningData(
        name,
        tuple(languages),
        np.ones((items, len(languages)), dtype=bool),
        np.arange(items) if groups is None else np.asarray(groups),
    )


@st.composite
def datasets(draw, largest=40):
    """One to three datasets; languages in any order, some items in none, few or many groups."""
    made = []
    for number in range(draw(st.integers(1, 3))):
        languages = draw(st.permutations(LANGUAGES))[: draw(st.integers(1 if number else 3, len(LANGUAGES)))]
        random = np.random.default_rng(draw(st.integers(0, 2**32)))
        items = draw(st.integers(0 if number else 20, largest))
        available = random.random((items, len(languages))) < draw(st.sampled_from([0.3, 0.7, 1.0]))
        groups = random.integers(0, draw(st.sampled_from([4, 15, 1000])), size=items)
        made.append(PlanningData(f"data{number}", tuple(languages), available, groups))
    return made


@st.composite
def plans(draw):
    some = st.lists(st.sampled_from(LANGUAGES), unique=True, max_size=1)
    languages = draw(st.none() | st.lists(st.sampled_from(LANGUAGES), unique=True, min_size=3).map(tuple))
    languages = draw(st.sampled_from([None, languages]))
    pairs = st.lists(st.tuples(st.sampled_from(LANGUAGES), st.sampled_from(LANGUAGES)), max_size=6)
    kind = draw(st.sampled_from(["en-en", "x-x", "x-x-mono", "x-y", "hybrid", "hybrid", "hybrid"]))
    anchor = draw(st.sampled_from(languages or LANGUAGES))
    pairs = pairs.map(lambda held: [pair for pair in held if kind != "en-en" or pair != (anchor, anchor)])
    held_out = tuple(language for language in draw(some) if kind != "en-en" or language != anchor)
    return Plan(
        kind,
        alpha=draw(st.sampled_from([0.0, 0.3, 0.5, 1.0, AlphaSchedule.parse("0.9:0.1")])),
        languages=languages,
        held_out_languages=held_out,
        held_out_pairs=tuple(draw(pairs)),
        language_weighting=draw(st.sampled_from(["uniform", "size"])),
        dataset_exponent=draw(st.sampled_from([0.0, 0.5, 1.0, 2.0])),
        anchor_language=anchor,
        skip_small=draw(st.sampled_from([True, True, True, True, True, False])),
    )


def within_binomial(count, trials, probability, sigmas=5.0):
    """Whether a count of successes is near what the probability says."""
    deviation = (trials * probability * (1 - probability)) ** 0.5
    return abs(count - trials * probability) <= sigmas * deviation + 1e-9
