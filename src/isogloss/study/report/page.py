"""The report as one HTML page that needs nothing but itself, and as Markdown with its pictures beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from isogloss.encoding.machine import machine_line
from isogloss.reporting.charts import Chart, picture_file, style, svg, table
from isogloss.reporting.pages import packaged_text, render
from isogloss.reporting.tables import Table, csv_text, latex, markdown
from isogloss.study.report.claims import Claim, claims_of
from isogloss.study.report.findings import StudyFindings
from isogloss.study.report.pictures import alpha_charts, curve_charts, pareto_chart
from isogloss.study.report.tables import (
    claims_table,
    differences_table,
    published_table,
    results_table,
    splits_table,
)
from isogloss.study.status import notices, status_table


@dataclass(frozen=True)
class Section:
    """A heading, and what stands under it."""

    title: str
    tables: tuple[Table, ...]
    charts: tuple[Chart, ...]


def sections_of(found: StudyFindings) -> list[Section]:
    """One section a condition, base and test set."""
    sections = []
    for block in found.blocks:
        tables = (
            results_table(block),
            published_table(block),
            differences_table(found, block),
            splits_table(found, block),
        )
        charts = (*alpha_charts(found, block), pareto_chart(block), *curve_charts(block))
        sections.append(Section(block.name, tuple(one for one in tables if one is not None), charts))
    return sections


def write_report(found: StudyFindings, folder: Path, command: str) -> None:
    """Write index.html, report.md with pictures, and every table as CSV and LaTeX.

    Args:
        found: the findings.
        folder: an empty folder.
        command: what was called, for the page.
    """
    claims, sections, facts = claims_of(found), sections_of(found), facts_of(found, command)
    (folder / "index.html").write_text(_page(found, claims, sections, facts), encoding="utf-8")
    (folder / "pictures").mkdir()
    names = _write_pictures(sections, folder / "pictures")
    text = _markdown(found, claims, sections, names, facts)
    (folder / "report.md").write_text(text, encoding="utf-8", newline="\n")
    (folder / "tables").mkdir()
    for number, shown in enumerate(_tables(found, claims, sections), 1):
        name = f"{number:02d}-{_slug(shown.title)}"
        (folder / "tables" / f"{name}.csv").write_text(csv_text(shown), encoding="utf-8", newline="")
        (folder / "tables" / f"{name}.tex").write_text(f"{latex(shown)}\n", encoding="utf-8")


def facts_of(found: StudyFindings, command: str) -> list[tuple[str, str]]:
    """How it was measured."""
    records = [one.record for one in found.states if one.record is not None]
    minutes = sum(record["seconds"] for record in records) / 60
    study = found.study
    settings = next((block.differences.settings for block in found.blocks if block.differences), None)
    machines = sorted({machine_line(record["machine"]) for record in records if "machine" in record})
    tests = sorted({test for condition in study.conditions.values() for test in condition.test})
    facts = [
        ("command", command),
        ("bases", ", ".join(study.bases)),
        ("seeds", ", ".join(map(str, study.seeds))),
        ("every run's recipe", "; ".join(f"{key} {value}" for key, value in study.recipe.items())),
        ("development corpus", f"{study.dev}; learning curves, and nothing else was chosen"),
        ("test sets", f"{', '.join(tests)}, read by this report alone"),
        ("runs", f"{len(records)} of {len(found.states)}, {minutes:.0f} minutes of training"),
        ("measuring", f"{_encoding_minutes(found):.0f} minutes of encoding the test sets"),
        ("machine", "; ".join(machines) or "not recorded"),
    ]
    if records:
        facts.append(
            ("libraries", ", ".join(f"{name} {version}" for name, version in records[-1]["versions"].items()))
        )
    if settings is not None:
        facts.append(
            (
                "statistics",
                f"{settings.confidence:.0%} intervals over questions (all translations of one together) and seeds; "
                f"sign flips with {settings.permutations:,} permutations, Holm's correction over each table",
            )
        )
    return facts


def _encoding_minutes(found: StudyFindings) -> float:
    """Of every model on its test set; a cure's are those of its model, whose vectors it changes."""
    seconds: dict[tuple[str, str, str | None, int], float] = {}
    for block in found.blocks:
        for model in (one for one in block.models if one.cure is None):
            for number, results in enumerate(model.results):
                condition = block.condition if model.arm else ""
                seconds[condition + block.base, block.test, model.arm, number] = results["seconds"][
                    "encoding"
                ]
    return sum(seconds.values()) / 60


def _page(
    found: StudyFindings,
    claims: Sequence[Claim],
    sections: Sequence[Section],
    facts: Sequence[tuple[str, str]],
) -> str:
    css = packaged_text("reporting/audit/page.css") + style()
    return render(
        "study/report/page.html.jinja",
        {
            "name": found.study.name,
            "claims": claims,
            "sections": [
                (section.title, section.tables, [(svg(chart), table(chart)) for chart in section.charts])
                for section in sections
            ],
            "budgets": status_table(found.states),
            "notices": notices(found.states, found.study.budget),
            "facts": facts,
            "css": css,
            "said": _summary(claims),
        },
        {},
    )


def _markdown(
    found: StudyFindings,
    claims: Sequence[Claim],
    sections: Sequence[Section],
    names: Sequence[Sequence[str]],
    facts: Sequence[tuple[str, str]],
) -> str:
    lines = [f"# {found.study.name}", "", _summary(claims), "", markdown(claims_table(claims)), ""]
    for claim in claims:
        lines += [f"**{claim.number}. {claim.text}** {claim.verdict.capitalize()}. Rule: {claim.rule}.", ""]
        lines += [
            f"- {part.block}: {part.verdict}{': ' if part.evidence else ''}{'; '.join(part.evidence)}"
            for part in claim.parts
        ]
        lines.append("")
    for section, pictures in zip(sections, names, strict=True):
        lines += [f"## {section.title}", ""]
        for shown in section.tables:
            lines += [f"{shown.title}:", "", markdown(shown), ""]
        for chart, picture in zip(section.charts, pictures, strict=True):
            lines += [f"![{chart.title}](pictures/{picture})", ""]
    lines += ["## What was trained", "", markdown(status_table(found.states)), ""]
    lines += [f"- {notice}" for notice in notices(found.states, found.study.budget)]
    lines += ["", "## How it was measured", ""]
    lines += [f"- {name}: {value}" for name, value in facts]
    return "\n".join(lines).rstrip() + "\n"


def _summary(claims: Sequence[Claim]) -> str:
    parts = []
    for verdict in ("supported", "not supported", "undecided", "not measured"):
        numbers = [str(claim.number) for claim in claims if claim.verdict == verdict]
        if numbers:
            parts.append(f"{verdict}: {', '.join(numbers)}")
    return f"Of the six claims, {'; '.join(parts)}."


def _write_pictures(sections: Sequence[Section], folder: Path) -> list[list[str]]:
    names = []
    for number, section in enumerate(sections, 1):
        of_section = []
        for chart in section.charts:
            name = f"{number}-{_slug(chart.title)}.svg"
            (folder / name).write_text(picture_file(chart), encoding="utf-8")
            of_section.append(name)
        names.append(of_section)
    return names


def _tables(found: StudyFindings, claims: Sequence[Claim], sections: Sequence[Section]) -> list[Table]:
    shown = [claims_table(claims), *(one for section in sections for one in section.tables)]
    return [*shown, status_table(found.states)]


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60]
