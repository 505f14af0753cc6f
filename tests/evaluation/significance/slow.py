"""Obvious, slow twins: rows in lists, clusters drawn one by one, every sign vector written out."""

from collections import defaultdict
from itertools import product
from statistics import fmean

import numpy as np

from isogloss.evaluation.significance import Cell, PairedValues


def random_paired(seed, *, runs=2, clusters=7, languages=("ar", "de", "en"), missing=0.2, shift=0.0):
    """Runs over a corpus with gaps: some clusters lack languages, rank_distance is not there for every query."""
    draw = np.random.default_rng(seed)
    rows, cells = [], {}
    for cluster in range(clusters):
        for language in languages:
            if draw.random() < missing and cluster:
                continue
            for _ in range(draw.integers(1, 3)):
                rows.append((cluster, Cell("mono", language, language)))
                rows += [
                    (cluster, Cell("cross", language, other)) for other in languages if other != language
                ]
                rows.append((cluster, Cell("multi", language, None)))
    for _, cell in rows:
        cells.setdefault(cell, len(cells))
    of_map = draw.random((runs, len(rows)))
    of_map[1:] += shift
    distance = draw.integers(0, 50, (runs, len(rows))).astype(float)
    there = np.array([cell.setting == "multi" and draw.random() > 0.3 for _, cell in rows])
    there[next(number for number, (_, cell) in enumerate(rows) if cell.setting == "multi")] = True
    distance[:, ~there] = np.nan
    return PairedValues(
        cluster=np.array([cluster for cluster, _ in rows]),
        clusters=clusters,
        cell=np.array([cells[cell] for _, cell in rows]),
        cells=tuple(cells),
        values={"map": of_map, "rank_distance": distance},
    )


def slow_figures(paired, run, drawn=None):
    """{(setting, measure, query language, candidate language): figure} of a run, of the drawn clusters."""
    parts = defaultdict(list)
    for cluster in range(paired.clusters) if drawn is None else drawn:
        for measure, values in paired.values.items():
            for row in np.flatnonzero(paired.cluster == cluster):
                if not np.isnan(values[run, row]):
                    parts[measure, paired.cells[paired.cell[row]]].append(values[run, row])
    means = {key: fmean(values) for key, values in parts.items()}
    figures = defaultdict(list)
    for (measure, cell), mean in means.items():
        figures[cell.setting, measure, None, None].append(mean)
        figures[cell.setting, measure, cell.query_language, None].append(mean)
        if cell.setting == "cross":
            figures[cell.setting, measure, cell.query_language, cell.candidate_language].append(mean)
    return {key: fmean(values) for key, values in figures.items()}


def slow_sign_flip(paired, one, other, figure):
    """The exact p-value by swapping whole clusters' values between two runs and measuring everything anew."""
    observed = slow_figures(paired, other)[figure] - slow_figures(paired, one)[figure]
    hits = 0
    for swaps in product((False, True), repeat=paired.clusters):
        swapped = np.array(swaps)[paired.cluster]
        values = {}
        for measure, of_runs in paired.values.items():
            values[measure] = np.where(swapped, of_runs[[other, one]], of_runs[[one, other]])
        tossed = PairedValues(paired.cluster, paired.clusters, paired.cell, paired.cells, values)
        difference = slow_figures(tossed, 1)[figure] - slow_figures(tossed, 0)[figure]
        hits += abs(difference) >= abs(observed) - 1e-12
    return hits / 2**paired.clusters
