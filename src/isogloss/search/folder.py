"""An index on disk: a folder with passages and vectors, and which back end searches them.

INDEX/
  passages.sqlite     passages, their words, where their vectors lie (`store`)
  vectors-N.f32       their vectors (`vector_file`)
  milvus.db           Milvus Lite's own copy of the vectors, where that is the back end
  writer.lock         held by the one process that changes the index
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogloss.errors import DataError
from isogloss.search.milvus import MilvusCollection, is_server
from isogloss.search.store import PassageStore
from isogloss.search.vector_file import VectorFile

FORMAT = 1
STORE = "passages.sqlite"
LOCK = "writer.lock"
_MILVUS_FILE = "milvus.db"


@dataclass(frozen=True)
class IndexSettings:
    """What an index was made with; it stays so.

    Attributes:
        model: what `open_encoder` is given to encode questions.
        identity: what the vectors depend on, as `passage_identity` says; filled in when an index is made.
        dimension: numbers a vector; 0 to ask the model when an index is made.
        backend: ``exact`` or ``milvus``.
        uri: of Milvus: a server's address, or the empty string for a file in the folder.
        collection: of Milvus; empty for a new name.
        words: whether passages are also found by their words, with BM25.
        query_prompt: put before questions; None takes the model's own.
        passage_prompt: put before passages, likewise.
        max_length: tokens after which a text is cut; None keeps the model's own limit.
        precision: the arithmetic of the model.
    """

    model: str
    identity: dict[str, Any] = field(default_factory=dict)
    dimension: int = 0
    backend: str = "exact"
    uri: str = ""
    collection: str = ""
    words: bool = True
    query_prompt: str | None = None
    passage_prompt: str | None = None
    max_length: int | None = None
    precision: str = "float32"

    def as_record(self) -> dict[str, Any]:
        """The settings as they are written down."""
        return {"format": FORMAT, **asdict(self)}


def is_index(folder: Path) -> bool:
    """Tell whether a folder is an index."""
    return (folder / STORE).is_file()


def read_settings(store: PassageStore) -> IndexSettings:
    """Read what an index was made with.

    Raises:
        DataError: it was not made to the end, or by another release.
    """
    about = store.about()
    if "format" not in about:
        raise DataError(f"{store.path}: the index was not begun; run `isogloss index` again")
    if about["format"] != FORMAT:
        raise DataError(
            f"{store.path}: an index of format {about['format']}; this release reads format {FORMAT}: make it anew"
        )
    return IndexSettings(**{name: about[name] for name in IndexSettings.__dataclass_fields__})


def vector_file(folder: Path, store: PassageStore, settings: IndexSettings) -> VectorFile:
    """The file in which the vectors lie now."""
    return VectorFile(folder / f"vectors-{store.about().get('vectors', 0)}.f32", settings.dimension)


def open_milvus(
    folder: Path, settings: IndexSettings, token: str | None = None, *, create: bool = False
) -> MilvusCollection:
    """Open an index's Milvus collection."""
    address = settings.uri if is_server(settings.uri) else str(folder / _MILVUS_FILE)
    return MilvusCollection(address, settings.collection, settings.dimension, create=create, token=token)


def language_means(store: PassageStore, file: VectorFile) -> tuple[list[str], NDArray[np.float32]]:
    """The mean vector of each language's passages.

    Returns:
        The languages, and their means, float32, shape (languages, dimension).
    """
    live = store.live_rows()
    sums = np.zeros((len(live), file.dimension))
    for number, rows in enumerate(live.values()):
        for start in range(0, len(rows.positions), 65_536):
            sums[number] += file.read(rows.positions[start : start + 65_536]).sum(axis=0, dtype=np.float64)
        sums[number] /= len(rows.positions)
    return list(live), sums.astype(np.float32)
