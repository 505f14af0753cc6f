"""Files and folders that are either whole or not there: written under a temporary name, then renamed."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from isogloss.errors import OutputError


@contextmanager
def finished_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path` that becomes `path` when the block ends, and is removed when it fails.

    An empty folder at `path` is replaced.

    Raises:
        OutputError: `path` exists and is not an empty folder, or cannot be made; or it was filled meanwhile, and the
            temporary folder is kept.
    """
    refuse_existing(path)
    path = Path(os.path.abspath(path))  # noqa: PTH100 - links are not to be followed: the name itself is wanted
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.part"
    try:
        temporary.mkdir(parents=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot make the folder: {error.strerror or error}") from error
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
        # What took hours to make is not thrown away because its place was taken meanwhile.
        raise OutputError(
            f"{path}: cannot be put in place: {error.strerror or error}; what was made is kept in {temporary}"
        ) from error


@contextmanager
def finished_file(path: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Yield a temporary file name beside `path`, with its suffixes, that becomes `path` when the block ends.

    Raises:
        OutputError: `path` exists and `overwrite` is false, or cannot be written.
    """
    if not overwrite and path.exists():
        raise OutputError(f"{path}: exists already; choose another name or remove it")
    temporary = path.with_name(f".{secrets.token_hex(4)}.part.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot write: {error.strerror or error}") from error
    finally:
        # Where even the parent is no folder, there is nothing to remove, and the error above is the one to show.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


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
