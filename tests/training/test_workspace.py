import pytest

from isogloss.errors import OutputError, RecipeError
from isogloss.training.recipe import make_recipe
from isogloss.training.workspace import Workspace, newest_checkpoint

RECIPE = make_recipe({"base": "a", "train": ["b"]})


def test_an_output_in_use_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "something").touch()
    with pytest.raises(OutputError, match="not empty"):
        Workspace(tmp_path / "out").begin(RECIPE, {"b": "1"})


def test_an_unfinished_run_is_not_begun_anew(tmp_path):
    workspace = Workspace(tmp_path / "out")
    workspace.begin(RECIPE, {"b": "1"})
    with pytest.raises(OutputError, match="--resume"):
        workspace.begin(RECIPE, {"b": "1"})
    assert workspace.resume(RECIPE) is None


def test_resuming_needs_a_run_and_the_same_recipe(tmp_path):
    workspace = Workspace(tmp_path / "out")
    with pytest.raises(OutputError, match="no unfinished run"):
        workspace.resume(RECIPE)
    workspace.begin(RECIPE, {"b": "1"})
    with pytest.raises(RecipeError, match="steps was 200 and is now 300"):
        workspace.resume(RECIPE.model_copy(update={"steps": 300}))
    workspace.resume(RECIPE.model_copy(update={"log_every": 1, "memory_budget": 0.5}))


def test_a_checkpoint_cut_short_is_passed_over(tmp_path):
    assert newest_checkpoint(tmp_path) is None
    for step, whole in ((90, True), (100, True), (110, False)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "trainer_state.json").write_text('{"global_step": 1}' if whole else '{"global_st')
    (tmp_path / "checkpoint-120").mkdir()
    assert newest_checkpoint(tmp_path) == tmp_path / "checkpoint-100"


def test_other_data_are_noticed(tmp_path):
    workspace = Workspace(tmp_path / "out")
    workspace.begin(RECIPE, {"faq": "1", "tickets": "2"})
    workspace.check_data({"faq": "1", "tickets": "2"})
    with pytest.raises(RecipeError, match="tickets has changed"):
        workspace.check_data({"faq": "1", "tickets": "3"})


def test_a_run_that_failed_before_its_first_checkpoint_leaves_nothing(tmp_path):
    workspace = Workspace(tmp_path / "out")
    workspace.begin(RECIPE, {})
    workspace.discard_if_empty()
    assert not workspace.folder.exists()
