"""A study is read, laid out, and what is wrong with it is named."""

import pytest

from isogloss.errors import RecipeError
from isogloss.study.definition import read_study
from isogloss.study.measuring import measurements_of
from isogloss.study.runs import base_name, runs_of
from tests.study.making import STUDY, write_study


def test_the_grid(tmp_path):
    runs = runs_of(read_study(write_study(tmp_path, "org/base")))
    assert [str(run) for run in runs] == [
        "first / base / x-x-mono / seed 0",
        "first / base / x-y / seed 0",
        "first / base / hybrid / seed 0",
        "first / base / hybrid 0.8 / seed 0",
        "first / base / x-x-mono / seed 1",
        "first / base / x-y / seed 1",
        "first / base / hybrid / seed 1",
        "held-out / base / x-y / seed 0",
        "held-out / base / hybrid / seed 0",
    ]
    assert len({run.place for run in runs}) == len(runs)
    last = runs[-1].recipe
    assert (last.plan, last.seed, last.steps, last.dev) == ("hybrid", 0, 4, "dev.jsonl")
    assert (last.train, last.held_out_pairs, last.base) == (("train.jsonl",), ("de->en",), "org/base")
    assert runs[3].recipe.alpha == 0.8
    # Whatever an arm sets, its budget is that of all.
    assert {(run.recipe.steps, run.recipe.batch_size, run.recipe.max_length) for run in runs} == {(4, 4, 16)}


def test_a_budget_of_tokens_lets_arms_set_their_batch(tmp_path):
    path = write_study(tmp_path, "org/base")
    text = path.read_text().replace('plan = "x-y"', 'plan = "x-y"\nbatch_size = 3')
    path.write_text(text)
    with pytest.raises(RecipeError, match=r"arms\.x-y: batch_size cannot be set there"):
        read_study(path)
    path.write_text('budget = "tokens"\n' + text)
    assert {run.arm: run.recipe.batch_size for run in runs_of(read_study(path))} == {
        "x-x-mono": 4, "x-y": 3, "hybrid": 4, "hybrid 0.8": 4
    }  # fmt: skip
    path.write_text('budget = "tokens"\n' + text.replace("batch_size = 3", "steps = 3"))
    with pytest.raises(RecipeError, match=r"arms\.x-y: steps cannot be set there"):
        read_study(path)


def test_a_condition_may_have_other_cures(tmp_path):
    path = write_study(tmp_path, "org/base")
    path.write_text(path.read_text() + "cures = []\n")
    study = read_study(path)
    assert study.cures_under("first") == ("centre", "project")
    assert study.cures_under("held-out") == ()
    cured = [one for one in measurements_of(study, runs_of(study), "hybrid") if one.cure is not None]
    assert {one.condition for one in cured} == {"first"}


def test_names_of_bases():
    assert base_name("sentence-transformers/LaBSE") == "LaBSE"
    assert base_name("runs/some model/") == "some_model"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("steps = 4", "steps = 4\nalpha = 0.3", "recipe: alpha cannot be set there"),
        (
            'plan = "x-y"',
            'plan = "x-y"\nsteps = 9',
            "arms.x-y: steps cannot be set there; every arm has the same",
        ),
        ('plan = "x-y"', "alpha = 0.5", "arms.x-y: plan is missing"),
        ('plan = "x-y"', 'plan = "x-y"\nnonsense = 1', "arms.x-y: nonsense is no key of a recipe"),
        ('plan = "x-y"', 'plan = "x-z"', "conditions.first, arms.x-y: plan: "),
        ('arms = ["x-y", "hybrid"]', 'arms = ["x-z"]', "conditions.held-out.arms: there is no 'x-z'"),
        ('cures = ["centre", "project"]', 'cures = ["prayer"]', "cures: 'prayer' is no cure"),
        ("seeds = [0]\n", 'seeds = [0]\ncures = ["prayer"]\n', "'prayer' is no cure"),
        ('test = ["test.jsonl"]', 'test = ["train.jsonl"]', "train.jsonl is trained on and tested on"),
        ('test = ["test.jsonl"]', 'test = ["dev.jsonl"]', "dev.jsonl is the development corpus"),
        ('test = ["test.jsonl"]', "", "conditions.first.test: Field required"),
        ("seeds = [0, 1]", "seeds = []", "seeds: "),
        ('name = "a small study"', 'name = "a small study"\nwhat = 1', "what: is no key of a study"),
        ('bases = ["{base}"]', 'bases = ["a/x", "b/x"]', "two are called 'x'"),
        ("[recipe]", "[recipe", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, old, new, message):
    assert old in STUDY
    with pytest.raises(RecipeError, match=message.replace("(", r"\(")):
        runs_of(read_study(write_study(tmp_path, "base", STUDY.replace(old, new))))


def test_no_such_file(tmp_path):
    with pytest.raises(RecipeError, match="cannot read the study"):
        read_study(tmp_path / "nothing.toml")
