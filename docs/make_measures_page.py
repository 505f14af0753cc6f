"""Write the tables of docs/measures.md from the registry of measures; `make docs` runs it, and a test checks them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from isogloss.evaluation import BIAS_DEFINITIONS, DEFINITIONS, MEASURES, Definition
from isogloss.reporting.tables import Table, markdown

QUALITY = [DEFINITIONS[key] for key in MEASURES]


def measures_table(definitions: Iterable[Definition], *, bias: bool) -> str:
    """Return a row a measure, as Markdown."""
    header = ("measure", "in results", "what it says", "of one query", "range", "better")
    rows = []
    for one in definitions:
        row = [one.label, f"`{one.key}`", one.description, one.formula, one.range, one.better]
        rows.append((*row, one.even, one.source) if bias else (*row, one.source))
    header = (*header, "without bias", "source") if bias else (*header, "source")
    return markdown(Table("", header, tuple(rows), words=len(header)))


def page(text: str) -> str:
    """Return the page with its tables made anew."""
    for name, table in (
        ("quality", measures_table(QUALITY, bias=False)),
        ("bias", measures_table(BIAS_DEFINITIONS, bias=True)),
    ):
        begin, end = f"<!-- {name}: made by `make docs` -->", f"<!-- end of {name} -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"docs/measures.md has no section from {begin} to {end}")
        text = pattern.sub(lambda _, b=begin, e=end, t=table: f"{b}\n\n{t}\n\n{e}", text)
    return text


if __name__ == "__main__":
    path = Path(__file__).with_name("measures.md")
    path.write_text(page(path.read_text(encoding="utf-8")), encoding="utf-8")
