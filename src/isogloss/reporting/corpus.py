"""What is in a corpus, as tables."""

from __future__ import annotations

from isogloss.corpus import PERCENTILES, CorpusReport
from isogloss.reporting.tables import Table

_SHOWN = {0: "min", 50: "median", 95: "95 %", 100: "max"}


def corpus_tables(report: CorpusReport) -> list[Table]:
    """Tables of the counts per language, of parallel items by pair of languages, and of text lengths."""
    shown = [PERCENTILES.index(percentile) for percentile in _SHOWN]
    lengths = tuple(
        (
            language,
            str(report.versions[language]),
            *(str(report.lengths[side][language][at]) for side in ("query", "passage") for at in shown),
        )
        for language in report.languages
    )
    header = (
        "language",
        "items",
        *(f"{side} {name}" for side in ("query", "passage") for name in _SHOWN.values()),
    )
    parallel = tuple(
        (language, *(str(count) for count in row))
        for language, row in zip(report.languages, report.parallel.tolist(), strict=True)
    )
    title = f"{report.name}: {report.items} items, {report.records} language versions; lengths in characters"
    return [
        Table(title, header, lengths),
        Table("items in both languages", ("", *report.languages), parallel),
    ]
