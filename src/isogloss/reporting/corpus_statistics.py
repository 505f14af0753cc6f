"""How large corpora are and how long their texts, as tables and as JSON."""

from __future__ import annotations

from typing import Any

from isogloss.corpus.checking import PERCENTILES
from isogloss.corpus.statistics import SIDES, CorpusStatistics, Lengths
from isogloss.reporting.tables import Table

_NAMES = {0: "min", 50: "median", 100: "max"}


def statistics_tables(statistics: CorpusStatistics) -> list[Table]:
    """Tables of the sizes by data set and language, and of text lengths by language."""
    tables = [_sizes(statistics)]
    tables += [_lengths(statistics, unit) for unit in _units(statistics)]
    return tables


def statistics_rows(statistics: CorpusStatistics) -> Table:
    """Everything in one table, a row a data set, language and side of the pair."""
    header: tuple[str, ...] = ("data set", "language", "side", "texts")
    for unit in _units(statistics):
        header += (f"{unit} in all", *(f"{unit} {_name(percentile)}" for percentile in PERCENTILES))
    rows = []
    for dataset, cells in statistics.cells.items():
        for language, cell in cells.items():
            for side in SIDES:
                row: tuple[str, ...] = (dataset, language, side, str(cell.versions))
                for unit in _units(statistics):
                    lengths: Lengths = getattr(cell, unit)[side]
                    row += (str(lengths.total), *map(str, lengths.percentiles()))
                rows.append(row)
    return Table("by data set, language and side", header, tuple(rows), words=3)


def statistics_results(statistics: CorpusStatistics, tokenizer: str | None = None) -> dict[str, Any]:
    """The same as JSON's types, by data set and language."""
    return {
        "tokenizer": tokenizer,
        "percentiles": list(PERCENTILES),
        "languages": list(statistics.languages),
        "datasets": [
            {
                "name": dataset,
                "items": statistics.items[dataset],
                "parallel_items": statistics.parallel[dataset],
                "languages": {
                    language: {
                        "versions": cell.versions,
                        "negatives": cell.negatives,
                        **{
                            side: {
                                unit: {
                                    "total": getattr(cell, unit)[side].total,
                                    "percentiles": list(getattr(cell, unit)[side].percentiles()),
                                }
                                for unit in _units(statistics)
                            }
                            for side in SIDES
                        },
                    }
                    for language, cell in cells.items()
                },
            }
            for dataset, cells in statistics.cells.items()
        ],
    }


def _sizes(statistics: CorpusStatistics) -> Table:
    languages = statistics.languages
    rows = [
        (
            dataset,
            f"{statistics.items[dataset]:,}",
            f"{statistics.parallel[dataset]:,}",
            *(f"{cells[language].versions:,}" if language in cells else "–" for language in languages),
        )
        for dataset, cells in statistics.cells.items()
    ]
    if len(rows) > 1:
        sums = [
            sum(cells[language].versions for cells in statistics.cells.values() if language in cells)
            for language in languages
        ]
        counts = (sum(statistics.items.values()), sum(statistics.parallel.values()), *sums)
        rows.append(("all", *(f"{count:,}" for count in counts)))
    versions = sum(cell.versions for cells in statistics.cells.values() for cell in cells.values())
    header = ("data set", "items", "in 2+ languages", *languages)
    return Table(f"{versions:,} pairs of query and passage by data set and language", header, tuple(rows))


def _lengths(statistics: CorpusStatistics, unit: str) -> Table:
    header = ("language", "side", "mean", *(_name(percentile) for percentile in PERCENTILES), "in all")
    rows = []
    for language in statistics.languages:
        for side in SIDES:
            lengths = statistics.lengths(language, side, unit)
            mean = f"{lengths.total / lengths.texts:.1f}"
            rows.append((language, side, mean, *map(str, lengths.percentiles()), f"{lengths.total:,}"))
    return Table(f"lengths in {unit}", header, tuple(rows), words=2)


def _units(statistics: CorpusStatistics) -> tuple[str, ...]:
    return ("characters", "tokens") if statistics.counted_tokens else ("characters",)


def _name(percentile: int) -> str:
    return _NAMES.get(percentile, f"{percentile} %")
