"""Figures of seen and unseen pairs are the means over their pairs."""

import numpy as np
import pytest

from isogloss.evaluation import TrainedPairs
from isogloss.evaluation.significance.clusters import Cell, PairedValues, add_up, average
from isogloss.study.report.findings import by_split


def test_macro_averages_are_over_the_pairs_of_a_split():
    languages = ("de", "en", "fr", "zh")
    cells = [Cell("mono", one, one) for one in languages]
    cells += [Cell("cross", one, other) for one in languages for other in languages if one != other]
    cells += [Cell("multi", one, None) for one in languages]
    draw = np.random.default_rng(3)
    cell = draw.integers(0, len(cells), 600)
    values = draw.random((2, 600))
    paired = PairedValues(
        draw.integers(0, 20, 600), 20, cell, tuple(cells), {"map": values, "recall@1": values + 1}
    )
    trained = TrainedPairs.of(["de", "en", "fr"], [("de", "en"), ("en", "de"), ("de", "de")], "")
    split, pairs = by_split(paired, trained)
    assert pairs == {
        "pair seen": 2,
        "pair unseen": 4,
        "query language unseen": 3,
        "candidate language unseen": 3,
    }
    assert set(split.values) == {"map"}
    sums = add_up(split, pairs=False)
    figures = average(sums.sums.sum(axis=1), sums.counts.sum(axis=0), sums.members)
    for number, figure in enumerate(sums.figures):
        if figure.level != "overall":
            continue
        slow = []
        for place, one in enumerate(cells):
            if one.setting != "cross":
                continue
            seen = (one.query_language, one.candidate_language) in trained.pairs
            query, candidate = (
                name in trained.languages for name in (one.query_language, one.candidate_language)
            )
            name = (
                "pair seen"
                if seen
                else "pair unseen"
                if query and candidate
                else "candidate language unseen"
                if query
                else "query language unseen"
            )
            if name == figure.setting:
                slow.append(values[:, cell == place].mean(axis=1))
        assert figures[:, number] == pytest.approx(np.mean(slow, axis=0))
