"""What a cleaning or a decontamination did, as tables and as a page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from isogloss.cleaning.decontamination import ContaminationReport
from isogloss.cleaning.matching import KINDS
from isogloss.cleaning.report import CleaningReport
from isogloss.cleaning.state import RULES
from isogloss.errors import OutputError
from isogloss.files import finished_file
from isogloss.reporting.pages import packaged_text, render
from isogloss.reporting.tables import Table, markdown

REPORTS = (".html", ".md", ".json")
_SHOWN = 90


def cleaning_tables(report: CleaningReport) -> tuple[str, list[Table]]:
    """A title, and tables of what each rule removed, of the languages, of thresholds and of examples."""
    languages = sorted({*report.read, *report.written, *(language for _, language in report.removed)} - {""})
    others = any(not language for _, language in report.removed)
    columns = [*languages, *([""] if others else [])]
    rules = [rule for rule in RULES if report.removed_by(rule)]
    removed = tuple(
        (
            rule,
            str(report.removed_by(rule)),
            _share(report.removed_by(rule), report.records),
            *(str(report.removed[rule, language]) for language in columns),
        )
        for rule in rules
    )
    left = tuple(
        (
            language,
            str(report.read[language]),
            str(report.written[language]),
            _share(report.written[language], report.read[language]),
        )
        for language in languages
    )
    rate = f", {report.records / report.seconds:,.0f} records a second" if report.seconds else ""
    title = f"{report.source}: {report.written_records} of {report.records} records kept{rate}"
    header = ("rule", "removed", "share", *(language or "none" for language in columns))
    tables = [Table("removed by rule and language", header, removed)]
    tables.append(Table("by language", ("language", "read", "kept", "share"), left))
    if report.relabelled:
        rows = tuple((said, found, str(count)) for (said, found), count in sorted(report.relabelled.items()))
        tables.append(Table("relabelled", ("said", "found", "records"), rows, words=2))
    if report.thresholds:
        tables.append(_thresholds(report))
    if report.examples:
        shown = tuple(
            (
                one.rule,
                one.why,
                one.id,
                one.language,
                _cut(one.query),
                _cut(one.passage),
            )
            for one in sorted(report.examples, key=lambda one: RULES.index(one.rule))
        )
        tables.append(
            Table("examples", ("rule", "why", "id", "language", "query", "passage"), shown, words=6)
        )
    return title, tables


def contamination_tables(report: ContaminationReport, source: str) -> tuple[str, list[Table]]:
    """A title, and tables of the contaminated items by benchmark and kind, by language, and of examples."""
    rows = tuple(
        (
            name,
            str(texts),
            str(sum(report.by_benchmark()[name].values())),
            *(str(report.kinds[name, kind]) for kind in KINDS),
        )
        for name, texts in report.benchmarks.items()
    )
    tables = [
        Table("contaminated items, by their surest match", ("benchmark", "texts", "items", *KINDS), rows)
    ]
    if report.languages:
        languages = sorted({language for _, language in report.languages})
        by_language = tuple(
            (name, *(str(report.languages[name, language]) for language in languages))
            for name in report.benchmarks
        )
        tables.append(Table("versions that match, by language", ("benchmark", *languages), by_language))
    if report.items:
        examples = tuple(
            (
                one.kind,
                f"{one.value:.2f}",
                one.id,
                one.language,
                one.side,
                _cut(one.text),
                one.benchmark,
                _cut(one.benchmark_text),
            )
            for one in report.examples()
        )
        header = ("kind", "value", "id", "language", "side", "training text", "benchmark", "its text")
        tables.append(Table("examples", header, examples, words=8))
    return f"{source}: {len(report.items)} contaminated items in {report.versions} language versions", tables


def contamination_json(report: ContaminationReport) -> dict[str, Any]:
    """What was found, in JSON's types, with all items."""
    return {
        "benchmarks": report.benchmarks,
        "versions": report.versions,
        "items": report.by_benchmark(),
        "languages": {f"{name} {language}": count for (name, language), count in report.languages.items()},
        "matches": [one.as_record() for one in report.items.values()],
    }


def check_report_names(reports: Iterable[Path], outputs: Iterable[Path | None] = ()) -> None:
    """Refuse names that no report is written under, before work is done.

    Raises:
        OutputError: one ends otherwise than in `REPORTS`, or is an output's.
    """
    taken = {path.absolute() for path in outputs if path is not None}
    for path in reports:
        if path.suffix not in REPORTS:
            raise OutputError(f"{path}: a report is written as {', '.join(REPORTS)}")
        if path.absolute() in taken:
            raise OutputError(f"{path}: two outputs have this name")
        taken.add(path.absolute())


def write_report(path: Path, title: str, tables: Sequence[Table], figures: Mapping[str, Any]) -> None:
    """Write a report; a file of that name is replaced.

    Args:
        path: its suffix, one of `REPORTS`, decides the form.
        title: its first line.
        tables: what .html and .md show.
        figures: what .json holds.

    Raises:
        OutputError: it cannot be written.
    """
    if path.suffix == ".json":
        text = json.dumps(figures, ensure_ascii=False, indent=2) + "\n"
    elif path.suffix == ".md":
        parts = [f"# {title}", *(f"## {table.title}\n\n{_one_line(table)}" for table in tables)]
        text = "\n\n".join(parts) + "\n"
    else:
        values = {"title": title, "tables": tables, "style": packaged_text("reporting/audit/page.css")}
        text = render("reporting/tables.html.jinja", values, {})
    with finished_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def _thresholds(report: CleaningReport) -> Table:
    rows = tuple(
        (
            one.language,
            one.side,
            f"{one.similarity:.3f}",
            str(one.pairs),
            f"{one.median:.3f}",
            "–" if one.shuffled_median is None else f"{one.shuffled_median:.3f}",
        )
        for one in report.thresholds
    )
    header = ("language", "side", "threshold", "pairs", "median of pairs", "median of shuffled pairs")
    return Table("similarity of translations", header, rows, words=2)


def _one_line(table: Table) -> str:
    rows = tuple(tuple(" ".join(cell.split()) for cell in row) for row in table.rows)
    return markdown(Table(table.title, table.header, rows, table.words))


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else "–"


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
