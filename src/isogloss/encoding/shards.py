"""Vectors of more passages than memory holds, in shards on disk that an interrupted encoding leaves whole.

    manifest.json          what the vectors were made with and of; a folder serves nothing else
    shard-000000.npy       float32, (passages, dimension), unit length
    shard-000000.ids       their ids, a line each

Each file is written under a temporary name, then renamed, the vectors last: a shard is there whole or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogloss.corpus.passages import Passage
from isogloss.encoding.encoder import Encoder, Side, encode_distinct, running_total
from isogloss.errors import CorpusError, DataError, Interrupted, OutputError, RecipeError
from isogloss.files import finished_file

SHARD_PASSAGES = 8192
"""Passages a shard: what an interruption costs at most, and what is in memory at once."""

_FORMAT = 1
_MANIFEST = "manifest.json"

Block = tuple[list[str], NDArray[np.float32]]
"""Ids, and their vectors, float32, shape (ids, dimension)."""


@dataclass(frozen=True)
class ShardFolder:
    """A folder of vectors, finished or not.

    Attributes:
        folder: where it is.
        passages: how many the corpus has.
        shard_passages: how many a shard holds; the last one may hold fewer.
    """

    folder: Path
    passages: int
    shard_passages: int

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        passages: int,
        settings: Mapping[str, Any],
        shard_passages: int = SHARD_PASSAGES,
    ) -> ShardFolder:
        """Begin a folder, or go on with one that was begun with the same settings.

        Args:
            folder: made where it is not there.
            passages: how many the corpus has.
            settings: what the vectors depend on, in JSON's types: the model, the input files.
            shard_passages: for a new folder; one that is there keeps its own.

        Raises:
            RecipeError: the folder was begun with other settings; says which.
            OutputError: the folder holds something else, or cannot be written.
        """
        path = folder / _MANIFEST
        wanted = {"passages": passages, **json.loads(json.dumps(settings))}
        if not path.is_file():
            if folder.is_dir() and any(folder.iterdir()):
                raise OutputError(f"{folder}: not empty, and not vectors of isogloss; choose another --work")
            manifest = {"format": _FORMAT, "shard_passages": shard_passages, **wanted}
            with finished_file(path) as temporary:
                temporary.write_text(
                    json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
                )
            return cls(folder, passages, shard_passages)
        then = _read_manifest(path)
        size = then.pop("shard_passages")
        if changed := _differences(then, {"format": _FORMAT, **wanted}):
            raise RecipeError(
                f"{folder}: these vectors were begun with other settings: {'; '.join(changed)}. Choose another --work,"
                " or remove the folder to begin anew"
            )
        for left in folder.glob(".*.part.shard-*"):
            left.unlink(missing_ok=True)
        return cls(folder, passages, size)

    @property
    def shards(self) -> int:
        """How many shards there will be."""
        return -(-self.passages // self.shard_passages)

    def missing(self) -> list[int]:
        """The numbers of the shards that are not there, or not whole."""
        return [number for number in range(self.shards) if not self._is_whole(number)]

    def rows(self, number: int) -> int:
        """How many passages a shard holds."""
        return min(self.shard_passages, self.passages - number * self.shard_passages)

    def encode(
        self,
        encoder: Encoder,
        passages: Callable[[], Iterator[Passage]],
        progress: Callable[[int, int], None] | None = None,
        *,
        side: Side = "passage",
    ) -> None:
        """Encode what is missing, each distinct text of a shard once.

        Args:
            encoder: the model.
            passages: gives all passages, in the same order each time; called where something is missing.
            progress: called with the passages done and all that are missing at the beginning.
            side: what the model is told that the texts are.

        Raises:
            Interrupted: by Ctrl-C; all whole shards are kept, the one in work is dropped.
            CorpusError: there are fewer or more passages than the folder was begun for, or an id twice in a shard.
            ModelError: the model fails.
            OutputError: a file cannot be written.
        """
        if not (missing := self.missing()):
            return
        total, done = sum(map(self.rows, missing)), 0

        def count(texts: int) -> None:
            if progress is not None:
                progress(min(done + texts, total), total)

        stream = passages()
        wanted = set(missing)
        try:
            for number in range(self.shards):
                batch = list(islice(stream, self.rows(number)))
                if len(batch) != self.rows(number):
                    raise CorpusError(f"{self.folder}: the corpus has fewer passages than before; begin anew")
                if number in wanted:
                    self._write(number, batch, encoder, running_total(count), side)
                    done += len(batch)
                    count(0)
        except KeyboardInterrupt:
            kept = self.passages - sum(map(self.rows, self.missing()))
            raise Interrupted(
                f"stopped: {kept:,} of {self.passages:,} passages are encoded and kept in {self.folder};"
                " the same command goes on"
            ) from None

    def blocks(self) -> Iterator[Block]:
        """Yield the shards' ids and vectors in order, one shard in memory at a time.

        Raises:
            DataError: a shard is missing or damaged.
        """
        for number in range(self.shards):
            ids, vectors = self._read(number)
            yield ids, np.array(vectors)

    def vectors(self, number: int) -> NDArray[np.float32]:
        """A shard's vectors, mapped into memory.

        Raises:
            DataError: the shard is missing or damaged.
        """
        return self._read(number)[1]

    def _write(
        self,
        number: int,
        batch: list[Passage],
        encoder: Encoder,
        progress: Callable[[int], None],
        side: Side,
    ) -> None:
        ids = [passage.id for passage in batch]
        if len(set(ids)) != len(ids):
            twice = next(one for place, one in enumerate(ids) if one in ids[:place])
            raise CorpusError(f"passage id {twice!r} comes twice; ids must be unique in a corpus")
        texts, languages = [passage.text for passage in batch], [passage.language for passage in batch]
        vectors, rows = encode_distinct(encoder, texts, side, progress, languages)
        with finished_file(self._path(number, "ids")) as temporary:
            temporary.write_text("".join(f"{one}\n" for one in ids), encoding="utf-8", newline="\n")
        with finished_file(self._path(number, "npy")) as temporary:
            np.save(temporary, vectors[rows].astype(np.float32, copy=False), allow_pickle=False)

    def _read(self, number: int) -> tuple[list[str], NDArray[np.float32]]:
        """A shard's ids, and its vectors mapped into memory."""
        try:
            vectors = np.load(self._path(number, "npy"), mmap_mode="r", allow_pickle=False)
            ids = self._path(number, "ids").read_text(encoding="utf-8").split("\n")[:-1]
        except (OSError, ValueError) as error:
            raise self._damaged(number, str(error)) from error
        rows = self.rows(number)
        if vectors.dtype != np.float32 or vectors.ndim != 2 or len(vectors) != rows or len(ids) != rows:
            raise self._damaged(
                number, f"{len(ids)} ids and vectors {vectors.dtype} of shape {vectors.shape}"
            )
        return ids, vectors

    def _is_whole(self, number: int) -> bool:
        try:
            self._read(number)
        except DataError:
            return False
        return True

    def _damaged(self, number: int, what: str) -> DataError:
        return DataError(
            f"{self._path(number, 'npy')}: not a whole shard of {self.rows(number)} passages: {what}; start the same"
            " command again, which makes it anew"
        )

    def _path(self, number: int, suffix: str) -> Path:
        return self.folder / f"shard-{number:06d}.{suffix}"


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot read: {error}; remove the folder to begin anew") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("shard_passages"), int):
        raise DataError(f"{path}: not a manifest of vectors; remove the folder to begin anew")
    return manifest


def _differences(then: Mapping[str, Any], now: Mapping[str, Any], above: str = "") -> list[str]:
    """What differs, in words, key by key."""
    changed = []
    for key in sorted({*then, *now}):
        before, after = then.get(key), now.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            changed += _differences(before, after, f"{above}{key}.")
        elif before != after:
            changed.append(f"{above}{key} was {_short(before)} and is now {_short(after)}")
    return changed


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
