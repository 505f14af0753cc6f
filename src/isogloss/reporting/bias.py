"""Tables of language bias, always with the quality beside it, and of what training has and has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isogloss.evaluation import BIAS_DEFINITIONS, DEFINITIONS, QUERY_SPLITS, SPLITS
from isogloss.reporting.tables import SETTING_NAMES, Table, figure

_BESIDE = ("map", "recall@10")
_BY_LANGUAGE = ("max@r", "own_preference", "foreign_preference", "own_share@10", "score_gap")
_SEEN = ("map", "recall@1", "recall@10", "ndcg@10")


def bias_table(results: Mapping[str, Any]) -> Table:
    """Every measure of language bias, under the quality of the same ranked lists."""
    rows = [
        (
            f"multilingual {DEFINITIONS[key].label}",
            figure(results["settings"]["multi"][key]["mean"]),
            DEFINITIONS[key].range,
            DEFINITIONS[key].better,
            "",
        )
        for key in _BESIDE
    ]
    for definition in BIAS_DEFINITIONS:
        value = figure(results["language_bias"][definition.key]["mean"], definition.decimals)
        rows.append((definition.label, value, definition.range, definition.better, definition.even))
    return Table(
        "language bias, beside the quality: a model can be even-handedly bad",
        ("measure", "figure", "range", "better", "without bias"),
        tuple(rows),
    )


def bias_language_table(results: Mapping[str, Any]) -> Table:
    """The measures of language bias by query language, beside the multilingual mAP."""
    quality = results["settings"]["multi"]["map"]["by_language"]
    bias = results["language_bias"]
    rows = tuple(
        (
            language,
            figure(quality.get(language)),
            *(
                figure(bias[key]["by_language"].get(language), DEFINITIONS[key].decimals)
                for key in _BY_LANGUAGE
            ),
        )
        for language in results["data"]["languages"]
    )
    labels = (DEFINITIONS[key].label for key in _BY_LANGUAGE)
    return Table(
        "language bias by query language, beside the quality", ("query language", "multi mAP", *labels), rows
    )


def share_table(results: Mapping[str, Any]) -> Table | None:
    """Which languages fill the first places; None without the second pass."""
    shares = results["language_shares"]
    if shares is None:
        return None
    languages = results["data"]["languages"]
    rows = [
        (language, *(figure(shares["top"][language][one]) for one in languages))
        for language in languages
        if language in shares["top"]
    ]
    asked = list(shares["relevant"].values())
    right = {one: sum(row[one] for row in asked) / len(asked) for one in languages}
    rows.append(("of the relevant", *(figure(right[one]) for one in languages)))
    rows.append(("of the pool", *(figure(shares["pool"][one]) for one in languages)))
    return Table(
        f"share of the first {shares['depth']} places by query language (rows) and candidate language (columns)",
        ("", *languages),
        tuple(rows),
    )


def pool_recall_table(results: Mapping[str, Any]) -> Table:
    """Recall in the pool by pair of languages."""
    languages = results["data"]["languages"]
    definition = DEFINITIONS["pool_recall@10"]
    by_pair = results["language_bias"][definition.key]["by_pair"]
    rows = tuple(
        (query, *(figure(by_pair.get(f"{query}->{candidate}")) for candidate in languages))
        for query in languages
    )
    return Table(
        f"{definition.description}: query language (rows), candidate language (columns)",
        ("", *languages),
        rows,
    )


def seen_table(results: Mapping[str, Any]) -> Table | None:
    """The figures by what training met; None where that is not known."""
    if "seen_unseen" not in results:
        return None
    split = results["seen_unseen"]
    rows = []
    for setting in ("mono", "cross"):
        for name in SPLITS:
            if part := split[setting].get(name):
                figures = (figure(part.get(key)) for key in _SEEN)
                rows.append((SETTING_NAMES[setting], name, str(part["pairs"]), *figures, ""))
    for query_split in QUERY_SPLITS:
        if part := split["multi"].get(query_split):
            distance = figure(part.get("rank_distance"), 0)
            figures = (figure(part.get(key)) for key in _SEEN)
            rows.append((SETTING_NAMES["multi"], query_split, str(part["languages"]), *figures, distance))
    for name in SPLITS:
        if part := split["multi by pair"].get(name):
            found = figure(part.get("pool_recall@10"))
            rows.append(("multilingual, by pair", name, str(part["pairs"]), "", "", found, "", ""))
    labels = (DEFINITIONS[key].label for key in _SEEN)
    return Table(
        f"seen and unseen in training, after {results['training']['source']}",
        ("setting", "languages", "number", *labels, "rank distance"),
        tuple(rows),
        words=2,
    )
