"""A corpus on disk: a folder with an Arrow file and two arrays, memory-mapped when opened.

versions.arrow   Arrow IPC file, one row a language version
rows.npy         the row of each item in each language, -1 where there is none
groups.npy       the group of each item
corpus.json      format version, name, languages, counts, checksum
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from isogloss.corpus.parallel import ParallelCorpus
from isogloss.corpus.versions import SCHEMA
from isogloss.errors import CorpusError
from isogloss.files import finished_folder

FORMAT_VERSION = 1
DESCRIPTION_FILE = "corpus.json"


def is_corpus_folder(path: Path) -> bool:
    """Whether `path` looks like a folder that `save_corpus` wrote."""
    return (path / DESCRIPTION_FILE).is_file()


def save_corpus(corpus: ParallelCorpus, path: Path) -> None:
    """Write a corpus as a folder, whole or not at all.

    Raises:
        OutputError: `path` exists (other than as an empty folder) or cannot be written.
    """
    with finished_folder(path) as folder:
        with pa.OSFile(str(folder / "versions.arrow"), "wb") as file, pa.ipc.new_file(file, SCHEMA) as writer:
            for batch in corpus.batches():
                writer.write_batch(batch)
        chosen = np.asarray(corpus.rows)[corpus.available]
        # A selection's rows have gaps; on disk they are numbered without.
        rows = np.full(corpus.rows.shape, -1, corpus.rows.dtype)
        rows[corpus.available] = np.argsort(np.argsort(chosen))
        np.save(folder / "rows.npy", rows)
        np.save(folder / "groups.npy", np.asarray(corpus.groups))
        description = {
            "format_version": FORMAT_VERSION,
            "name": corpus.name,
            "languages": list(corpus.languages),
            "items": len(corpus),
            "versions": len(chosen),
            "sha256": corpus.checksum,
        }
        text = json.dumps(description, ensure_ascii=False, indent=2) + "\n"
        (folder / DESCRIPTION_FILE).write_text(text, encoding="utf-8")


def open_corpus(path: Path) -> ParallelCorpus:
    """Open a corpus folder without reading its texts.

    The shapes of its files are held against `corpus.json`; the checksum is taken from there (`check_corpus`
    computes it anew).

    Raises:
        CorpusError: the folder is missing, incomplete, damaged or of another format.
    """
    description = _read_description(path)
    try:
        table = pa.ipc.open_file(pa.memory_map(str(path / "versions.arrow"))).read_all()
        rows = np.load(path / "rows.npy", mmap_mode="r", allow_pickle=False)
        groups = np.load(path / "groups.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, EOFError, ValueError, pa.ArrowException) as error:
        raise CorpusError(
            f"{path}: the corpus folder is incomplete or damaged: {error}; write it again"
        ) from error
    languages, items = tuple(description["languages"]), description["items"]
    expected = {
        "the columns of versions.arrow": (table.schema, SCHEMA),
        "the rows of versions.arrow": (table.num_rows, description["versions"]),
        "the shape of rows.npy": (rows.shape, (items, len(languages))),
        "the shape of groups.npy": (groups.shape, (items,)),
    }
    for what, (found, wanted) in expected.items():
        if found != wanted:
            raise CorpusError(
                f"{path}: {what}: expected {wanted}, found {found}; the folder is damaged, write it again"
            )
    if rows.dtype.kind != "i" or groups.dtype != np.int64:
        raise CorpusError(
            f"{path}: rows.npy or groups.npy holds no integers; the folder is damaged, write it again"
        )
    if rows.size and (rows.min() < -1 or rows.max() >= table.num_rows):
        raise CorpusError(
            f"{path}: rows.npy points outside versions.arrow; the folder is damaged, write it again"
        )
    return ParallelCorpus(
        description["name"], table, languages, rows, groups=groups, checksum=description["sha256"]
    )


def _read_description(path: Path) -> dict[str, Any]:
    if not path.is_dir():
        raise CorpusError(f"{path}: no such corpus folder")
    file = path / DESCRIPTION_FILE
    try:
        description = json.loads(file.read_bytes())
    except OSError as error:
        raise CorpusError(f"{path}: not a corpus folder: {DESCRIPTION_FILE} cannot be read") from error
    except ValueError as error:
        raise CorpusError(f"{file}: bad JSON: {error}; the folder is damaged, write it again") from error
    types = {"name": str, "languages": list, "items": int, "versions": int, "sha256": str}
    if not isinstance(description, dict) or "format_version" not in description:
        raise CorpusError(f"{file}: does not describe a corpus; was the folder written by isogloss?")
    if description["format_version"] != FORMAT_VERSION:
        raise CorpusError(
            f"{file}: format version {description['format_version']}, this isogloss reads {FORMAT_VERSION}; "
            "write the corpus again, or use the isogloss that wrote it"
        )
    for field, kind in types.items():
        if not isinstance(description.get(field), kind):
            raise CorpusError(
                f"{file}: the field {field!r} is missing or has the wrong type; write the folder again"
            )
    return description
