"""Work is done once, whoever does it, and goes on after failures and kills."""

import multiprocessing
import os
import signal
import time

import pytest

from isogloss.errors import Interrupted, RecipeError
from isogloss.study.queue import FAILURE, Task, is_held, work_through


def task(folder, name, work=None):
    place = folder / name

    def mark():
        if work is not None:
            work()
        with (place / "log").open("a", encoding="utf-8") as file:
            file.write(f"{os.getpid()}\n")
        (place / "done").touch()

    return Task(name, place, (place / "done").exists, mark)


def test_all_is_done_once_in_order(tmp_path):
    said = []
    tasks = [task(tmp_path, name) for name in ("b", "a", "c")]
    outcome = work_through(tasks, said.append)
    assert (outcome.worked, outcome.failed, outcome.elsewhere) == (("b", "a", "c"), (), ())
    assert said == ["b", "a", "c"]
    assert work_through(tasks, said.append).worked == ()


def test_what_fails_is_kept_and_tried_again_on_demand(tmp_path):
    def broken():
        raise RecipeError("the reason")

    def worse():
        raise ZeroDivisionError

    tasks = [task(tmp_path, "a", broken), task(tmp_path, "b", worse), task(tmp_path, "c")]
    said = []
    outcome = work_through(tasks, said.append)
    assert (outcome.worked, outcome.failed) == (("c",), ("a", "b"))
    assert "failed: a: the reason" in said
    assert (tmp_path / "a" / FAILURE).read_text() == "the reason\n"
    assert "Traceback" in (tmp_path / "b" / FAILURE).read_text()
    assert work_through(tasks, said.append).failed == ("a", "b")
    mended = [task(tmp_path, name) for name in "abc"]
    assert work_through(mended, said.append).worked == ()
    assert work_through(mended, said.append, retry=True).worked == ("a", "b")
    assert not (tmp_path / "a" / FAILURE).exists()


def test_a_signal_stops_the_worker_and_no_failure_is_recorded(tmp_path):
    def stopped():
        raise Interrupted("stopped")

    tasks = [task(tmp_path, "a", stopped), task(tmp_path, "b")]
    with pytest.raises(Interrupted):
        work_through(tasks, print)
    assert not (tmp_path / "a" / FAILURE).exists()
    assert not (tmp_path / "b").exists()


def worker(folder):
    work_through(
        [task(folder, f"t{number}", lambda: time.sleep(0.05)) for number in range(8)], lambda _: None
    )


def test_several_workers_share_the_work(tmp_path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=worker, args=(tmp_path,)) for _ in range(3)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(60)
        assert one.exitcode == 0
    logs = [(tmp_path / f"t{number}" / "log").read_text().splitlines() for number in range(8)]
    assert all(len(lines) == 1 for lines in logs)


def holder(folder):
    work_through([task(folder, "t", lambda: time.sleep(60))], lambda _: None)


def test_a_killed_workers_task_is_free_again(tmp_path):
    context = multiprocessing.get_context("spawn")
    one = context.Process(target=holder, args=(tmp_path,))
    one.start()
    deadline = time.monotonic() + 60
    while not is_held(tmp_path / "t") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert is_held(tmp_path / "t")
    assert work_through([task(tmp_path, "t")], print).elsewhere == ("t",)
    os.kill(one.pid, signal.SIGKILL)
    one.join(60)
    assert not is_held(tmp_path / "t")
    assert work_through([task(tmp_path, "t")], print).worked == ("t",)
