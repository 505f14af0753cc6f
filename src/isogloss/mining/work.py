"""What is done of a mining run, in a folder: vectors, and the negatives of each block of items.

    passages/, queries/           vectors, in shards (`isogloss.encoding.shards`)
    blocks-DIGEST/block-000000.npz  the negatives of a block, under the settings that the digest is of

A file is there whole or not at all, so whatever stopped a run, the next one goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogloss.files import finished_file
from isogloss.mining.choosing import Chosen

_FORMAT = 1


PASSAGES, QUERIES = "passages", "queries"
"""The folders of vectors."""


def remove_work(work: Path) -> None:
    """Remove what a run left in its folder, and the folder where nothing else is in it."""
    for part in (work / PASSAGES, work / QUERIES, *work.glob("blocks-*")):
        shutil.rmtree(part, ignore_errors=True)
    with suppress(OSError):
        work.rmdir()


@dataclass(frozen=True)
class MinedBlock:
    """The negatives of a block's versions, and what was counted on the way.

    Attributes:
        chosen: of n versions.
        counts: places looked at and what the rules took away, by name.
    """

    chosen: Chosen
    counts: Mapping[str, int]


class BlockFolder:
    """The mined blocks of one run.

    Args:
        work: the run's folder.
        settings: what the negatives depend on, in JSON's types; other settings have another folder.

    Raises:
        OutputError: here and in `write`, the folder cannot be written.
    """

    def __init__(self, work: Path, settings: Mapping[str, Any]) -> None:
        text = json.dumps({"format": _FORMAT, **settings}, sort_keys=True)
        self.folder = work / f"blocks-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        for left in self.folder.glob(".*.part.block-*"):
            left.unlink(missing_ok=True)

    def read(self, number: int, versions: int) -> MinedBlock | None:
        """A block of so many versions; None where it is not there, or not whole."""
        try:
            with np.load(self._path(number), allow_pickle=False) as arrays:
                chosen = Chosen(**{field.name: arrays[field.name] for field in fields(Chosen)})
                counts = json.loads(str(arrays["counts"]))
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
            return None
        return MinedBlock(chosen, counts) if len(chosen.positive) == versions else None

    def write(self, number: int, block: MinedBlock) -> None:
        """Keep a block."""
        with finished_file(self._path(number)) as temporary, temporary.open("wb") as file:
            arrays: dict[str, NDArray[Any]] = asdict(block.chosen)
            np.savez(file, allow_pickle=False, counts=np.array(json.dumps(block.counts)), **arrays)

    def _path(self, number: int) -> Path:
        return self.folder / f"block-{number:06d}.npz"
