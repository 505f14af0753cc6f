"""Work shared among processes and machines: who holds a task's lock does it.

Locks are the operating system's, on a file beside the task. They end with the process that holds them, however it ends,
so nothing has to be cleaned up after a kill; on storage shared by machines they need a file system that locks across
them (NFS 4 and most cluster file systems do).
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from isogloss.errors import Interrupted, IsoglossError
from isogloss.files import finished_file

_LOCK = ".lock"
FAILURE = "failed.txt"


@dataclass(frozen=True)
class Task:
    """Something to be done once.

    Attributes:
        name: for messages.
        folder: its own; the lock and the record of a failure lie there.
        done: tells whether it is done.
        work: does it; what an earlier attempt left is taken up.
    """

    name: str
    folder: Path
    done: Callable[[], bool]
    work: Callable[[], None]


@dataclass(frozen=True)
class Outcome:
    """What a worker did of a list of tasks.

    Attributes:
        worked: tasks done by this worker.
        failed: tasks that failed, now or before.
        elsewhere: tasks that other workers hold.
    """

    worked: tuple[str, ...]
    failed: tuple[str, ...]
    elsewhere: tuple[str, ...]


def work_through(tasks: Sequence[Task], message: Callable[[str], None], *, retry: bool = False) -> Outcome:
    """Do every task that is not done, has not failed and that nobody else is doing.

    Args:
        tasks: in the order in which they are tried.
        message: told what begins and what fails.
        retry: try those that failed before once more.

    Raises:
        Interrupted: a signal came; what was begun goes on with the next call.
    """
    worked: list[str] = []
    failed: list[str] = []
    waiting = list(tasks)
    tried_again: set[str] = set()
    moved = True
    while waiting and moved:
        moved = False
        held = []
        for task in waiting:
            if task.done():
                moved = True
                continue
            if (task.folder / FAILURE).exists() and (not retry or task.name in tried_again):
                failed.append(task.name)
                continue
            task.folder.mkdir(parents=True, exist_ok=True)
            try:
                with FileLock(task.folder / _LOCK, timeout=0):
                    moved = True
                    if task.done():
                        continue
                    tried_again.add(task.name)
                    (worked if _attempt(task, message) else failed).append(task.name)
            except Timeout:
                held.append(task)
        waiting = held
    return Outcome(tuple(worked), tuple(failed), tuple(task.name for task in waiting))


def is_held(folder: Path) -> bool:
    """Whether a worker is at a task."""
    if not (folder / _LOCK).exists():
        return False
    try:
        with FileLock(folder / _LOCK, timeout=0):
            return False
    except Timeout:
        return True


def _attempt(task: Task, message: Callable[[str], None]) -> bool:
    (task.folder / FAILURE).unlink(missing_ok=True)
    message(task.name)
    try:
        task.work()
    except Interrupted:
        raise
    except Exception as error:  # whatever it was, the other tasks go on
        known = isinstance(error, IsoglossError)
        with finished_file(task.folder / FAILURE) as path:
            path.write_text(str(error) + "\n" if known else traceback.format_exc(), encoding="utf-8")
        message(f"failed: {task.name}: {error if known else repr(error)}")
        return False
    return True
