"""The answer in two sentences of plain words, by rules that docs/audit.md states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

EVEN, SLIGHT, CLEAR = 0.9, 0.7, 0.4
"""Share of the own language's recall in the pool that other languages get: even-handed, slightly and clearly biased."""
OVER = 1.1
"""Above this share, other languages come before the asker's own."""
GOOD, FAIR, LITTLE = 0.8, 0.5, 0.2
"""Recall@10 with one language at a time: good, fair; below the last nothing is said of bias."""

LEVELS = {
    "too little found": "finds too little for language bias to matter",
    "one language": "was asked in one language alone",
    "even-handed": "treats languages alike",
    "slight bias": "favours the asker's own language a little",
    "clear bias": "favours the asker's own language",
    "strong bias": "favours the asker's own language strongly",
    "reversed bias": "puts answers in other languages before those in the asker's own",
}


@dataclass(frozen=True)
class Verdict:
    """What the figures come to.

    Attributes:
        level: a key of `LEVELS`.
        bias: the sentence about language bias.
        quality: the sentence about quality, always beside it: a model can be even-handedly bad.
    """

    level: str
    bias: str
    quality: str


def verdict(results: Mapping[str, Any]) -> Verdict:
    """Judge a model by its results on a parallel benchmark.

    Args:
        results: as `results.json` holds them.
    """
    model, data = results["model"]["name"], results["data"]
    settings, bias = results["settings"], results["language_bias"]
    by_pair = bias["pool_recall@10"]["by_pair"]
    own = [value for pair, value in by_pair.items() if len(set(pair.split("->"))) == 1]
    other = [value for pair, value in by_pair.items() if len(set(pair.split("->"))) == 2]
    alone = [settings[setting]["recall@10"]["mean"] for setting in ("mono", "cross")]
    level = _level(own, other, [value for value in alone if value is not None])
    if level == "one language":
        first = f"{model} {LEVELS[level]}, so that nothing can be said of language bias."
    elif not own:
        first = f"{model}: no question has a right answer in its own language, so that there is nothing to compare."
    else:
        first = (
            f"{model} {LEVELS[level]}: in one pool of {len(data['languages'])} languages, {_percent(fmean(own))} of the"
            f" right answers in the asker's own language are among the first ten, and {_percent(fmean(other))} of the"
            " equally right ones in other languages."
        )
    return Verdict(level, first, _quality(alone, bias["rank_distance"]["mean"], results))


def _level(own: list[float], other: list[float], alone: list[float]) -> str:
    if not other:
        return "one language"
    if max(alone) < LITTLE:
        return "too little found"
    share = fmean(other) / fmean(own) if own and fmean(own) > 0 else 0.0
    if share > OVER:
        return "reversed bias"
    bounds = ((EVEN, "even-handed"), (SLIGHT, "slight bias"), (CLEAR, "clear bias"))
    return next((level for bound, level in bounds if share >= bound), "strong bias")


def _quality(alone: list[float | None], distance: float | None, results: Mapping[str, Any]) -> str:
    parts = [
        f"{_percent(value)} of the right answers {where}"
        for value, where in zip(alone, ("in its own language", "in another"), strict=True)
        if value is not None
    ]
    found = [value for value in alone if value is not None]
    word = "good" if min(found) >= GOOD else "fair" if min(found) >= FAIR else "poor"
    said = (
        f"With one language to search at a time, it puts {' and '.join(parts)} among the first ten ({word})"
    )
    if distance is None:
        return said + "."
    chance = _distance_by_chance(results["data"])
    return (
        f"{said}; in the mixed pool the first and the last right answer to a question lie {distance:,.0f} places apart"
        f" on average (in random order, about {chance:,.0f})."
    )


def _distance_by_chance(data: Mapping[str, Any]) -> float:
    """Expected rank distance of m answers in a random order of C candidates, (m - 1)(C + 1) / (m + 1), m the mean."""
    answers = data["relevant"] / max(data["queries"], 1)
    return float((answers - 1) * (data["candidates"] + 1) / (answers + 1))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
