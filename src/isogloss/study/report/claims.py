"""The six claims of Elmahdy, Lin and Ahmad (arXiv 2408.10536), each judged by intervals.

A claim is *supported* or *not supported* where the 95 % intervals (over questions and seeds) say so, else *undecided*.
Where it speaks of figures being comparable, a difference of `MARGIN` in mAP is the most that passes for little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from isogloss.evaluation.significance.comparing import Row
from isogloss.study.report.findings import Block, StudyFindings, row_of
from isogloss.study.roles import alpha_of

Verdict = Literal["supported", "not supported", "undecided", "not measured"]

MARGIN = 0.01
"""In mAP: what passes for little."""

REDUCTION = 0.10
"""The least share by which the rank distance has to fall to be called substantial; the paper reports .15 and .30."""

LITTLE = (0.4, 0.6)
"""Between these alphas the paper saw little difference."""

_UNSEEN = ("pair unseen", "query language unseen", "candidate language unseen", "both unseen")


@dataclass(frozen=True)
class Part:
    """What one condition, base and test set says of a claim: the verdict and the figures it rests on."""

    block: str
    verdict: Verdict
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Claim:
    """A claim, its verdict and why."""

    number: int
    text: str
    rule: str
    verdict: Verdict
    parts: tuple[Part, ...]


def claims_of(found: StudyFindings) -> list[Claim]:
    """Judge every claim on every block."""
    blocks = found.blocks
    whole = [block for block in blocks if _has(found, block)]
    best = [_best_in_multi(found, block) for block in whole]
    return [
        _claim(
            1,
            "Hybrid batches give the best multilingual retrieval of the three compositions.",
            "multi mAP clearly above both x-x-mono and x-y",
            best,
        ),
        _every_base(found, whole, best),
        _claim(
            3,
            "Hybrid is comparable with or better than x-x-mono in mono and than x-y in cross, at once.",
            f"the whole interval of both differences above -{MARGIN}",
            [_at_once(found, block) for block in whole],
        ),
        _claim(
            4,
            "Hybrid substantially reduces language bias against x-x-mono.",
            f"the whole interval of the rank distance at least {REDUCTION:.0%} below that of x-x-mono",
            [_less_bias(found, block) for block in whole],
        ),
        _claim(
            5,
            "It generalises to languages and ordered pairs of languages never trained on.",
            "cross mAP of every kind of unseen pair clearly above standard fine-tuning (x-x-mono), and not more than"
            f" {MARGIN} below x-y",
            [part for block in blocks if (part := _unseen(found, block)) is not None],
        ),
        _claim(
            6,
            f"An alpha between {LITTLE[0]} and {LITTLE[1]} makes little difference.",
            f"all intervals of the differences in mono, cross and multi mAP within {MARGIN}",
            [part for block in blocks if (part := _alpha(found, block)) is not None],
        ),
    ]


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """One verdict of several: supported where all support, not supported where one denies."""
    known = [one for one in verdicts if one != "not measured"]
    if not known:
        return "not measured"
    if "not supported" in known:
        return "not supported"
    return "supported" if all(one == "supported" for one in known) else "undecided"


def _claim(number: int, text: str, rule: str, parts: Sequence[Part]) -> Claim:
    return Claim(number, text, rule, together([part.verdict for part in parts]), tuple(parts))


def _has(found: StudyFindings, block: Block) -> bool:
    roles = found.roles
    return all(arm is not None and block.model(arm) for arm in (roles.mono, roles.cross, roles.hybrid))


def _best_in_multi(found: StudyFindings, block: Block) -> Part:
    rows = [_row(block, arm, "multi", "map") for arm in (found.roles.mono, found.roles.cross)]
    return Part(block.name, _all_clear(rows), tuple(_said(row) for row in rows if row))


def _every_base(found: StudyFindings, blocks: Sequence[Block], best: Sequence[Part]) -> Claim:
    bases = list(dict.fromkeys(block.base for block in blocks))
    verdict = together([part.verdict for part in best])
    if verdict == "supported" and len(bases) < 2:
        verdict = "undecided"
    parts = [
        Part(
            base,
            together([part.verdict for block, part in zip(blocks, best, strict=True) if block.base == base]),
            (),
        )
        for base in bases
    ]
    return Claim(
        2,
        "Hybrid is better than both baselines with every base.",
        "claim 1 with each of two bases or more",
        verdict,
        tuple(parts),
    )


def _at_once(found: StudyFindings, block: Block) -> Part:
    rows = [
        _row(block, found.roles.mono, "mono", "map"),
        _row(block, found.roles.cross, "cross", "map"),
    ]
    return Part(block.name, _not_worse(rows), tuple(_said(row) for row in rows if row))


def _less_bias(found: StudyFindings, block: Block) -> Part:
    row = _row(block, found.roles.mono, "multi", "rank_distance")
    if row is None or row.low is None or row.high is None:
        return Part(block.name, "not measured", ())
    mono = sum(row.values) / len(row.values)
    # The row says how much further apart x-x-mono's answers lie than the hybrid's.
    shares = [one / mono if mono else 0.0 for one in (row.difference, row.low, row.high)]
    verdict: Verdict = "undecided"
    if shares[1] >= REDUCTION:
        verdict = "supported"
    elif shares[2] < REDUCTION:
        verdict = "not supported"
    text = f"{mono:.0f} with {row.group}, {shares[0]:.0%} [{shares[1]:.0%}, {shares[2]:.0%}] less with hybrid"
    return Part(block.name, verdict, (f"rank distance {text}",))


def _unseen(found: StudyFindings, block: Block) -> Part | None:
    if block.splits is None:
        return None
    verdicts: list[Verdict] = []
    said = []
    for split in (one for one in _UNSEEN if one in block.pairs):
        mono = row_of(block.splits, found.roles.mono or "", split, "map")
        cross = row_of(block.splits, found.roles.cross or "", split, "map")
        if mono is not None:
            verdicts.append(_all_clear([mono]))
        if cross is not None:
            verdicts.append(_not_worse([cross]))
        said += [f"{split} ({block.pairs[split]} pairs): {_said(row)}" for row in (mono, cross) if row]
    return Part(block.name, together(verdicts), tuple(said)) if verdicts else None


def _alpha(found: StudyFindings, block: Block) -> Part | None:
    near = [
        arm
        for arm in found.roles.sweep
        if arm != found.roles.hybrid
        and LITTLE[0] <= (alpha_of(found.study.arms[arm]) or 0.0) <= LITTLE[1]
        and block.model(arm) is not None
    ]
    rows = [_row(block, arm, setting, "map") for arm in near for setting in ("mono", "cross", "multi")]
    known = [row for row in rows if row is not None and row.low is not None and row.high is not None]
    if not known:
        return None
    verdict: Verdict = "undecided"
    if all((row.low or 0.0) >= -MARGIN and (row.high or 0.0) <= MARGIN for row in known):
        verdict = "supported"
    elif any((row.low or 0.0) > MARGIN or (row.high or 0.0) < -MARGIN for row in known):
        verdict = "not supported"
    return Part(block.name, verdict, tuple(_said(row) for row in known))


def _row(block: Block, arm: str | None, setting: str, measure: str) -> Row | None:
    return row_of(block.differences, arm or "", setting, measure)


def _all_clear(rows: Sequence[Row | None]) -> Verdict:
    """Whether the hybrid is clearly better than each; the rows are the others' differences from it."""
    if any(row is None for row in rows):
        return "not measured"
    if all(row is not None and row.verdict == "worse" for row in rows):
        return "supported"
    return (
        "not supported" if any(row is not None and row.verdict == "better" for row in rows) else "undecided"
    )


def _not_worse(rows: Sequence[Row | None]) -> Verdict:
    """Whether the hybrid is at most `MARGIN` worse than each."""
    if any(row is None or row.low is None or row.high is None for row in rows):
        return "not measured"
    if all(row is not None and (row.high or 0.0) < MARGIN for row in rows):
        return "supported"
    return (
        "not supported" if any(row is not None and (row.low or 0.0) > MARGIN for row in rows) else "undecided"
    )


def _said(row: Row) -> str:
    """A row as hybrid minus the other."""
    interval = "" if row.low is None or row.high is None else f" [{-row.high:+.3f}, {-row.low:+.3f}]"
    return f"hybrid - {row.group}, {row.figure.setting} {_NAMES[row.figure.measure]}: {-row.difference:+.3f}{interval}"


_NAMES = {"map": "mAP", "recall@1": "R@1", "recall@10": "R@10", "rank_distance": "rank distance"}
