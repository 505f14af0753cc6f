from isogloss.study.definition import read_study
from isogloss.study.roles import alpha_of, roles_of
from tests.study.making import STUDY, write_study


def test_arms_play_their_parts(tmp_path):
    roles = roles_of(read_study(write_study(tmp_path, "base")))
    assert (roles.mono, roles.cross, roles.hybrid, roles.sweep) == (
        "x-x-mono",
        "x-y",
        "hybrid",
        ("hybrid", "hybrid 0.8"),
    )


def test_what_differs_in_more_than_alpha_is_not_of_the_sweep(tmp_path):
    text = STUDY.replace("alpha = 0.8", "alpha = 0.8\ntemperature = 0.05")
    text = text.replace('[arms.hybrid]\nplan = "hybrid"', '[arms.hybrid]\nplan = "hybrid"\nalpha = "0.8:0.2"')
    study = read_study(write_study(tmp_path, "base", text))
    roles = roles_of(study)
    assert (roles.hybrid, roles.sweep) == ("hybrid", ())
    assert alpha_of(study.arms["hybrid"]) is None


def test_a_study_may_lack_parts(tmp_path):
    text = STUDY[: STUDY.index("[arms.hybrid]")] + "[conditions.one]\ntrain = ['a']\ntest = ['b']\n"
    roles = roles_of(read_study(write_study(tmp_path, "base", text)))
    assert (roles.mono, roles.cross, roles.hybrid, roles.sweep) == ("x-x-mono", "x-y", None, ())
