"""Tables of figures, as data: what the console, Markdown and other forms are written from."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from isogloss.evaluation import DEFINITIONS

SETTING_NAMES = {"mono": "monolingual", "cross": "cross-lingual", "multi": "multilingual"}
MEASURE_NAMES = {key: definition.label for key, definition in DEFINITIONS.items()}
_MEASURES = ("map", "recall@1", "recall@10")
_SHOWN = (*_MEASURES, "ndcg@10", "mrr", "success@1")
_COLLECTION_MEASURES = {
    "ndcg@10": MEASURE_NAMES["ndcg@10"],
    "recall@100": "R@100",
    "map@100": "mAP@100",
    "mrr@10": "MRR@10",
}


@dataclass(frozen=True)
class Table:
    """A titled table of texts; the first columns are words, set to the left, the others figures, set to the right.

    Attributes:
        title: what the table shows.
        header: the names of the columns.
        rows: a text a column.
        words: how many of the first columns hold words.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1


def figure(value: float | None, decimals: int = 3, *, signed: bool = False) -> str:
    """Write a figure; a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:+.{decimals}f}" if signed else f"{value:.{decimals}f}"


def markdown(table: Table) -> str:
    """Write a table as GitHub Markdown, without its title."""
    rule = "|---" * table.words + "|--:" * (len(table.header) - table.words) + "|"
    lines = ["| " + " | ".join(table.header) + " |", rule]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table.rows]
    return "\n".join(lines)


def latex(table: Table) -> str:
    """Write a table as a LaTeX tabular without its title; it needs the packages booktabs and amssymb."""
    columns = "l" * table.words + "r" * (len(table.header) - table.words)
    lines = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", _latex_row(table.header), r"\midrule"]
    lines += [_latex_row(row) for row in table.rows]
    lines += [r"\bottomrule", r"\end{tabular}"]
    return "\n".join(lines)


def csv_text(table: Table) -> str:
    """Write a table as CSV (RFC 4180), its header first."""
    text = io.StringIO()
    csv.writer(text).writerows([table.header, *table.rows])
    return text.getvalue()


def settings_table(results: Mapping[str, Any]) -> Table:
    """Macro-averages of the three settings and the rank distance."""
    rows = []
    for setting, name in SETTING_NAMES.items():
        summaries = results["settings"][setting]
        rows.append((name, *(figure(summaries[measure]["mean"]) for measure in _SHOWN), ""))
    distance = figure(results["language_bias"]["rank_distance"]["mean"], 0)
    rows[-1] = (*rows[-1][:-1], distance)
    data = results["data"]
    return Table(
        f"{results['model']['name']} on {_data_line(data)}",
        ("setting", *(MEASURE_NAMES[measure] for measure in _SHOWN), "rank distance"),
        tuple(rows),
    )


def language_table(results: Mapping[str, Any]) -> Table:
    """Each query language's mAP in the three settings, Recall@10 in the multilingual one, and rank distance."""
    settings = results["settings"]
    columns = [
        *(settings[setting]["map"]["by_language"] for setting in SETTING_NAMES),
        settings["multi"]["recall@10"]["by_language"],
    ]
    distances = results["language_bias"]["rank_distance"]["by_language"]
    rows = tuple(
        (
            language,
            *(figure(column.get(language)) for column in columns),
            figure(distances.get(language), 0),
        )
        for language in results["data"]["languages"]
    )
    header = ("query language", "mono mAP", "cross mAP", "multi mAP", "multi R@10", "rank distance")
    return Table("by query language", header, rows)


def pair_table(results: Mapping[str, Any]) -> Table:
    """Cross-lingual mAP of each ordered pair; the monolingual mAP on the diagonal."""
    languages: Sequence[str] = results["data"]["languages"]
    cross = results["settings"]["cross"]["map"]["by_pair"]
    mono = results["settings"]["mono"]["map"]["by_language"]
    rows = tuple(
        (
            query,
            *(
                figure(mono.get(query) if query == candidate else cross.get(f"{query}->{candidate}"))
                for candidate in languages
            ),
        )
        for query in languages
    )
    return Table("mAP by query language (rows) and candidate language (columns)", ("", *languages), rows)


def collections_table(results: Mapping[str, Any]) -> Table:
    """Retrieval over large corpora: a line a setting and query language, and the mean of each setting."""
    rows = []
    for setting, summaries in results["settings"].items():
        counts = results["counts"][setting]
        name = SETTING_NAMES[setting]
        for language, queries in counts["by_language"].items():
            figures = (
                figure(summaries[measure]["by_language"][language]) for measure in _COLLECTION_MEASURES
            )
            rows.append((name, language, *figures, f"{queries:,}"))
        means = (figure(summaries[measure]["mean"]) for measure in _COLLECTION_MEASURES)
        rows.append((name, "mean", *means, f"{counts['queries']:,}"))
    data = results["data"]
    return Table(
        f"{results['model']['name']} on {data['name']} ({data['split']}): {data['candidates']:,} passages",
        ("setting", "language", *_COLLECTION_MEASURES.values(), "queries"),
        tuple(rows),
        words=2,
    )


def change_table(before: Mapping[str, Any], after: Mapping[str, Any]) -> Table:
    """Two results on the same data side by side, with the change."""
    rows = []
    for setting, name in SETTING_NAMES.items():
        for measure in _MEASURES:
            rows.append(
                _change(
                    f"{name} {MEASURE_NAMES[measure]}",
                    before["settings"][setting][measure]["mean"],
                    after["settings"][setting][measure]["mean"],
                    3,
                )
            )
    rows.append(
        _change(
            "rank distance (language bias)",
            before["language_bias"]["rank_distance"]["mean"],
            after["language_bias"]["rank_distance"]["mean"],
            1,
        )
    )
    return Table(
        _data_line(after["data"]),
        ("", "before", "after", "change"),
        tuple(rows),
    )


def _data_line(data: Mapping[str, Any]) -> str:
    languages = len(data["languages"])
    return (
        f"{data['name']}: {data['queries']} queries, {data['candidates']} candidates, {languages} languages"
    )


def _change(name: str, before: float | None, after: float | None, decimals: int) -> tuple[str, ...]:
    difference = None if before is None or after is None else after - before
    return (
        name,
        figure(before, decimals),
        figure(after, decimals),
        figure(difference, decimals, signed=True),
    )


_LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "–": "--",
    "<": "$<$", ">": "$>$", "->": r"$\to$", "▲": r"$\blacktriangle$", "▼": r"$\blacktriangledown$", "↑": r"$\uparrow$",
    "↓": r"$\downarrow$", **{one: "\\" + one for one in "&%$#_{}"},
}  # fmt: skip


def _latex_text(text: str) -> str:
    """Write a text so that LaTeX sets it as it is; signed numbers get a minus, not a hyphen."""
    special = "|".join(re.escape(one) for one in sorted(_LATEX, key=len, reverse=True))
    found = re.compile(rf"(?P<special>{special})|(?<![\w.])-(?=\d)")
    return found.sub(lambda match: _LATEX[match[0]] if match["special"] else "$-$", text)


def _latex_row(cells: Sequence[str]) -> str:
    # A cell that begins with a bracket would be taken for the optional argument of the row before.
    return (
        " & ".join("{}" + cell if cell.startswith("[") else cell for cell in map(_latex_text, cells)) + r" \\"
    )
