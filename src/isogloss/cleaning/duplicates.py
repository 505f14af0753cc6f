"""Items of which another one says the same: exact and near duplicates, of which one item is kept.

A duplicate has the query and the passage of another item in the same language. Many questions about one passage, and
many passages for one question, are none. Items are joined through all their languages, and of those joined the one in
most languages stays, the earlier one where that is equal.

Near duplicates are looked for among the records of a language that agree in a band of their signatures. Of up to
`CROWD` such records every pair is compared. More of them, as one template makes, are brought into the order of further
values of their signatures, in which the likest stand together, and each is compared with the `WINDOW` after it: the
work stays linear in the records, and what is missed in one band has fifteen others with other orders.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np
from numpy.typing import NDArray

from isogloss.cleaning.characters import TextArray
from isogloss.cleaning.hashing import mixed, shingles
from isogloss.cleaning.joined_items import JoinedItems
from isogloss.cleaning.minhash import Banding, band_keys, signatures
from isogloss.cleaning.state import CorpusState

# Of query and passage both: two pairs meet where all rows of a band agree in both. At similarity 0.8 of both that
# happens with probability 0.9998, at 0.7 with 0.99, at 0.5 with 0.64; then the signatures decide.
BANDING = Banding(bands=16, rows=2)
SIGNATURE = 64
DISK_BYTES_PER_RECORD = 4 * BANDING.bands + 2 * SIGNATURE
CROWD, WINDOW = 64, 8
_ORDERING = 8
"""Further values of query and passage each that records of a band are ordered by, where they are many."""
_PAIRS_AT_ONCE = 1 << 14


def remove_exact_duplicates(state: CorpusState) -> None:
    """Remove the items that have query and passage of another one in the same language."""
    alive = np.flatnonzero(state.kept)
    keys = mixed(mixed(state.query_keys[alive]) ^ state.passage_keys[alive])
    keys ^= mixed(state.languages[alive].astype(np.uint64))
    order = np.argsort(keys, kind="stable")
    same = np.flatnonzero(keys[order][1:] == keys[order][:-1])
    joined = _no_items_joined(state)
    joined.join(state.items[alive[np.stack([order[same], order[same + 1]], axis=1)]], 1.0)
    _keep_one(state, joined, "exact-duplicate")


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
        low = np.memmap(self._path / "signatures", np.uint8, "r", shape=(len(state), 2 * SIGNATURE))
        joined = _no_items_joined(state)
        for band in range(BANDING.bands):
            records, ends = _meeting(np.fromfile(self._path / f"band-{band}", np.uint32), state)
            _order_crowds(records, ends, low, band)
            for pairs in _neighbours(records, ends):
                items = state.items[pairs]
                # Of a group that is known to be one, no further pair needs a look.
                open_ones = joined.roots(items[:, 0]) != joined.roots(items[:, 1])
                open_ones &= state.languages[pairs[:, 0]] == state.languages[pairs[:, 1]]
                found, estimates = _alike(low, pairs[open_ones], similarity)
                joined.join(items[open_ones][found], estimates)
        _keep_one(state, joined, "near-duplicate")


def _meeting(keys: NDArray[np.uint32], state: CorpusState) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The records whose key another one has, those of a key one after the other, and where each one's key ends.

    Args:
        keys: of a band, an entry a record. Records of two languages are told apart but for one pair in 2**32.
        state: of the corpus; what is removed already meets nothing.
    """
    alive = np.flatnonzero(state.kept)
    of_language = mixed(np.arange(len(state.names) + 1, dtype=np.uint64)).astype(np.uint32)
    # Key and record in one number, which is sorted many times faster than their order is found.
    both = (keys[alive] ^ of_language[state.languages[alive]]).astype(np.uint64) << np.uint64(32)
    both |= alive.astype(np.uint64)
    both.sort()
    upper = (both >> np.uint64(32)).astype(np.uint32)
    same = upper[1:] == upper[:-1]
    meeting = np.zeros(len(both), np.bool_)
    meeting[1:] = same
    meeting[:-1] |= same
    upper = upper[meeting]
    ends = np.append(np.flatnonzero(upper[1:] != upper[:-1]) + 1, len(upper))
    ends = np.repeat(ends, np.diff(ends, prepend=0))
    return (both[meeting] & np.uint64(0xFFFFFFFF)).astype(np.int64), ends


def _order_crowds(
    records: NDArray[np.int64], ends: NDArray[np.int64], low: NDArray[np.uint8], band: int
) -> None:
    """Bring the records of a crowd into the order of further values, in place."""
    places = np.flatnonzero(_crowded(ends))
    if not len(places):
        return
    # Other values first in every band, so that two records are not kept apart by the same one everywhere.
    further = (BANDING.size + (_ORDERING + 1) * band + np.arange(_ORDERING)) % SIGNATURE
    columns = np.stack([further, SIGNATURE + further], axis=1).ravel()
    first, second = low[records[places][:, None], columns].view(">u8").T
    records[places] = records[places[np.lexsort((second, first, ends[places]))]]


def _neighbours(records: NDArray[np.int64], ends: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Pairs of records with one key, in a crowd of each with the `WINDOW` after it; nearest first, in parts."""
    places = np.arange(len(records))
    for step in range(1, CROWD):
        places = places[places + step < ends[places]]
        if step == WINDOW + 1:
            places = places[~_crowded(ends)[places]]
        if not len(places):
            return
        for start in range(0, len(places), _PAIRS_AT_ONCE):
            part = places[start : start + _PAIRS_AT_ONCE]
            yield np.stack([records[part], records[part + step]], axis=1)


def _crowded(ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    crowded: NDArray[np.bool_] = ends - np.searchsorted(ends, ends) > CROWD
    return crowded


def _alike(
    low: NDArray[np.uint8], pairs: NDArray[np.int64], similarity: float
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Which pairs reach a similarity in queries and passages, and the lower of both."""
    chance = 1 / 256
    least = (similarity * (1 - chance) + chance) * SIGNATURE
    half = SIGNATURE // 2
    # Half of the passages' values tell that most of those in a crowd cannot.
    agreeing = _agreeing(low[:, -half:], pairs)
    found = np.flatnonzero(agreeing + half >= least)
    sides = (low[:, :SIGNATURE], low[:, SIGNATURE:])
    agreeing = np.minimum(*(_agreeing(side, pairs[found]) for side in sides))
    enough = agreeing >= least
    estimates = (agreeing[enough] / SIGNATURE - chance) / (1 - chance)
    return found[enough], estimates.astype(np.float32)


def _agreeing(values: NDArray[np.uint8], pairs: NDArray[np.int64]) -> NDArray[np.uint64]:
    """In how many of their values records of pairs agree: of up to 64 values, a power of two."""
    equal = (values[pairs[:, 0]] == values[pairs[:, 1]]).view(np.uint64)
    # Eight truth values in a number, a byte each, are added up at once.
    while half := equal.shape[1] // 2:
        equal = equal[:, :half] + equal[:, half:]
    agreeing: NDArray[np.uint64] = (equal[:, 0] * np.uint64(0x0101010101010101)) >> np.uint64(56)
    return agreeing


def _no_items_joined(state: CorpusState) -> JoinedItems:
    return JoinedItems(int(state.items.max(initial=-1)) + 1)


def _keep_one(state: CorpusState, joined: JoinedItems, rule: str) -> None:
    """Remove all items of each group but one; `rule` is what to say of those removed."""
    groups = joined.groups()
    count = len(groups)
    kept = state.kept
    languages = np.bincount(state.items[kept], minlength=count)
    involved = np.flatnonzero(np.bincount(groups, minlength=count)[groups] > 1)
    # The best of a group comes first: most languages, then the lower number.
    order = involved[np.lexsort((involved, -languages[involved], groups[involved]))]
    new = np.ones(len(order), np.bool_)
    new[1:] = groups[order][1:] != groups[order][:-1]
    best = np.full(count, -1, np.int64)
    best[groups[order[new]]] = order[new]
    gone = np.zeros(count, np.bool_)
    gone[order[~new]] = True
    first_record = np.full(count, -1, np.int64)
    alive = np.flatnonzero(kept)[::-1]
    first_record[state.items[alive]] = alive
    records = np.flatnonzero(kept & gone[state.items])
    items = state.items[records]
    state.remove(records, rule, joined.values[items], first_record[best[groups[items]]])
