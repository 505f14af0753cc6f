"""Claims follow from intervals, and from nothing else."""

import pytest

from isogloss.evaluation import TrainedPairs
from isogloss.evaluation.significance import Comparison, Settings
from isogloss.evaluation.significance.clusters import Figure
from isogloss.evaluation.significance.comparing import Row
from isogloss.evaluation.significance.verdict import verdict
from isogloss.study.definition import read_study
from isogloss.study.report.claims import claims_of, together
from isogloss.study.report.findings import Block, Model, StudyFindings
from isogloss.study.roles import roles_of
from tests.study.making import STUDY, write_study

ARMS = ("hybrid", "x-x-mono", "x-y")


def row(group, setting, measure, low, high, hybrid=0.5):
    """The difference of `group` from the hybrid."""
    middle = (low + high) / 2
    return Row(
        baseline="hybrid", group=group, figure=Figure(setting, measure), baseline_values=(hybrid,),
        values=(hybrid + middle,),
        difference=middle, low=low, high=high, clusters=9, p_questions=0.001, exact=False, p_seeds=0.001, p=0.001,
        p_holm=0.001, verdict=verdict(measure, low, high, 0.001, 0.05),
    )  # fmt: skip


def comparison(rows):
    return Comparison(Settings(), 9, ("hybrid",), tuple(rows), {})


def block(rows, splits=(), pairs=None, arms=ARMS, base="base"):
    models = tuple(Model(arm, arm, None, (0,), ()) for arm in arms)
    return Block(
        condition="c", base=base, test="t", models=models, trained=TrainedPairs.of(["de"], [], ""),
        differences=comparison(rows), splits=comparison(splits) if splits else None, pairs=pairs or {}, curves={},
    )  # fmt: skip


def judged(tmp_path, *blocks, text=STUDY):
    study = read_study(write_study(tmp_path, "base", text))
    return {claim.number: claim for claim in claims_of(StudyFindings(study, roles_of(study), blocks, ()))}


@pytest.mark.parametrize(
    ("mono", "cross", "expected"),
    [
        ((-0.04, -0.02), (-0.02, -0.01), "supported"),
        ((-0.04, -0.02), (-0.02, 0.01), "undecided"),
        ((-0.04, -0.02), (0.01, 0.02), "not supported"),
    ],
)
def test_the_best_in_multi(tmp_path, mono, cross, expected):
    rows = [row("x-x-mono", "multi", "map", *mono), row("x-y", "multi", "map", *cross)]
    found = judged(tmp_path, block(rows))
    assert found[1].verdict == expected
    # One base alone cannot support "every base".
    assert found[2].verdict == ("undecided" if expected == "supported" else expected)
    two = judged(tmp_path, block(rows), block(rows, base="other"))
    assert two[2].verdict == expected
    assert f"{-sum(mono) / 2:+.3f}" in found[1].parts[0].evidence[0]


@pytest.mark.parametrize(
    ("mono", "cross", "expected"),
    [
        ((-0.01, 0.009), (-0.03, -0.02), "supported"),
        ((-0.01, 0.011), (-0.03, -0.02), "undecided"),
        ((0.011, 0.02), (-0.03, -0.02), "not supported"),
    ],
)
def test_comparable_at_once(tmp_path, mono, cross, expected):
    rows = [row("x-x-mono", "mono", "map", *mono), row("x-y", "cross", "map", *cross)]
    assert judged(tmp_path, block(rows))[3].verdict == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(60, 100, "supported"), (20, 100, "undecided"), (10, 30, "not supported"), (-90, -30, "not supported")],
)
def test_less_bias(tmp_path, low, high, expected):
    rows = [row("x-x-mono", "multi", "rank_distance", low, high, hybrid=300)]
    found = judged(tmp_path, block(rows))[4]
    assert found.verdict == expected
    if expected == "supported":
        # 380 with x-x-mono, of which 80 [60, 100] fall away.
        assert found.parts[0].evidence == (
            "rank distance 380 with x-x-mono, 21% [16%, 26%] less with hybrid",
        )


def test_unseen_pairs(tmp_path):
    pairs = {"pair seen": 2, "pair unseen": 3, "both unseen": 1}
    good = [
        row("x-x-mono", "pair unseen", "map", -0.04, -0.02),
        row("x-y", "pair unseen", "map", -0.01, 0.005),
        row("x-x-mono", "both unseen", "map", -0.04, -0.02),
        row("x-y", "both unseen", "map", -0.01, 0.005),
    ]
    assert judged(tmp_path, block([], good, pairs))[5].verdict == "supported"
    worse = [*good[:2], row("x-x-mono", "both unseen", "map", 0.01, 0.02), good[3]]
    found = judged(tmp_path, block([], worse, pairs))[5]
    assert found.verdict == "not supported"
    assert any(
        line.startswith("both unseen (1 pairs): hybrid - x-x-mono") for line in found.parts[0].evidence
    )
    assert judged(tmp_path, block([]))[5].verdict == "not measured"


def test_alpha_makes_little_difference(tmp_path):
    text = STUDY.replace("alpha = 0.8", "alpha = 0.6")
    arms = (*ARMS, "hybrid 0.8")

    def rows(*multi):
        return [
            row("hybrid 0.8", "mono", "map", -0.002, 0.002),
            row("hybrid 0.8", "cross", "map", -0.002, 0.002),
            row("hybrid 0.8", "multi", "map", *multi),
        ]

    for multi, expected in (
        ((-0.009, 0.009), "supported"),
        ((-0.009, 0.02), "undecided"),
        ((0.011, 0.02), "not supported"),
    ):
        assert judged(tmp_path, block(rows(*multi), arms=arms), text=text)[6].verdict == expected
    # 0.8 is not between 0.4 and 0.6.
    assert judged(tmp_path, block(rows(0, 0), arms=arms))[6].verdict == "not measured"


def test_verdicts_together():
    assert together([]) == "not measured"
    assert together(["supported", "not measured"]) == "supported"
    assert together(["supported", "undecided"]) == "undecided"
    assert together(["undecided", "not supported"]) == "not supported"
