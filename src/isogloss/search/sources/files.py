"""Which files are given, and the names that they and their passages are called by: names that stay.

A file is called by its path in the folder that it was given with, and where the index has another file of that name,
by as many folders above as tell them apart: `travel.md`, `guide/travel.md`. An index remembers which file has which
name, so a file keeps its own however it is given again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from isogloss.corpus import sample
from isogloss.errors import CorpusError
from isogloss.search.sources.documents import READERS

FORMS = "JSONL(.gz), CSV, TSV, Parquet, .txt, .md, .html, or a folder of such files"
TABLES = (".jsonl", ".jsonl.gz", ".csv", ".tsv", ".parquet")


@dataclass(frozen=True)
class FoundFiles:
    """Files to read.

    Attributes:
        usual_names: by absolute path, in the order of reading, what each is called where no other is called so.
        folders: the folders among what was given, absolute.
    """

    usual_names: Mapping[str, str]
    folders: tuple[str, ...] = ()


@dataclass(frozen=True)
class NamedFiles:
    """Files to read, and what they are called in an index.

    Attributes:
        paths: absolute paths by name, in the order of reading.
        vanished: names in the index of files that lay in one of the folders and do not any more.
        lengthened: names of files, new in the index, whose usual names others have.
    """

    paths: Mapping[str, str]
    vanished: tuple[str, ...] = ()
    lengthened: tuple[str, ...] = ()


def find_files(sources: Iterable[str | Path]) -> FoundFiles:
    """Find the files that are meant.

    Args:
        sources: files, folders, or ``sample:train``, ``sample:dev``, ``sample:test``. In a folder, hidden files and
            folders and files of other forms are passed over. What is given twice is read once.

    Raises:
        CorpusError: there is no such file, or it is of no known form, or a folder holds none.
    """
    usual: dict[str, str] = {}
    folders = []
    for source in sources:
        text = str(source)
        if text.startswith(sample.PREFIX):
            usual[str(sample.sample_path(text.removeprefix(sample.PREFIX)))] = text
            continue
        path = Path(source)
        if path.is_dir():
            folders.append(_absolute(path))
            for one in _in_folder(path):
                usual.setdefault(_absolute(one), one.relative_to(path).as_posix())
        elif not path.exists():
            raise CorpusError(f"{path}: no such file or folder; give {FORMS}")
        elif not _is_known(path):
            raise CorpusError(f"{path}: of no known form; give {FORMS}")
        else:
            usual.setdefault(_absolute(path), path.name)
    return FoundFiles(usual, tuple(folders))


def name_files(found: FoundFiles, known: Mapping[str, str], *, prune: bool = False) -> NamedFiles:
    """Decide what files are called in an index.

    A file that the index knows keeps its name. A new one gets the first name that no other file of the index has: one
    that is not there any more, or will be pruned, gives its name away, so that a folder that was moved is the same.

    Args:
        found: the files.
        known: absolute paths by name, of the files that the index knows.
        prune: whether what is not among the files is removed from the index.
    """
    name_of = {path: name for name, path in known.items() if path in found.usual_names}
    taken = set(name_of.values())

    def is_free(name: str) -> bool:
        return name not in taken and (name not in known or prune or not Path(known[name]).is_file())

    lengthened = []
    for path, usual in found.usual_names.items():
        if path in name_of:
            continue
        name_of[path] = name = next(filter(is_free, _names(path, usual)))
        taken.add(name)
        if name != usual:
            lengthened.append(name)
    within = tuple(f"{folder.rstrip(os.sep)}{os.sep}" for folder in found.folders)
    vanished = tuple(name for name, path in known.items() if name not in taken and path.startswith(within))
    return NamedFiles({name_of[path]: path for path in found.usual_names}, vanished, tuple(lengthened))


def _names(path: str, usual: str) -> Iterator[str]:
    """The names that a file can have, from the usual one to its whole path, which no other has."""
    yield usual
    parts = Path(path).parts
    for count in range(usual.count("/") + 2, len(parts) + 1):
        yield Path(*parts[-count:]).as_posix()


def _in_folder(folder: Path) -> list[Path]:
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and _is_known(path)
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if not found:
        raise CorpusError(f"{folder}: holds nothing to index; give {FORMS}")
    return found


def _absolute(path: Path) -> str:
    # Links are not followed: a folder that is reached by a link to its newest version is the same folder tomorrow.
    return os.path.abspath(path)  # noqa: PTH100


def _is_known(path: Path) -> bool:
    return path.name.lower().endswith((*TABLES, *READERS))
