"""The audit as one HTML page that needs nothing but itself: no script, font, picture or network."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from isogloss.evaluation.score_histogram import KINDS, ScoreHistogram
from isogloss.reporting.audit.findings import Findings
from isogloss.reporting.audit.verdict import LEVELS
from isogloss.reporting.pages import packaged_text, render
from isogloss.reporting.results import reading_notes
from isogloss.reporting.tables import Table, figure

_WIDTH, _HEIGHT = 640, 160
_ROWS_OF_BINS = 12


def audit_page(found: Findings) -> str:
    """Write an audit as an HTML document.

    Every text that comes from a model, a corpus or a user is escaped.
    """
    return render(
        "reporting/audit/page.html.jinja",
        {
            "found": found,
            "results": found.results,
            "model": found.results["model"]["name"],
            "data": found.results["data"],
            "level": found.verdict.level,
            "notes": reading_notes(found.results),
            "level_text": LEVELS[found.verdict.level],
            "css": packaged_text("reporting/audit/page.css"),
            "curves": _curves(found.histogram),
            "ticks": _ticks(found.histogram),
            "width": _WIDTH,
            "height": _HEIGHT,
            "histogram_table": histogram_table(found.histogram),
            "facts": _facts(found),
        },
        {"figure": figure, "percent": lambda share: f"{100 * share:.1f}"},
    )


def _curves(histogram: ScoreHistogram) -> list[dict[str, str]]:
    """A filled outline of each kind's shares, as SVG paths; the kinds share the axes."""
    shares = {kind: histogram.shares(kind) for kind in KINDS}
    top = max(float(values.max()) for values in shares.values()) or 1.0
    steps = np.linspace(0, _WIDTH, len(histogram.edges))
    curves = []
    for number, (kind, values) in enumerate(shares.items(), 1):
        if not values.any():
            continue
        heights = _HEIGHT - values / top * (_HEIGHT - 8)
        points = [f"M0 {_HEIGHT}"]
        for left, right, height in zip(steps[:-1], steps[1:], heights, strict=True):
            points.append(f"L{left:.1f} {height:.1f}L{right:.1f} {height:.1f}")
        curves.append(
            {"kind": kind, "path": "".join([*points, f"L{_WIDTH} {_HEIGHT}Z"]), "number": str(number)}
        )
    return curves


def _ticks(histogram: ScoreHistogram) -> list[tuple[float, str]]:
    low, high = float(histogram.edges[0]), float(histogram.edges[-1])
    return [(_WIDTH * place / 4, f"{low + (high - low) * place / 4:.2f}") for place in range(5)]


def histogram_table(histogram: ScoreHistogram) -> Table:
    """The histogram in a dozen bins."""
    bins = len(histogram.edges) - 1
    cuts = np.unique(np.linspace(0, bins, min(_ROWS_OF_BINS, bins) + 1).astype(int))
    present = [kind for kind in KINDS if histogram.counts[kind].any()]
    rows = []
    for low, high in pairwise(cuts.tolist()):
        shares = (f"{100 * histogram.shares(kind)[low:high].sum():.1f}" for kind in present)
        rows.append((f"{histogram.edges[low]:.3f} to {histogram.edges[high]:.3f}", *shares))
    return Table("per cent of each kind's scores", ("score", *present), tuple(rows))


def _facts(found: Findings) -> list[tuple[str, str]]:
    """How it was measured, for the last section."""
    results: Mapping[str, Any] = found.results
    model, data = results["model"], results["data"]
    described = [(key.replace("_", " "), value) for key, value in model.items() if key != "name"]
    facts: list[tuple[str, Any]] = [
        ("model", model["name"]),
        *((key, _said(value)) for key, value in described if value is not None),
        ("data", data["name"]),
        ("checksum", data["checksum"]),
        ("languages", ", ".join(data["languages"])),
        ("queries", f"{data['queries']:,}"),
        ("candidates", f"{data['candidates']:,}"),
        ("relevant pairs", f"{data['relevant']:,}"),
        ("order of ties", "higher score first, then ascending candidate id"),
        ("intervals", "95 %, bootstrap over questions with all their translations (2,000 resamples, seed 0)"),
        ("versions", ", ".join(f"{name} {version}" for name, version in results["versions"].items())),
        ("seconds", ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in results["seconds"].items())),
    ]
    if found.command:
        facts.append(("command", found.command))
    return [(name, str(value)) for name, value in facts]


def _said(value: Any) -> str:
    """A value of the model's description on a line."""
    if isinstance(value, Mapping):
        return "; ".join(
            f"{key.replace('_', ' ')} {_said(one)}" for key, one in value.items() if one is not None
        )
    if isinstance(value, list):
        return ", ".join(map(_said, value)) or "none"
    return repr(value) if value == "" else str(value)
