import numpy as np
import pytest

from isogloss.evaluation import evaluate_vectors, per_query_table, results_of
from isogloss.evaluation.settings import MEASURES
from isogloss.evaluation.significance import Cell, Column, Figure, PairedValues, add_up, average
from isogloss.evaluation.significance.clusters import figures_of
from tests.evaluation.benchmarks import integer_vectors, random_benchmark
from tests.evaluation.significance.slow import random_paired, slow_figures


def as_dict(figures, values):
    return {
        tuple(figure): value for figure, value in zip(figures, values, strict=True) if not np.isnan(value)
    }


@pytest.mark.parametrize("seed", range(8))
def test_figures_from_sums_are_those_of_the_rows(seed):
    paired = random_paired(seed)
    sums = add_up(paired, pairs=True)
    for run in range(2):
        found = average(sums.sums[run].sum(axis=0), sums.counts.sum(axis=0), sums.members)
        assert as_dict(sums.figures, found) == pytest.approx(slow_figures(paired, run))


@pytest.mark.parametrize("seed", range(8))
def test_weights_of_clusters_are_clusters_drawn(seed):
    paired = random_paired(seed, missing=0.6)
    sums = add_up(paired, pairs=True)
    drawn = np.random.default_rng(seed).integers(0, paired.clusters, paired.clusters)
    weights = np.bincount(drawn, minlength=paired.clusters).astype(float)
    found = average(weights @ sums.sums[1], weights @ sums.counts, sums.members)
    assert as_dict(sums.figures, found) == pytest.approx(slow_figures(paired, 1, drawn))


def test_figures_are_the_evaluation_s_own():
    evaluation = evaluate_vectors(random_benchmark(3), integer_vectors(4, 12), integer_vectors(5, 20))
    rows = per_query_table(evaluation).to_pylist()
    cells = list(
        dict.fromkeys(
            Cell(row["setting"], row["query_language"], row["candidate_language"])
            for row in rows
        )
    )  # fmt: skip
    ids = sorted({row["parallel_id"] for row in rows})
    paired = PairedValues(
        cluster=np.array([ids.index(row["parallel_id"]) for row in rows]),
        clusters=len(ids),
        cell=np.array(
            [cells.index((row["setting"], row["query_language"], row["candidate_language"])) for row in rows]
        ),
        cells=tuple(cells),
        values={
            measure: np.array(
                [[np.nan if row[measure] is None else row[measure] for row in rows]], dtype=float
            )
            for measure in (*MEASURES, "rank_distance")
        },
    )
    sums = add_up(paired, pairs=True)
    found = as_dict(sums.figures, average(sums.sums[0].sum(axis=0), sums.counts.sum(axis=0), sums.members))
    expected = {}
    results = results_of(evaluation)
    summaries = {
        (setting, measure): summary
        for setting, measures in results["settings"].items()
        for measure, summary in measures.items()
    }
    summaries["multi", "rank_distance"] = results["language_bias"]["rank_distance"]
    for (setting, measure), summary in summaries.items():
        expected[setting, measure, None, None] = summary["mean"]
        for language, value in summary["by_language"].items():
            expected[setting, measure, language, None] = value
        for pair, value in summary.get("by_pair", {}).items():
            expected[setting, measure, *pair.split("->")] = value
    assert found == pytest.approx(expected)


def test_levels_and_their_order():
    columns = (
        Column("map", Cell("mono", "en", "en")),
        Column("map", Cell("cross", "en", "de")),
        Column("map", Cell("cross", "en", "fr")),
        Column("rank_distance", Cell("multi", "en", None)),
    )
    figures, members = figures_of(columns, pairs=True)
    assert figures == (
        Figure("mono", "map"),
        Figure("cross", "map"),
        Figure("multi", "rank_distance"),
        Figure("mono", "map", "en"),
        Figure("cross", "map", "en"),
        Figure("multi", "rank_distance", "en"),
        Figure("cross", "map", "en", "de"),
        Figure("cross", "map", "en", "fr"),
    )
    assert [figure.level for figure in figures] == ["overall"] * 3 + ["language"] * 3 + ["pair"] * 2
    assert members.T.tolist() == [
        [1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1],
        [1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1],
        [0, 1, 0, 0], [0, 0, 1, 0],
    ]  # fmt: skip
    assert figures_of(columns, pairs=False)[0] == figures[:6]


def test_in_how_many_clusters_a_figure_stands():
    paired = random_paired(2, missing=0.5)
    sums = add_up(paired, pairs=True)
    for figure, number in zip(sums.figures, sums.clusters_of_figures(), strict=True):
        held = set()
        for row, cell_number in enumerate(paired.cell):
            cell = paired.cells[cell_number]
            if (
                cell.setting == figure.setting
                and figure.query_language in (None, cell.query_language)
                and figure.candidate_language in (None, cell.candidate_language)
                and not np.isnan(paired.values[figure.measure][0, row])
            ):
                held.add(int(paired.cluster[row]))
        assert number == len(held)


def test_a_resample_without_a_figure_s_queries_has_no_figure():
    found = average(np.array([0.0, 3.0]), np.array([0.0, 4.0]), np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]))
    assert np.isnan(found[0])
    assert found[1:].tolist() == [0.75, 0.75]
