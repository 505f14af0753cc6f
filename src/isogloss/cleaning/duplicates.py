"""Items of which another one says the same: exact and near duplicates, of which one item is kept.

A duplicate has the query and the passage of another item in the same language. Many questions about one passage, and
many passages for one question, are none. Items are joined through all their languages, and of those joined the one in
most languages stays, the earlier one where that is equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from isogloss.cleaning.characters import TextArray
from isogloss.cleaning.hashing import mixed, shingles
from isogloss.cleaning.minhash import Banding, band_keys, signatures
from isogloss.cleaning.state import CorpusState

# Of query and passage both: two pairs meet where all rows of a band agree in both. At similarity 0.8 of both that
# happens with probability 0.9998, at 0.7 with 0.99, at 0.5 with 0.64; then the signatures decide.
BANDING = Banding(bands=16, rows=2)
SIGNATURE = 64
DISK_BYTES_PER_RECORD = 4 * BANDING.bands + 2 * SIGNATURE
_PAIRS_AT_ONCE = 1 << 18


def remove_exact_duplicates(state: CorpusState) -> None:
    """Remove the items that have query and passage of another one in the same language."""
    alive = np.flatnonzero(state.kept)
    keys = mixed(mixed(state.query_keys[alive]) ^ state.passage_keys[alive])
    keys ^= mixed(state.languages[alive].astype(np.uint64))
    order = np.argsort(keys, kind="stable")
    same = keys[order][1:] == keys[order][:-1]
    pairs = np.stack([alive[order][:-1][same], alive[order][1:][same]], axis=1)
    _keep_one(state, pairs, np.ones(len(pairs), np.float32), "exact-duplicate")


class SignatureFile:
    """Signatures of the records of a corpus, on disk: 192 bytes a record.

    Args:
        folder: for its files, which are removed with it by whoever made it.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder
        self._files: list[IO[bytes]] = [
            (self._path / f"band-{band}").open("wb") for band in range(BANDING.bands)
        ]
        self._signatures = (self._path / "signatures").open("wb")

    def __enter__(self) -> SignatureFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in (*self._files, self._signatures):
            file.close()

    def add(self, queries: TextArray, passages: TextArray) -> None:
        """Append a batch of records; the texts as `comparable_characters` gives them."""
        of_query = signatures(shingles(queries), SIGNATURE)
        of_passage = signatures(shingles(passages), SIGNATURE)
        used = BANDING.size
        keys = band_keys(of_query[:, :used], BANDING) ^ mixed(band_keys(of_passage[:, :used], BANDING))
        for band, file in enumerate(self._files):
            file.write(mixed(keys[:, band]).astype(np.uint32).tobytes())
        # Eight bits of a value are enough to see whether two agree: by chance they do once in 256 times.
        low = np.concatenate([of_query, of_passage], axis=1).astype(np.uint8)
        self._signatures.write(low.tobytes())

    def remove_near_duplicates(self, state: CorpusState, similarity: float) -> None:
        """Remove the items whose query and passage are each of a similarity to another item's in the same language.

        The similarity is estimated from 64 values of MinHash, with a standard error of 0.05 at 0.8.
        """
        for file in (*self._files, self._signatures):
            file.flush()
        if not len(state):
            return
        low = np.memmap(self._path / "signatures", np.uint8, "r", shape=(len(state), 2, SIGNATURE))
        alive = np.flatnonzero(state.kept)
        edges, values = [], []
        for band in range(BANDING.bands):
            keys = np.fromfile(self._path / f"band-{band}", np.uint32)[alive].astype(np.uint64)
            keys = (keys << np.uint64(16)) | state.languages[alive].astype(np.uint64)
            order = np.argsort(keys, kind="stable")
            for pairs in _neighbours(keys[order], alive[order], state.items):
                estimate = _estimates(low, pairs)
                found = estimate >= similarity
                edges.append(pairs[found])
                values.append(estimate[found])
        if edges:
            _keep_one(state, np.concatenate(edges), np.concatenate(values), "near-duplicate")


def _neighbours(
    keys: NDArray[np.uint64], records: NDArray[np.int64], items: NDArray[np.int32]
) -> Iterator[NDArray[np.int64]]:
    """Pairs of records with one key, in parts: each with the one before it and with the first of its key."""
    new = np.ones(len(keys), np.bool_)
    new[1:] = keys[1:] != keys[:-1]
    firsts = np.flatnonzero(new)[np.cumsum(new) - 1] if len(keys) else np.empty(0, np.int64)
    later = np.flatnonzero(~new)
    for start in range(0, len(later), _PAIRS_AT_ONCE):
        part = later[start : start + _PAIRS_AT_ONCE]
        pairs = np.concatenate(
            [
                np.stack([records[part - 1], records[part]], axis=1),
                np.stack([records[firsts[part]], records[part]], axis=1)[firsts[part] != part - 1],
            ]
        )
        yield pairs[items[pairs[:, 0]] != items[pairs[:, 1]]]


def _estimates(low: NDArray[np.uint8], pairs: NDArray[np.int64]) -> NDArray[np.float32]:
    """The estimated similarity of pairs: the lower of the queries' and the passages'."""
    agreeing = np.empty((len(pairs), 2))
    for start in range(0, len(pairs), _PAIRS_AT_ONCE // 16):
        part = pairs[start : start + _PAIRS_AT_ONCE // 16]
        agreeing[start : start + len(part)] = (low[part[:, 0]] == low[part[:, 1]]).mean(axis=2)
    chance = 1 / 256
    estimates: NDArray[np.float32] = ((agreeing.min(axis=1) - chance) / (1 - chance)).astype(np.float32)
    return estimates


def _keep_one(state: CorpusState, pairs: NDArray[np.int64], values: NDArray[np.float32], rule: str) -> None:
    """Join the items of pairs of records, and remove all of those joined but one.

    Args:
        state: of the corpus.
        pairs: record numbers, shape (pairs, 2).
        values: the similarity of each pair.
        rule: what to say of those removed.
    """
    if not len(pairs):
        return
    count = int(state.items.max()) + 1
    joined = state.items[pairs]
    graph = coo_array((np.ones(len(pairs), np.bool_), (joined[:, 0], joined[:, 1])), shape=(count, count))
    _, components = connected_components(graph, directed=False)
    kept = state.kept
    languages = np.bincount(state.items[kept], minlength=count)
    involved = np.unique(joined)
    # The best of a component comes first: most languages, then the lower number.
    order = involved[np.lexsort((involved, -languages[involved], components[involved]))]
    new = np.ones(len(order), np.bool_)
    new[1:] = components[order][1:] != components[order][:-1]
    best = np.full(count, -1, np.int64)
    best[components[order[new]]] = order[new]
    gone = np.zeros(count, np.bool_)
    gone[order[~new]] = True
    item_value = np.zeros(count, np.float32)
    np.maximum.at(item_value, joined.ravel(), np.repeat(values, 2))
    first_record = np.full(count, -1, np.int64)
    alive = np.flatnonzero(kept)[::-1]
    first_record[state.items[alive]] = alive
    records = np.flatnonzero(kept & gone[state.items])
    items = state.items[records]
    state.remove(records, rule, item_value[items], first_record[best[components[items]]])
