"""Everything that an audit's page shows, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from isogloss.corpus import RetrievalBenchmark
from isogloss.evaluation.score_histogram import ScoreHistogram
from isogloss.evaluation.significance import Figure
from isogloss.evaluation.worst_queries import WorstQuery
from isogloss.reporting.audit.published import published_table
from isogloss.reporting.audit.verdict import Verdict, verdict
from isogloss.reporting.bias import bias_table, seen_table
from isogloss.reporting.tables import MEASURE_NAMES, SETTING_NAMES, Table, figure

QUALITY = ("map", "recall@1", "recall@10", "ndcg@10", "mrr", "success@1")
Intervals = Mapping[Figure, tuple[float, float]]


@dataclass(frozen=True)
class Text:
    """A text of the benchmark and its language."""

    text: str
    language: str


@dataclass(frozen=True)
class Answer:
    """A right answer of a query and its place in the mixed pool, from 1."""

    rank: int
    text: Text


@dataclass(frozen=True)
class BadQuery:
    """A query served badly: its text, what came first if that is wrong, and where its right answers landed."""

    query: Text
    average_precision: float
    rank_distance: int
    first: Text | None
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Heatmap:
    """Shares from 0 to 1 by row and column.

    Attributes:
        title: what it shows.
        note: how to read it.
        rows: names of the rows.
        columns: names of the columns.
        values: a row each; None where there is no value.
    """

    title: str
    note: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True)
class Bar:
    """A named value and its length against the longest, from 0 to 1."""

    name: str
    value: float
    length: float


@dataclass(frozen=True)
class Findings:
    """An audit.

    Attributes:
        results: as `results.json` holds them.
        verdict: the answer.
        settings: the three settings, with intervals.
        bias: every measure of language bias, beside the quality.
        heatmaps: by query and candidate language.
        distances: rank distance by query language.
        histogram: how scores are spread.
        worst: the queries served worst.
        earlier: comparisons with earlier audits.
        published: the published figures of the benchmark.
        seen: figures by what training met.
        command: how the audit was made; empty if not by a command.
    """

    results: Mapping[str, Any]
    verdict: Verdict
    settings: Table
    bias: Table
    heatmaps: tuple[Heatmap, ...]
    distances: tuple[Bar, ...]
    histogram: ScoreHistogram
    worst: tuple[BadQuery, ...]
    earlier: tuple[Table, ...]
    published: Table | None
    seen: Table | None
    command: str


def findings(
    results: Mapping[str, Any],
    benchmark: RetrievalBenchmark,
    histogram: ScoreHistogram,
    worst: Sequence[WorstQuery],
    intervals: Intervals,
    *,
    earlier: Sequence[Table] = (),
    command: str = "",
) -> Findings:
    """Put an audit together.

    Args:
        results: as `results.json` holds them.
        benchmark: what was asked.
        histogram: how scores are spread.
        worst: the queries served worst.
        intervals: of the macro-averages, 95 %.
        earlier: comparisons with earlier audits.
        command: how the audit is made.
    """
    return Findings(
        results=results,
        verdict=verdict(results),
        settings=_settings_with_intervals(results, intervals),
        bias=bias_table(results),
        heatmaps=_heatmaps(results),
        distances=_bars(results),
        histogram=histogram,
        worst=tuple(_bad_query(one, benchmark) for one in worst),
        earlier=tuple(earlier),
        published=published_table(results),
        seen=seen_table(results),
        command=command,
    )


def _settings_with_intervals(results: Mapping[str, Any], intervals: Intervals) -> Table:
    rows = []
    for setting, name in SETTING_NAMES.items():
        cells = [
            _with_interval(results["settings"][setting][key]["mean"], setting, key, intervals)
            for key in QUALITY
        ]
        if any(cell != figure(None) for cell in cells):
            rows.append((name, *cells))
    return Table(
        "quality in the three settings, with 95 % intervals",
        ("setting", *(MEASURE_NAMES[key] for key in QUALITY)),
        tuple(rows),
    )


def _with_interval(value: float | None, setting: str, key: str, intervals: Intervals) -> str:
    interval = intervals.get(Figure(setting, key))
    if value is None or interval is None:
        return figure(value)
    return f"{figure(value)} [{figure(interval[0])}, {figure(interval[1])}]"


def _heatmaps(results: Mapping[str, Any]) -> tuple[Heatmap, ...]:
    languages = tuple(results["data"]["languages"])
    mono = results["settings"]["mono"]["map"]["by_language"]
    cross = results["settings"]["cross"]["map"]["by_pair"]
    recall = results["language_bias"]["pool_recall@10"]["by_pair"]
    maps = [
        Heatmap(
            "mAP with one language to search at a time",
            "Monolingual on the diagonal, cross-lingual off it. Faint columns: answers that are hard to find.",
            languages,
            languages,
            tuple(
                tuple(
                    mono.get(row) if row == column else cross.get(f"{row}->{column}") for column in languages
                )
                for row in languages
            ),
        ),
        Heatmap(
            "Recall of each language's answers among the first ten of the mixed pool",
            "Without bias a row has one colour. A strong diagonal: the asker's own language pushes the others out.",
            languages,
            languages,
            tuple(tuple(recall.get(f"{row}->{column}") for column in languages) for row in languages),
        ),
    ]
    shares = results["language_shares"]
    if shares is not None:
        asked = tuple(language for language in languages if language in shares["top"])
        right = [
            sum(shares["relevant"][row][column] for row in asked) / max(len(asked), 1) for column in languages
        ]
        maps.append(
            Heatmap(
                f"Which languages fill the first {shares['depth']} places of the mixed pool",
                "Without bias each row is like the last but one: the languages of the right answers.",
                (*asked, "right answers", "pool"),
                languages,
                (
                    *(tuple(shares["top"][row][column] for column in languages) for row in asked),
                    tuple(right),
                    tuple(shares["pool"][column] for column in languages),
                ),
            )
        )
    return tuple(one for one in maps if any(value is not None for row in one.values for value in row))


def _bars(results: Mapping[str, Any]) -> tuple[Bar, ...]:
    distances: Mapping[str, float] = results["language_bias"]["rank_distance"]["by_language"]
    longest = max(distances.values(), default=0.0)
    ordered = sorted(distances.items(), key=lambda item: -item[1])
    return tuple(Bar(name, value, value / longest if longest else 0.0) for name, value in ordered)


def _bad_query(worst: WorstQuery, benchmark: RetrievalBenchmark) -> BadQuery:
    def candidate(position: int) -> Text:
        return Text(benchmark.candidate_texts[position], benchmark.candidate_languages[position])

    right = {position for position, _ in worst.answers}
    wrong_first = worst.first is not None and worst.first not in right
    return BadQuery(
        query=Text(benchmark.query_texts[worst.query], benchmark.query_languages[worst.query]),
        average_precision=worst.average_precision,
        rank_distance=worst.rank_distance,
        first=candidate(worst.first) if wrong_first and worst.first is not None else None,
        answers=tuple(Answer(rank, candidate(position)) for position, rank in worst.answers),
    )
