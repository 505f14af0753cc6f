"""What a back end with vectors of its own has to be given, so that they are those of the index."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import numpy as np

from isogloss.search.backend import WritableBackend
from isogloss.search.store import PassageStore
from isogloss.search.vector_file import VectorFile

_AT_ONCE = 4096


def give_staged(
    store: PassageStore, file: VectorFile, backend: WritableBackend, report: Callable[[str, int], None]
) -> None:
    """Put what is staged into a back end."""
    done = 0
    staged = store.staged()
    while part := list(islice(staged, _AT_ONCE)):
        rows, languages, positions = zip(*part, strict=True)
        backend.add(np.array(rows, np.int64), languages, file.read(np.array(positions, np.int64)))
        done += len(part)
        report("milvus", done)
    backend.settle()


def put_back(store: PassageStore, file: VectorFile, backend: WritableBackend) -> None:
    """Make a back end's copy what the index says: a server may have lost some of it, or be a new one."""
    live = store.live_rows()
    if backend.count() == sum(len(one.rows) for one in live.values()):
        return
    there = backend.rows()
    for language, one in live.items():
        missing = np.flatnonzero(~np.isin(one.rows, there, assume_unique=True))
        for start in range(0, len(missing), _AT_ONCE):
            part = missing[start : start + _AT_ONCE]
            backend.add(one.rows[part], [language] * len(part), file.read(one.positions[part]))
    known = [one.rows for one in live.values()]
    if len(strange := np.setdiff1d(there, np.concatenate(known) if known else np.empty(0, np.int64))):
        backend.remove(strange)
    backend.settle()
