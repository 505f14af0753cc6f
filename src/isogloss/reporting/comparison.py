"""A comparison of runs as JSON, as tables, and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from isogloss.evaluation import BIAS_DEFINITIONS
from isogloss.evaluation.significance import Comparison, Row, SavedRuns
from isogloss.reporting.tables import MEASURE_NAMES, SETTING_NAMES, Table, figure

COMPARISON_FORMAT = 1
HEADLINES = ("map", "rank_distance")
_OF_MULTI_ALONE = frozenset(definition.key for definition in BIAS_DEFINITIONS)
_MARKS = {"better": "▲", "worse": "▼", "higher": "↑", "lower": "↓"}
_LEVEL_WORDS = {
    "overall": "macro-averages",
    "language": "figures by query language",
    "pair": "figures by ordered pair",
}


@dataclass(frozen=True)
class Group:
    """A name for one run, or for several that differ in their seed.

    Attributes:
        name: how tables call it.
        folders: its runs, as given.
        models: each run's model.
    """

    name: str
    folders: tuple[str, ...]
    models: tuple[str, ...]


def comparison_results(comparison: Comparison, saved: SavedRuns, groups: Sequence[Group]) -> dict[str, Any]:
    """Put a comparison into a dictionary that JSON can hold, with where it comes from and how it was made."""
    settings = comparison.settings
    return {
        "format": COMPARISON_FORMAT,
        "data": dict(saved.data),
        "groups": [
            {"name": group.name, "folders": list(group.folders), "models": list(group.models)}
            for group in groups
        ],
        "method": {
            "clusters": comparison.clusters,
            "permutations": settings.permutations,
            "resamples": settings.resamples,
            "seed": settings.seed,
            "confidence": settings.confidence,
            "alpha": settings.alpha,
            "holm_families": dict(comparison.families),
        },
        "notices": notices(comparison, saved, groups),
        "rows": [_row(row) for row in comparison.rows],
    }


def notices(comparison: Comparison, saved: SavedRuns, groups: Sequence[Group]) -> list[str]:
    """Say how the figures were made, and what they do not cover."""
    settings, clusters = comparison.settings, comparison.clusters
    said = [
        f"difference: the named run's figure minus {groups[0].name}'s; intervals: bootstrap, {settings.resamples}"
        f" resamples of {clusters} parallel ids; p: paired randomisation tests, {settings.permutations} sign flips by"
        f" parallel id (all there are, where they are fewer); seed {settings.seed}",
        "Holm's correction, a family each: "
        + "; ".join(f"the {number} {_LEVEL_WORDS[level]}" for level, number in comparison.families.items()),
        f"better and worse: the interval leaves out 0 and Holm's p is below {settings.alpha:g}",
    ]
    single = [group.name for group in groups if len(group.folders) == 1]
    if len(single) < len(groups):
        said.append(
            "over seeds: mean ± standard deviation by run; intervals: Student's t with the two-level bootstrap's"
            " standard error (runs and parallel ids); p: the larger of that t test's and the randomisation test's"
        )
    if single:
        said.append(
            f"one run each: {', '.join(single)}. Training noise is not covered there: another seed may give another"
            " result. Only of a model taken as it is, this is no matter"
        )
    for level, number in comparison.families.items():
        if number / (settings.permutations + 1) >= settings.alpha:
            said.append(
                f"too few permutations: with {number} {_LEVEL_WORDS[level]} no drawn p can come below"
                f" {settings.alpha:g} after correction; give --permutations {int(2 * number / settings.alpha)} or more"
            )
    if saved.without_parallel_id:
        said.append(
            f"{saved.without_parallel_id} queries have no parallel id: each counts as independent; where translations"
            " are among them, intervals are too narrow and p-values too small"
        )
    said += [f"left out: {measure}, {reason}" for measure, reason in saved.left_out.items()]
    return said


def comparison_tables(
    comparison: Comparison, groups: Sequence[Group], measures: Sequence[str] | None = None
) -> list[Table]:
    """Tables of a comparison: for each further group the macro-averages, then by language, then by pair.

    Args:
        comparison: the rows.
        groups: their names, the first one is the one compared with.
        measures: what the tables by language and pair show; None is mAP and rank distance.
    """
    wanted = measures or HEADLINES
    interval = f"{100 * comparison.settings.confidence:g} % interval"
    tables = []
    for group in groups[1:]:
        rows = [row for row in comparison.rows if row.group == group.name]
        against = f"{group.name} against {groups[0].name}"
        overall = [row for row in rows if row.figure.level == "overall"]
        tables.append(_overall_table(against, overall, interval))
        parts = [row for row in rows if row.figure.measure in wanted]
        if by_language := [row for row in parts if row.figure.level == "language"]:
            tables.append(_language_table(against, by_language, interval))
        if by_pair := [row for row in parts if row.figure.level == "pair"]:
            tables.append(_pair_table(against, by_pair, interval))
    return tables


def rows_table(comparison: Comparison) -> Table:
    """Every row with all digits, for CSV."""
    rows = [_row(row) for row in comparison.rows]
    cells = tuple(
        tuple(
            " ".join(map(repr, value)) if isinstance(value, list) else _cell(value) for value in row.values()
        )
        for row in rows
    )
    return Table("all rows", tuple(rows[0]), cells, words=7)


def _row(row: Row) -> dict[str, Any]:
    return {
        "baseline": row.baseline,
        "run": row.group,
        "level": row.figure.level,
        "setting": row.figure.setting,
        "measure": row.figure.measure,
        "query_language": row.figure.query_language,
        "candidate_language": row.figure.candidate_language,
        "baseline_mean": fmean(row.baseline_values),
        "baseline_by_run": list(row.baseline_values),
        "baseline_spread": _spread(row.baseline_values),
        "mean": fmean(row.values),
        "by_run": list(row.values),
        "spread": _spread(row.values),
        "difference": row.difference,
        "low": row.low,
        "high": row.high,
        "clusters": row.clusters,
        "p_questions": row.p_questions,
        "p_questions_exact": row.exact,
        "p_seeds": row.p_seeds,
        "p": row.p,
        "p_holm": row.p_holm,
        "verdict": row.verdict,
    }


def _spread(values: Sequence[float]) -> float | None:
    return stdev(values) if len(values) > 1 else None


def _cell(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _overall_table(against: str, rows: Sequence[Row], interval: str) -> Table:
    header = (
        "setting", "measure", rows[0].baseline, rows[0].group, "difference", interval, "p", "p (Holm)", "verdict",
    )  # fmt: skip
    body = tuple(
        (
            SETTING_NAMES.get(row.figure.setting, row.figure.setting),
            _label(row.figure.measure),
            _value(row, row.baseline_values),
            _value(row, row.values),
            figure(row.difference, _decimals(row), signed=True),
            _interval(row),
            _p(row.p),
            _p(row.p_holm),
            row.verdict,
        )
        for row in rows
    )
    return Table(against, header, body, words=2)


def _language_table(against: str, rows: Sequence[Row], interval: str) -> Table:
    columns = list(dict.fromkeys((row.figure.setting, row.figure.measure) for row in rows))
    languages = sorted({str(row.figure.query_language) for row in rows})
    of_place: Mapping[tuple[str | None, tuple[str, str]], Row] = {
        (row.figure.query_language, (row.figure.setting, row.figure.measure)): row for row in rows
    }
    body = tuple(
        (language, *(_short(of_place.get((language, column))) for column in columns))
        for language in languages
    )
    names = tuple(
        _label(measure) if measure in _OF_MULTI_ALONE else f"{setting} {_label(measure)}"
        for setting, measure in columns
    )
    used = {row.verdict for row in rows}
    legend = ", ".join(f"{mark} {word}" for word, mark in _MARKS.items() if word in used)
    title = f"{against}, by query language: difference and {interval}" + (f"; {legend}" if legend else "")
    return Table(title, ("query language", *names), body)


def _pair_table(against: str, rows: Sequence[Row], interval: str) -> Table:
    header = (
        "pair",
        "measure",
        rows[0].baseline,
        rows[0].group,
        "difference",
        interval,
        "p (Holm)",
        "verdict",
    )
    body = tuple(
        (
            f"{row.figure.query_language}->{row.figure.candidate_language}",
            _label(row.figure.measure),
            _value(row, row.baseline_values),
            _value(row, row.values),
            figure(row.difference, _decimals(row), signed=True),
            _interval(row),
            _p(row.p_holm),
            row.verdict,
        )
        for row in rows
    )
    return Table(f"{against}, by ordered pair", header, body, words=2)


def _label(measure: str) -> str:
    return MEASURE_NAMES.get(measure, measure.replace("_", " "))


def _decimals(row: Row) -> int:
    """Three digits for shares; one for what is counted in ranks."""
    return 1 if max(map(abs, (*row.values, *row.baseline_values))) > 10 else 3


def _value(row: Row, values: Sequence[float]) -> str:
    decimals = _decimals(row)
    spread = _spread(values)
    mean = figure(fmean(values), decimals)
    return mean if spread is None else f"{mean} ± {figure(spread, decimals)}"


def _interval(row: Row) -> str:
    if row.low is None or row.high is None:
        return figure(None)
    decimals = _decimals(row)
    return f"[{figure(row.low, decimals, signed=True)}, {figure(row.high, decimals, signed=True)}]"


def _short(row: Row | None) -> str:
    if row is None:
        return figure(None)
    return f"{figure(row.difference, _decimals(row), signed=True)} {_interval(row)} {_MARKS.get(row.verdict, ' ')}"


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"
