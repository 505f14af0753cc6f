"""An audit's tables as Markdown, CSV and LaTeX, the headline in the published tables' form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from isogloss.reporting.audit.findings import Findings, Heatmap
from isogloss.reporting.audit.published import HEADLINES, headline_row
from isogloss.reporting.tables import Table, csv_text, figure, language_table, latex, markdown

_FORMS: dict[str, Callable[[Table], str]] = {"md": markdown, "csv": csv_text, "tex": latex}


def heatmap_table(heatmap: Heatmap) -> Table:
    """The values of a heatmap."""
    rows = tuple(
        (name, *map(figure, values)) for name, values in zip(heatmap.rows, heatmap.values, strict=True)
    )
    return Table(heatmap.title, ("", *heatmap.columns), rows)


def audit_tables(found: Findings) -> dict[str, Table]:
    """All tables of an audit by a short name."""
    results = found.results
    headline = Table(
        f"{results['model']['name']} on {results['data']['name']}",
        HEADLINES,
        (headline_row(results["model"]["name"], results),),
    )
    tables = {
        "headline": found.published or headline,
        "settings": found.settings,
        "language-bias": found.bias,
        "by-language": language_table(results),
    }
    names = ("map-by-pair", "pool-recall-by-pair", "language-share")
    tables |= {name: heatmap_table(one) for name, one in zip(names, found.heatmaps, strict=False)}
    if found.seen is not None:
        tables["seen-unseen"] = found.seen
    tables |= {f"earlier-{place}": table for place, table in enumerate(found.earlier, 1)}
    return tables


def write_tables(found: Findings, folder: Path) -> None:
    """Write every table in every form to a folder, made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in audit_tables(found).items():
        for suffix, written in _FORMS.items():
            text = written(table)
            (folder / f"{name}.{suffix}").write_text(
                text if text.endswith("\n") else f"{text}\n", encoding="utf-8", newline=""
            )
