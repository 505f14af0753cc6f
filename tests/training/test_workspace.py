import pytest

from isogloss.errors import OutputError, RecipeError
from isogloss.training.recipe import make_recipe
from isogloss.training.workspace import Workspace, newest_checkpoint

RECIPE = make_recipe({"base": "a", "train": ["b"]})


def test_an_output_in_use_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "something").touch()
    with pytest.raises(OutputError, match="not empty"):
        Workspace(tmp_path / "out").begin(RECIPE)


def test_an_unfinished_run_is_not_begun_anew(tmp_path):
    workspace = Workspace(tmp_path / "out")
    workspace.begin(RECIPE)
    with pytest.raises(OutputError, match="--resume"):
        workspace.begin(RECIPE)
    assert workspace.resume(RECIPE) is None


def test_resuming_needs_a_run_and_the_same_recipe(tmp_path):
    workspace = Workspace(tmp_path / "out")
    with pytest.raises(OutputError, match="no unfinished run"):
        workspace.resume(RECIPE)
    workspace.begin(RECIPE)
    with pytest.raises(RecipeError, match="steps was 200 and is now 300"):
        workspace.resume(RECIPE.model_copy(update={"steps": 300}))
    workspace.resume(RECIPE.model_copy(update={"log_every": 1}))


def test_a_checkpoint_cut_short_is_passed_over(tmp_path):
    assert newest_checkpoint(tmp_path) is None
    for step, whole in ((90, True), (100, True), (110, False)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if whole:
            (folder / "trainer_state.json").touch()
    assert newest_checkpoint(tmp_path) == tmp_path / "checkpoint-100"
