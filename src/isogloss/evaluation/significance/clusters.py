"""Per-query values added up by cluster, so that resampling is a matrix product.

A cluster is what was drawn independently: a question with all its translations (one parallel id). A column is a
measure of one cell, the queries of one language in one setting (in cross, of one ordered pair). Every figure, such as
the macro-average of multi mAP, is a mean of columns, and a column is a sum over clusters divided by a count over
clusters: weights of clusters times these two matrices give the figures of a resample.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Cell(NamedTuple):
    """The queries of one language in one setting; `candidate_language` is None where all languages are ranked."""

    setting: str
    query_language: str
    candidate_language: str | None


class Column(NamedTuple):
    """A measure of a cell."""

    measure: str
    cell: Cell


class Figure(NamedTuple):
    """A macro-average, or one of its parts.

    Attributes:
        setting: "mono", "cross" or "multi".
        measure: a measure's name.
        query_language: None in the macro-average over all of them.
        candidate_language: given in the figure of an ordered pair alone.
    """

    setting: str
    measure: str
    query_language: str | None = None
    candidate_language: str | None = None

    @property
    def level(self) -> str:
        """Which table it belongs to: "overall", "language" or "pair"."""
        if self.query_language is None:
            return "overall"
        return "language" if self.candidate_language is None else "pair"


@dataclass(frozen=True)
class PairedValues:
    """Per-query values of several runs over the same queries.

    Attributes:
        cluster: (m,) int64, from 0 to `clusters` - 1.
        clusters: K, how many clusters there are.
        cell: (m,) int64, a position in `cells`.
        cells: the cells.
        values: for each measure (runs, m) float64; NaN, in the same places in every run, where it is not defined.
    """

    cluster: NDArray[np.int64]
    clusters: int
    cell: NDArray[np.int64]
    cells: tuple[Cell, ...]
    values: Mapping[str, Floats]


@dataclass(frozen=True)
class ClusterSums:
    """Sums and counts by cluster and column, and how figures are averaged from columns.

    Attributes:
        columns: the C columns that have a value.
        sums: (runs, K, C) float64.
        counts: (K, C) float64, how many values each sum holds; the same in every run.
        figures: the F figures: overall, then by language, then by pair.
        members: (C, F) float64, 1 where a figure is the mean of columns that include this one, else 0.
    """

    columns: tuple[Column, ...]
    sums: Floats
    counts: Floats
    figures: tuple[Figure, ...]
    members: Floats

    def clusters_of_figures(self) -> NDArray[np.int64]:
        """(F,) in how many clusters a figure has a value."""
        return np.asarray(np.count_nonzero((self.counts > 0).astype(np.float64) @ self.members, axis=0))


def add_up(paired: PairedValues, *, pairs: bool) -> ClusterSums:
    """Add the values up by cluster and column.

    Args:
        paired: per-query values.
        pairs: also make a figure of every ordered pair of languages.
    """
    width = len(paired.cells)
    flat = paired.cluster * width + paired.cell
    columns: list[Column] = []
    counts: list[Floats] = []
    sums: list[Floats] = []
    for measure, values in paired.values.items():
        there = np.isfinite(values[0])
        places = flat[there]
        count = np.bincount(places, minlength=paired.clusters * width).reshape(-1, width).astype(np.float64)
        used = np.flatnonzero(count.any(axis=0))
        columns += [Column(measure, paired.cells[number]) for number in used]
        counts.append(count[:, used])
        sums.append(
            np.stack(
                [
                    np.bincount(places, weights=run[there], minlength=paired.clusters * width).reshape(
                        -1, width
                    )[:, used]
                    for run in values
                ]
            )
        )
    figures, members = figures_of(tuple(columns), pairs=pairs)
    return ClusterSums(
        tuple(columns), np.concatenate(sums, axis=2), np.concatenate(counts, axis=1), figures, members
    )


def figures_of(columns: tuple[Column, ...], *, pairs: bool) -> tuple[tuple[Figure, ...], Floats]:
    """Name the figures that columns make, and say which columns each one averages.

    Returns:
        The F figures: macro-averages, then those by query language, then (with `pairs`) those by ordered pair,
        each in the order of the settings and measures; and (columns, F) ones and zeros.
    """
    parts: tuple[dict[Figure, list[int]], ...] = ({}, {}, {})
    for number, (measure, cell) in enumerate(columns):
        names = [Figure(cell.setting, measure), Figure(cell.setting, measure, cell.query_language)]
        if pairs and cell.candidate_language not in (None, cell.query_language):
            names.append(Figure(cell.setting, measure, cell.query_language, cell.candidate_language))
        for level, name in zip(parts, names, strict=False):
            level.setdefault(name, []).append(number)
    settings = list(dict.fromkeys(cell.setting for _, cell in columns))
    measures = list(dict.fromkeys(measure for measure, _ in columns))
    figures: list[Figure] = []
    for level in parts:
        # A stable sort: languages stay in the order of the cells.
        figures += sorted(level, key=lambda one: (settings.index(one.setting), measures.index(one.measure)))
    members = np.zeros((len(columns), len(figures)))
    everything = {name: numbers for level in parts for name, numbers in level.items()}
    for place, name in enumerate(figures):
        members[everything[name], place] = 1.0
    return tuple(figures), members


def average(totals: Floats, sizes: Floats, members: Floats) -> Floats:
    """Columns' means, averaged to figures; columns without a value are left out, a figure without one is NaN.

    Args:
        totals: (..., C) sums of values.
        sizes: (..., C) how many values they hold.
        members: (C, F), as in `ClusterSums`.

    Returns:
        (..., F) float64.
    """
    there = sizes > 0
    if there.all():
        return np.asarray((totals / sizes) @ (members / members.sum(axis=0)))
    means = np.divide(totals, sizes, out=np.zeros(np.broadcast(totals, sizes).shape), where=there)
    number = there.astype(np.float64) @ members
    found = means @ members
    return np.asarray(np.divide(found, number, out=np.full(found.shape, np.nan), where=number > 0))
