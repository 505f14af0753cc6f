"""Outputs are whole or not there."""

from __future__ import annotations

import pytest

from isogloss.errors import OutputError
from isogloss.files import finished_file, finished_folder, refuse_existing


class StopError(Exception):
    """Not one of isogloss."""


def write_half(path, error):
    """Write something and fail."""
    (path / "weights" if path.is_dir() else path).write_text("half")
    raise error


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_appears_when_it_is_finished(tmp_path):
    output = tmp_path / "model"
    with finished_folder(output) as folder:
        assert folder.parent == tmp_path
        (folder / "weights").write_text("w")
        assert not output.exists()
    assert names(tmp_path) == ["model"]
    assert (output / "weights").read_text() == "w"


def test_missing_parents_of_a_folder_are_made(tmp_path):
    with finished_folder(tmp_path / "a" / "b" / "model") as folder:
        (folder / "weights").write_text("w")
    assert names(tmp_path / "a" / "b") == ["model"]


def test_an_empty_folder_is_replaced(tmp_path):
    output = tmp_path / "model"
    output.mkdir()
    with finished_folder(output) as folder:
        (folder / "weights").write_text("w")
    assert names(tmp_path) == ["model"]
    assert names(output) == ["weights"]


@pytest.mark.parametrize("error", [StopError, KeyboardInterrupt])
def test_nothing_is_left_of_a_folder_that_failed(tmp_path, error):
    output = tmp_path / "model"
    with pytest.raises(error), finished_folder(output) as folder:
        write_half(folder, error)
    assert names(tmp_path) == []


def test_an_empty_folder_outlives_a_failure(tmp_path):
    output = tmp_path / "model"
    output.mkdir()
    with pytest.raises(StopError), finished_folder(output):
        raise StopError
    assert names(tmp_path) == ["model"]


def test_a_folder_in_use_is_refused_and_kept(tmp_path):
    output = tmp_path / "model"
    output.mkdir()
    (output / "notes").write_text("mine")
    with pytest.raises(OutputError, match="exists and is not empty"), finished_folder(output):
        pytest.fail("the block must not run")
    assert names(tmp_path) == ["model"]
    assert (output / "notes").read_text() == "mine"


def test_a_folder_filled_meanwhile_is_kept_and_so_is_the_work(tmp_path):
    output = tmp_path / "model"

    def fill_both(folder):
        (folder / "weights").write_text("ours")
        output.mkdir()
        (output / "notes").write_text("theirs")

    with pytest.raises(OutputError, match="what was made is kept in"), finished_folder(output) as folder:
        fill_both(folder)
    assert names(output) == ["notes"]
    assert names(folder) == ["weights"]


@pytest.mark.parametrize("kind", ["file", "link to nothing"])
def test_what_is_no_folder_is_refused(tmp_path, kind):
    output = tmp_path / "model"
    if kind == "file":
        output.write_text("mine")
    else:
        output.symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="exists and is not a folder"), finished_folder(output):
        pytest.fail("the block must not run")
    with pytest.raises(OutputError, match="exists and is not a folder"):
        refuse_existing(output)
    assert names(tmp_path) == ["model"]


def test_a_folder_below_a_file(tmp_path):
    (tmp_path / "file").write_text("mine")
    with (
        pytest.raises(OutputError, match="is a file; choose another --output"),
        finished_folder(tmp_path / "file" / "model"),
    ):
        pytest.fail("the block must not run")


def test_refusal_lets_new_and_empty_folders_pass(tmp_path):
    refuse_existing(tmp_path / "new")
    refuse_existing(tmp_path)
    assert names(tmp_path) == []


def test_a_file_appears_when_it_is_finished(tmp_path):
    output = tmp_path / "a" / "run.trec.gz"
    with finished_file(output) as path:
        assert path.suffixes == [".part", ".run", ".trec", ".gz"]
        assert path.parent == output.parent
        path.write_text("whole")
        assert not output.exists()
    assert names(output.parent) == ["run.trec.gz"]
    assert output.read_text() == "whole"


def test_a_file_is_replaced_when_the_new_one_is_finished(tmp_path):
    output = tmp_path / "results.json"
    output.write_text("old")
    with finished_file(output) as path:
        path.write_text("new")
        assert output.read_text() == "old"
    assert names(tmp_path) == ["results.json"]
    assert output.read_text() == "new"


@pytest.mark.parametrize("error", [StopError, KeyboardInterrupt])
def test_a_failure_keeps_the_old_file_and_leaves_nothing(tmp_path, error):
    output = tmp_path / "results.json"
    output.write_text("old")
    with pytest.raises(error), finished_file(output) as path:
        write_half(path, error)
    assert names(tmp_path) == ["results.json"]
    assert output.read_text() == "old"


def test_a_file_is_not_overwritten_where_that_is_not_wanted(tmp_path):
    output = tmp_path / "recipe.toml"
    output.write_text("old")
    with pytest.raises(OutputError, match="exists already"), finished_file(output, overwrite=False):
        pytest.fail("the block must not run")
    assert names(tmp_path) == ["recipe.toml"]
    assert output.read_text() == "old"


def test_a_file_in_place_of_a_folder(tmp_path):
    (tmp_path / "results").mkdir()
    with pytest.raises(OutputError, match="cannot write"), finished_file(tmp_path / "results") as path:
        path.write_text("new")
    assert names(tmp_path) == ["results"]


def test_a_file_below_a_file(tmp_path):
    (tmp_path / "file").write_text("mine")
    with (
        pytest.raises(OutputError, match="cannot write"),
        finished_file(tmp_path / "file" / "results.json"),
    ):
        pytest.fail("the block must not run")
    assert (tmp_path / "file").read_text() == "mine"
