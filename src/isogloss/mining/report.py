"""What a mining run found and what the rules took away, as figures and as tables."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogloss.mining.candidates import candidate_text
from isogloss.mining.choosing import CHOOSING
from isogloss.mining.mining import Mined
from isogloss.mining.rules import RULES
from isogloss.reporting.tables import Table, figure

PERCENTILES = (1, 10, 25, 50, 75, 90, 99)


def mining_report(mined: Mined, examples: int = 3) -> dict[str, Any]:
    """Sum a run up, in JSON's types.

    Args:
        mined: the run.
        examples: how many versions to show with their negatives, spread over those that have some.

    Returns:
        `negatives`: how many a version, how many versions have how many, and how many are in the version's own list of
        its own language; `languages`: the same by language; `places` looked at and taken away, by rule; `scores`:
        percentiles of what versions' own passages and their negatives score; `examples`.
    """
    corpus, count = mined.corpus, mined.settings.count
    counts: Counter[str] = Counter()
    numbers = np.zeros(len(mined.versions), np.int64)
    at_home = np.zeros(len(mined.versions), np.int64)
    positives = np.zeros(len(mined.versions), np.float32)
    scores = np.full((len(mined.versions), count), np.nan, np.float32)
    for some, block in mined.read():
        counts.update(block.counts)
        numbers[some] = np.count_nonzero(block.chosen.candidate >= 0, axis=1)
        at_home[some] = np.count_nonzero(block.chosen.at_home, axis=1)
        positives[some], scores[some] = block.chosen.positive, block.chosen.score
    sizes = np.diff(mined.candidates.starts).tolist()
    languages = {}
    for column, language in enumerate(corpus.languages):
        mask = mined.versions.language == column
        languages[language] = {
            "candidates": sizes[column],
            **_numbers(numbers[mask], at_home[mask], count),
            "scores": _scores(positives[mask], scores[mask]),
        }
    return {
        "corpus": {
            "name": corpus.name,
            "items": len(corpus),
            "versions": len(numbers),
            "sha256": corpus.checksum,
        },
        "settings": mined.settings.as_dict(),
        "negatives": _numbers(numbers, at_home, count),
        "languages": languages,
        "places": {"looked at": counts["places"], "removed": {rule: counts[rule] for rule in RULES}},
        "near misses removed": {rule: counts[rule] for rule in CHOOSING},
        "scores": _scores(positives, scores),
        "examples": _examples(mined, np.flatnonzero(numbers), examples),
    }


def _numbers(numbers: NDArray[np.int64], at_home: NDArray[np.int64], count: int) -> dict[str, Any]:
    total = int(numbers.sum())
    return {
        "versions": len(numbers),
        "mined": total,
        "mean": total / len(numbers),
        "versions with": np.bincount(numbers, minlength=count + 1).tolist(),
        "in the own list": int(at_home.sum()),
        "through other lists alone": total - int(at_home.sum()),
    }


def _scores(positives: NDArray[np.float32], negatives: NDArray[np.float32]) -> dict[str, Any]:
    there = negatives[np.isfinite(negatives)]
    return {"positives": _percentiles(positives), "negatives": _percentiles(there)}


def _percentiles(values: NDArray[np.float32]) -> dict[str, float] | None:
    if not len(values):
        return None
    found = np.percentile(values, PERCENTILES).tolist()
    return {str(one): value for one, value in zip(PERCENTILES, found, strict=True)}


def _examples(mined: Mined, having: NDArray[np.int64], wanted: int) -> list[dict[str, Any]]:
    if not wanted or not len(having):
        return []
    # In the middle of equal parts of those that have negatives.
    parts = (np.arange(min(wanted, len(having))) + 0.5) / min(wanted, len(having))
    chosen = set(having[(parts * len(having)).astype(np.int64)].tolist())
    languages = mined.corpus.languages
    examples = []
    for some, block in mined.read():
        for version in sorted(chosen & set(range(some.start, some.stop))):
            at = version - some.start
            item, language = int(mined.versions.item[version]), languages[mined.versions.language[version]]
            negatives = [
                {
                    "text": candidate_text(mined.corpus, mined.candidates, candidate),
                    "score": float(block.chosen.score[at, place]),
                    "rank": int(block.chosen.rank[at, place]),
                    "query language": languages[block.chosen.query_language[at, place]],
                    "passage language": languages[block.chosen.passage_language[at, place]],
                }
                for place, candidate in enumerate(block.chosen.candidate[at].tolist())
                if candidate >= 0
            ]
            examples.append(
                {
                    "id": mined.corpus.ids[item],
                    "language": language,
                    "query": mined.corpus.query(item, language),
                    "passage": mined.corpus.passage(item, language),
                    "score": float(block.chosen.positive[at]),
                    "negatives": negatives,
                }
            )
    return examples


def mining_tables(report: dict[str, Any]) -> list[Table]:
    """The report as tables: negatives by language, what the rules took away, scores, examples."""
    return [_language_table(report), _rule_table(report), _score_table(report), *_example_tables(report)]


def _language_table(report: dict[str, Any]) -> Table:
    rows = []
    for language, one in [*report["languages"].items(), ("all", report["negatives"])]:
        having = one["versions with"]
        rows.append(
            (
                language,
                str(one["versions"]),
                str(one["candidates"]) if "candidates" in one else "",
                figure(one["mean"], 2),
                str(having[0]),
                str(sum(having[1:-1])),
                _share(one["in the own list"], one["mined"]),
                _share(one["through other lists alone"], one["mined"]),
            )
        )
    title = f"{report['corpus']['name']}: {report['negatives']['mined']} negatives mined"
    header = (
        "language",
        "queries",
        "candidates",
        "negatives a query",
        "with none",
        "with fewer",
        "own list",
        "others'",
    )
    return Table(title, header, tuple(rows))


def _rule_table(report: dict[str, Any]) -> Table:
    looked, removed = report["places"]["looked at"], dict(report["places"]["removed"])
    for margin in ("margin", "relative margin"):
        if report["settings"][margin.replace(" ", "_")] is None:
            del removed[margin]
    rows = [("places in lists", str(looked), "")]
    rows += [(f"- {RULES[rule]}", str(number), _share(number, looked)) for rule, number in removed.items()]
    left = looked - sum(removed.values())
    rows.append(("left", str(left), _share(left, looked)))
    rows += [
        (f"then, version by version: {CHOOSING[rule]}", str(number), "")
        for rule, number in report["near misses removed"].items()
    ]
    return Table("what the rules took away", ("", "number", "share"), tuple(rows))


def _score_table(report: dict[str, Any]) -> Table:
    rows = tuple(
        (side, *(figure(None if values is None else values[str(one)]) for one in PERCENTILES))
        for side, values in report["scores"].items()
    )
    return Table("scores with the query, percentiles", ("", *(f"{one} %" for one in PERCENTILES)), rows)


def _example_tables(report: dict[str, Any]) -> list[Table]:
    tables = []
    for example in report["examples"]:
        rows = [("positive", "", figure(example["score"]), _short(example["passage"]))]
        rows += [
            (
                f"place {one['rank']}",
                f"{one['query language']} asks {one['passage language']}",
                figure(one["score"]),
                _short(one["text"]),
            )
            for one in example["negatives"]
        ]
        title = f"{example['id']} ({example['language']}): {_short(example['query'])}"
        tables.append(Table(title, ("", "found", "score", "text"), tuple(rows), words=4))
    return tables


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:79] + "…"
