"""The tables of a study's report."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from isogloss.evaluation.significance.comparing import Row
from isogloss.reporting.audit.published import HEADLINES, published_rows
from isogloss.reporting.tables import Table, figure
from isogloss.study.report.claims import Claim
from isogloss.study.report.findings import Block, Model, StudyFindings, row_of

_COLUMNS = (
    ("mono", "map"),
    ("cross", "map"),
    ("multi", "map"),
    ("mono", "recall@1"),
    ("cross", "recall@1"),
    ("multi", "recall@10"),
    ("multi", "rank_distance"),
)
_COMPARED = (("mono", "map"), ("cross", "map"), ("multi", "map"), ("multi", "rank_distance"))


def claims_table(claims: Sequence[Claim]) -> Table:
    """A line a claim."""
    rows = tuple((str(claim.number), claim.text, claim.verdict) for claim in claims)
    return Table("the claims", ("", "claim", "here"), rows, words=3)


def results_table(block: Block) -> Table:
    """Every model in the published tables' form: the mean over seeds, and their standard deviation."""
    rows = [
        (model.name, str(len(model.seeds) or "-"), *(_value(model, *column) for column in _COLUMNS))
        for model in block.models
    ]
    header = (HEADLINES[0], "seeds", *HEADLINES[1:])
    return Table(block.name, header, tuple(rows))


def published_table(block: Block) -> Table | None:
    """The paper's figures of the same test set; None where there are none."""
    rows = published_rows(block.test)
    return Table(f"published figures of {block.test}", HEADLINES, rows) if rows else None


def differences_table(found: StudyFindings, block: Block) -> Table | None:
    """Every other model's difference from the hybrid, with intervals; None without a hybrid."""
    if block.differences is None:
        return None
    header = ("model", "mono mAP", "cross mAP", "multi mAP", "rank distance")
    rows = [
        (name, *(_difference(row_of(block.differences, name, *column)) for column in _COMPARED))
        for name in dict.fromkeys(row.group for row in block.differences.rows)
    ]
    confidence = block.differences.settings.confidence
    return Table(f"difference from {found.roles.hybrid}, {confidence:.0%} interval", header, tuple(rows))


def splits_table(found: StudyFindings, block: Block) -> Table | None:
    """Cross-lingual mAP of seen and unseen pairs: each arm's, and its difference from the hybrid."""
    if block.splits is None:
        return None
    splits = [split for split in block.pairs if _split_rows(block, split)]
    by_split = {split: _split_rows(block, split) for split in splits}
    hybrid = str(found.roles.hybrid)
    rows = [(hybrid, *(_mean(next(iter(by_split[split].values())).baseline_values) for split in splits))]
    for group in dict.fromkeys(row.group for row in block.splits.rows):
        cells = [by_split[split].get(group) for split in splits]
        rows.append(
            (group, *("–" if row is None else f"{_mean(row.values)}, {_difference(row)}" for row in cells))
        )
    header = ("model", *(f"{split} ({block.pairs[split]})" for split in splits))
    return Table(
        f"cross-lingual mAP of seen and unseen ordered pairs (how many), and its difference from {hybrid}",
        header,
        tuple(rows),
    )


def _split_rows(block: Block, split: str) -> dict[str, Row]:
    """By model the difference in a split's mAP."""
    if block.splits is None:
        return {}
    found = {row.group: row_of(block.splits, row.group, split, "map") for row in block.splits.rows}
    return {group: row for group, row in found.items() if row is not None}


def _value(model: Model, setting: str, measure: str) -> str:
    values = model.values(setting, measure)
    if not values:
        return "–"
    decimals = 0 if measure == "rank_distance" else 3
    mean = figure(statistics.mean(values), decimals)
    return f"{mean} ± {figure(statistics.stdev(values), decimals)}" if len(values) > 1 else mean


def _mean(values: Sequence[float]) -> str:
    return figure(statistics.mean(values))


def _difference(row: Row | None) -> str:
    if row is None:
        return "–"
    decimals = 0 if row.figure.measure == "rank_distance" else 3
    text = figure(row.difference, decimals, signed=True)
    if row.low is not None and row.high is not None:
        text += f" [{figure(row.low, decimals, signed=True)}, {figure(row.high, decimals, signed=True)}]"
    return f"{text} {row.verdict}" if row.verdict in ("better", "worse") else text
