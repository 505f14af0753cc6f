"""What is in a corpus, as tables."""

from __future__ import annotations

from isogloss.corpus import PERCENTILES, CorpusReport
from isogloss.reporting.tables import Table


def corpus_tables(report: CorpusReport) -> list[Table]:
    """Tables of the counts per language, of parallel items by pair of languages, and of text lengths."""
    lengths = []
    for language in report.languages:
        row = [language, str(report.versions[language])]
        for side in ("query", "passage"):
            row += [str(length) for length in report.lengths[side][language]]
        lengths.append(tuple(row))
    header = ("language", "items", *(f"{side} p{at}" for side in ("query", "passage") for at in PERCENTILES))
    parallel = tuple(
        (language, *(str(count) for count in row))
        for language, row in zip(report.languages, report.parallel.tolist(), strict=True)
    )
    title = f"{report.name}: {report.items} items, {report.records} language versions; lengths in characters"
    return [
        Table(title, header, tuple(lengths)),
        Table("items in both languages", ("", *report.languages), parallel),
    ]
