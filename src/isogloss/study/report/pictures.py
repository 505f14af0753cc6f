"""The pictures of a study's report, as charts."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from isogloss.reporting.charts import Chart, Point, Series
from isogloss.reporting.tables import SETTING_NAMES
from isogloss.study.report.findings import Block, Model, StudyFindings, row_of
from isogloss.study.roles import alpha_of

_CURVES = (("dev_multi_map", "multilingual mAP", True), ("dev_rank_distance", "rank distance", False))


def alpha_charts(found: StudyFindings, block: Block) -> list[Chart]:
    """Draw mAP of the three settings, and rank distance, against the share of monolingual batches.

    The ends are x-y (0) and x-x-mono (1). Intervals are those of the difference from the hybrid.
    """
    places: list[tuple[float, Model]] = []
    ends = ((0.0, found.roles.cross), (1.0, found.roles.mono))
    swept = [(alpha_of(found.study.arms[arm]), arm) for arm in found.roles.sweep]
    for alpha, arm in (*ends, *swept):
        model = block.model(arm) if arm is not None else None
        if model is not None and alpha is not None:
            places.append((alpha, model))
    if len([place for place in places if 0 < place[0] < 1]) < 2:
        return []
    places.sort(key=lambda place: place[0])
    series = tuple(
        Series(name, tuple(_with_interval(block, alpha, model, setting, "map") for alpha, model in places))
        for setting, name in SETTING_NAMES.items()
    )
    distance = Series(
        "rank distance",
        tuple(_with_interval(block, alpha, model, "multi", "rank_distance") for alpha, model in places),
    )
    share = "alpha: share of monolingual batches"
    return [
        Chart(f"mAP against alpha, {block.test}", share, "mAP", series),
        Chart(f"rank distance against alpha, {block.test}", share, "rank distance", (distance,), y_up=False),
    ]


def pareto_chart(block: Block) -> Chart:
    """Monolingual against cross-lingual mAP of every model, means over seeds: up and to the right is better in both."""
    series = tuple(
        Series(
            model.name,
            (
                Point(
                    statistics.mean(model.values("mono", "map")),
                    statistics.mean(model.values("cross", "map")),
                    label=model.name,
                ),
            ),
            line=False,
        )
        for model in block.models
        if model.values("mono", "map") and model.values("cross", "map")
    )
    return Chart(f"mono against cross, {block.test}", "monolingual mAP", "cross-lingual mAP", series)


def curve_charts(block: Block) -> list[Chart]:
    """Quality and bias on the development corpus over the steps, means over seeds."""
    charts = []
    for key, name, up in _CURVES:
        series = []
        for arm, runs in block.curves.items():
            steps = [[entry["step"] for entry in run if key in entry] for run in runs]
            if not steps or not steps[0] or any(one != steps[0] for one in steps):
                continue
            values = [[entry[key] for entry in run if key in entry] for run in runs]
            series.append(Series(arm, _means(steps[0], values)))
        if any(len(one.points) > 1 for one in series):
            title = f"{name} on the development corpus, trained on {block.condition}"
            charts.append(Chart(title, "steps", name, tuple(series), y_up=up))
    return charts


def _means(steps: Sequence[float], values: Sequence[Sequence[float]]) -> tuple[Point, ...]:
    return tuple(
        Point(step, statistics.mean(at), min(at) if len(at) > 1 else None, max(at) if len(at) > 1 else None)
        for step, *at in zip(steps, *values, strict=True)
    )


def _with_interval(block: Block, alpha: float, model: Model, setting: str, measure: str) -> Point:
    value = statistics.mean(model.values(setting, measure))
    row = row_of(block.differences, model.name, setting, measure)
    if row is None or row.low is None or row.high is None:
        return Point(alpha, value)
    hybrid = statistics.mean(row.baseline_values)
    return Point(alpha, value, hybrid + row.low, hybrid + row.high)
