"""Files and folders that are either whole or not there: written under a temporary name, then renamed.

A run that is killed cannot remove what it has begun; the next one that writes under the same name does. What a living
process has begun is locked, by the system and for as long as it lives, and so is told apart.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from isogloss.errors import OutputError

try:
    import fcntl
except ImportError:  # not on Windows, where nothing is locked and so nothing that is left is removed
    fcntl = None  # type: ignore[assignment]

_TOKEN = "[0-9a-f]{8}"


@contextmanager
def finished_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path` that becomes `path` when the block ends, and is removed when it fails.

    An empty folder at `path` is replaced, and what killed runs have left of it is removed.

    Raises:
        OutputError: `path` exists and is not an empty folder, or cannot be made; or it was filled meanwhile, and what
            was made is kept beside it.
    """
    refuse_existing(path)
    path = Path(os.path.abspath(path))  # noqa: PTH100 - links are not to be followed: the name itself is wanted
    remove_leftovers(path)
    try:
        temporary, lock = _claimed(lambda: _new_folder(path.parent, f".{path.name}."))
    except OSError as error:
        raise OutputError(f"{path}: cannot make the folder: {error.strerror or error}") from error
    try:
        try:
            yield temporary
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        try:
            if path.is_dir():
                path.rmdir()
            temporary.replace(path)
        except OSError as error:
            # What took hours to make is not thrown away because its place was taken meanwhile, nor by the next run.
            kept = temporary
            with suppress(OSError):
                kept = temporary.rename(temporary.with_suffix(".kept"))
            raise OutputError(
                f"{path}: cannot be put in place: {error.strerror or error}; what was made is kept in {kept}"
            ) from error
    finally:
        _release(lock)


@contextmanager
def finished_file(path: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Yield a temporary file name beside `path`, with its suffixes, that becomes `path` when the block ends.

    Raises:
        OutputError: `path` exists and `overwrite` is false, or cannot be written.
    """
    if not overwrite and path.exists():
        raise OutputError(f"{path}: exists already; choose another name or remove it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary, lock = _claimed(lambda: _new_file(path))
    except OSError as error:
        raise OutputError(f"{path}: cannot write: {error.strerror or error}") from error
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot write: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        _release(lock)


@contextmanager
def scratch_folder(beside: Path | None = None) -> Iterator[Path]:
    """Yield a temporary folder that is removed when the block ends; what killed runs have left is removed as well.

    Args:
        beside: the output that it is for, beside which it lies, where there is room for that; the system's folder for
            temporary files if left out.
    """
    if beside is None:
        parent, name = Path(tempfile.gettempdir()), "isogloss-"
        _remove_unheld(parent, re.compile(rf"isogloss-{_TOKEN}\.part"))
    else:
        parent, name = beside.parent, f".{beside.name}."
        remove_leftovers(beside)
    folder, lock = _claimed(lambda: _new_folder(parent, name))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _release(lock)


def remove_leftovers(path: Path) -> None:
    """Remove temporary files and folders of an output that killed runs have left, and none of a living process.

    `finished_file` does not do so itself: it is called thousands of times for the parts of one folder.
    """
    name = re.escape(path.name)
    _remove_unheld(path.parent, re.compile(rf"\.{name}\.{_TOKEN}\.part|\.{_TOKEN}\.part\.{name}", re.DOTALL))


def cache_folder() -> Path:
    """Return the folder for what isogloss fetches or makes once: ``ISOGLOSS_CACHE``, else ``~/.cache/isogloss``.

    ``XDG_CACHE_HOME`` stands for ``~/.cache`` where it is set.
    """
    if own := os.environ.get("ISOGLOSS_CACHE"):
        return Path(own).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "isogloss"


def refuse_existing(path: Path) -> None:
    """Raise an error where `path` exists and is not an empty folder.

    Raises:
        OutputError: it does, or it could not be made where it should be.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 - links are not to be followed: the name itself is wanted
    place = next(parent for parent in path.parents if parent.exists())
    if not place.is_dir():
        raise OutputError(f"{path}: {place} is a file; choose another --output")
    if not os.access(place, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: the folder {place} is not yours to write in; choose another --output")
    if path.is_dir():
        with os.scandir(path) as entries:
            if any(True for _ in entries):
                raise OutputError(
                    f"{path}: the folder exists and is not empty; choose another --output or remove it"
                )
    elif path.exists() or path.is_symlink():
        raise OutputError(f"{path}: exists and is not a folder; choose another --output")


def _new_folder(parent: Path, begin: str) -> Path:
    folder = parent / f"{begin}{secrets.token_hex(4)}.part"
    folder.mkdir(parents=True)
    return folder


def _new_file(path: Path) -> Path:
    file = path.with_name(f".{secrets.token_hex(4)}.part.{path.name}")
    file.touch(exist_ok=False)
    return file


def _claimed(make: Callable[[], Path]) -> tuple[Path, int | None]:
    """Make something under a new name and lock it; without a lock where there are none, as on some network folders."""
    while True:
        made = make()
        try:
            return made, _lock(made)
        except (BlockingIOError, FileNotFoundError):
            # Another process took it for a leftover in the moment before it was locked.
            continue
        except OSError:
            return made, None


def _lock(path: Path) -> int:
    """Lock a file or folder until the descriptor is closed or the process has ended, however it ends.

    Raises:
        BlockingIOError: it is locked.
        FileNotFoundError: it has gone.
        OSError: it cannot be locked.
    """
    if fcntl is None:
        raise OSError("no locks here")
    # Only what is open for writing can be locked on a network, and a folder cannot be opened so.
    access = os.O_RDONLY if path.is_dir() else os.O_RDWR
    descriptor = os.open(path, access | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(descriptor), path.lstat()):
            raise FileNotFoundError(path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _release(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


def _remove_unheld(folder: Path, name: re.Pattern[str]) -> None:
    """Remove what is in a folder under such a name, is the user's own and is held by no process."""
    if fcntl is None:
        return
    with suppress(OSError), os.scandir(folder) as entries:
        found = [Path(entry.path) for entry in entries if name.fullmatch(entry.name)]
        for path in found:
            with suppress(OSError):
                if path.lstat().st_uid != os.geteuid():
                    continue
                lock = _lock(path)
                try:
                    if path.is_dir():
                        shutil.rmtree(path, ignore_errors=True)
                    else:
                        path.unlink(missing_ok=True)
                finally:
                    _release(lock)
