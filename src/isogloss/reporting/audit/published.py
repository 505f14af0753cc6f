"""Published figures of the same benchmarks, to hold a model's against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isogloss.reporting.tables import Table, figure

SOURCE = "Elmahdy, Lin and Ahmad 2024, arXiv 2408.10536, tables 1 and 2"

# Base, training: mono, cross and multi mAP, rank distance.
_PUBLISHED: Mapping[str, tuple[tuple[str, str, float, float, float, float], ...]] = {
    "xquad-r": (
        ("XLM-R base", "X-X-mono", 0.792, 0.674, 0.547, 410),
        ("XLM-R base", "X-Y", 0.755, 0.700, 0.593, 295),
        ("XLM-R base", "hybrid", 0.798, 0.705, 0.593, 287),
        ("LaBSE", "X-X-mono", 0.808, 0.752, 0.652, 262),
        ("LaBSE", "X-Y", 0.801, 0.762, 0.679, 225),
        ("LaBSE", "hybrid", 0.817, 0.767, 0.682, 221),
    ),
    "mlqa-r": (
        ("XLM-R base", "X-X-mono", 0.648, 0.584, 0.473, 288),
        ("XLM-R base", "X-Y", 0.626, 0.620, 0.508, 227),
        ("XLM-R base", "hybrid", 0.648, 0.623, 0.512, 227),
        ("LaBSE", "X-X-mono", 0.681, 0.656, 0.550, 225),
        ("LaBSE", "X-Y", 0.671, 0.677, 0.576, 198),
        ("LaBSE", "hybrid", 0.686, 0.681, 0.579, 195),
    ),
}


def headline_row(name: str, results: Mapping[str, Any]) -> tuple[str, ...]:
    """A model's line in the published tables' form."""
    settings = results["settings"]
    return (
        name,
        *(figure(settings[setting]["map"]["mean"]) for setting in ("mono", "cross", "multi")),
        *(figure(settings[setting]["recall@1"]["mean"]) for setting in ("mono", "cross")),
        figure(settings["multi"]["recall@10"]["mean"]),
        figure(results["language_bias"]["rank_distance"]["mean"], 0),
    )


HEADLINES = (
    "model",
    "mono mAP",
    "cross mAP",
    "multi mAP",
    "mono R@1",
    "cross R@1",
    "multi R@10",
    "rank distance",
)


def published_table(results: Mapping[str, Any]) -> Table | None:
    """This model beside the published ones; None where nothing is published of the benchmark, or of a part of it.

    The published bases were trained on 40 million pairs made by machine translation; bases differ in what they had
    seen before.
    """
    data = results["data"]
    known = _PUBLISHED.get(data["name"])
    if known is None or len(data["languages"]) != {"xquad-r": 11, "mlqa-r": 7}[data["name"]]:
        return None
    rows = (headline_row(f"{results['model']['name']} (this audit)", results), *published_rows(data["name"]))
    return Table(f"published: {SOURCE}", HEADLINES, rows)


def published_rows(benchmark: str) -> tuple[tuple[str, ...], ...]:
    """The published figures of a benchmark as lines of a table with `HEADLINES`; none where there are none."""
    return tuple(
        (
            f"{base}, {training}",
            *(figure(value) for value in (mono, cross, multi)),
            *("", "", ""),
            figure(distance, 0),
        )
        for base, training, mono, cross, multi, distance in _PUBLISHED.get(benchmark, ())
    )
