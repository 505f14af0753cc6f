"""Outputs are whole or not there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from isogloss import files
from isogloss.errors import OutputError
from isogloss.files import finished_file, finished_folder, refuse_existing, remove_leftovers, scratch_folder


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

    with (
        pytest.raises(OutputError, match="what was made is kept in") as caught,
        finished_folder(output) as folder,
    ):
        fill_both(folder)
    assert names(output) == ["notes"]
    kept = Path(str(caught.value).rpartition("kept in ")[2])
    assert names(kept) == ["weights"]
    # It is none of what a killed run has left.
    remove_leftovers(output)
    assert names(kept) == ["weights"]


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


BEGIN = """
import sys, time
from contextlib import ExitStack
from pathlib import Path
from isogloss.files import finished_file, finished_folder, scratch_folder
output, folder = map(Path, sys.argv[1:])
with ExitStack() as stack:
    stack.enter_context(finished_file(output)).write_text("half")
    (stack.enter_context(finished_folder(folder)) / "weights").write_text("half")
    (stack.enter_context(scratch_folder(output)) / "keys").write_text("half")
    (stack.enter_context(scratch_folder()) / "lines").write_text("half")
    print("begun", flush=True)
    time.sleep(60)
"""


def begun_by_another_process(output, folder):
    """A process that has begun all kinds of outputs."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(files.__file__).parents[1]),
        "TMPDIR": str(output.parent),
    }
    command = [sys.executable, "-c", BEGIN, str(output), str(folder)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"begun\n"
    return process


def test_what_a_killed_run_has_left_is_removed_and_nothing_of_a_living_one(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    output, folder = tmp_path / "a.jsonl", tmp_path / "model"
    # Not of this output, or not of isogloss.
    others = [
        ".b.jsonl.0123abcd.part",
        ".0123abcd.part.b.jsonl",
        ".a.jsonl.part",
        "isogloss-notes",
        "a.jsonl.0123abcd.part",
    ]
    for name in others:
        (tmp_path / name).mkdir()
    process = begun_by_another_process(output, folder)

    def write_again():
        remove_leftovers(output)
        with finished_folder(folder), scratch_folder(output), scratch_folder():
            return set(names(tmp_path)) - set(others)

    living = set(names(tmp_path)) - set(others)
    assert len(living) == 4
    try:
        assert living < write_again()
        folder.rmdir()
        assert living == set(names(tmp_path)) - set(others)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert not living & write_again()
    folder.rmdir()
    assert set(names(tmp_path)) == set(others)


def test_links_and_what_cannot_be_locked_are_left_alone(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "notes").write_text("mine")
    (tmp_path / ".a.0123abcd.part").symlink_to(tmp_path / "elsewhere")
    remove_leftovers(tmp_path / "a")
    assert names(tmp_path / "elsewhere") == ["notes"]
    (tmp_path / ".a.4567abcd.part").mkdir()

    def refuse(*_):
        raise OSError("no locks available")

    monkeypatch.setattr(files.fcntl, "flock", refuse)
    with (
        finished_folder(tmp_path / "a"),
        finished_file(tmp_path / "b") as file,
        scratch_folder(tmp_path / "b"),
    ):
        file.write_text("whole")
    assert names(tmp_path) == [".a.0123abcd.part", ".a.4567abcd.part", "a", "b", "elsewhere"]


def test_what_is_removed_before_it_is_locked_is_made_again(tmp_path, monkeypatch):
    lock, made = files._lock, []

    def swept(path):
        made.append(path)
        if len(made) == 1:
            path.rmdir()
        return lock(path)

    monkeypatch.setattr(files, "_lock", swept)
    with scratch_folder(tmp_path / "a") as folder:
        assert folder == made[1] != made[0]
        assert folder.is_dir()


def test_writers_of_one_output_at_a_time_keep_their_own(tmp_path):
    def write():
        for _ in range(30):
            remove_leftovers(tmp_path / "a")
            with finished_file(tmp_path / "a") as file, scratch_folder(tmp_path / "a") as folder:
                (folder / "keys").write_text("k")
                file.write_text("whole")
                assert (folder / "keys").exists()
            done.append(1)

    done = []
    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 120
    assert names(tmp_path) == ["a"]


def test_nothing_is_left_of_a_scratch_folder(tmp_path):
    with pytest.raises(StopError), scratch_folder(tmp_path / "a" / "b") as folder:
        write_half(folder, StopError)
    assert names(tmp_path / "a") == []
