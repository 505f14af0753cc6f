"""Vectors that lie in shards on disk, taken by their numbers; products of pairs of them."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from isogloss.encoding.shards import ShardFolder

_SHARDS_OPEN = 64
_PRODUCT_BYTES = 1 << 25


class DiskVectors:
    """Rows of the vectors of a finished `ShardFolder`.

    Args:
        shards: the folder; every shard is there.
    """

    def __init__(self, shards: ShardFolder) -> None:
        self._shards = shards
        self._open: OrderedDict[int, NDArray[np.float32]] = OrderedDict()
        self.dimension = int(shards.vectors(0).shape[1])

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Copy rows, (n,), into memory: float32, (n, dimension).

        Raises:
            DataError: a shard is damaged.
        """
        taken = np.empty((len(rows), self.dimension), np.float32)
        number, place = np.divmod(rows, self._shards.shard_passages)
        # In ascending order, so that each shard is opened once and read forwards.
        order = np.argsort(rows, kind="stable")
        numbers, starts = np.unique(number[order], return_index=True)
        for shard, part in zip(numbers.tolist(), np.split(order, starts[1:]), strict=True):
            taken[part] = self._shard(shard)[place[part]]
        return taken

    def _shard(self, number: int) -> NDArray[np.float32]:
        shard = self._open.pop(number, None)
        if shard is None:
            shard = self._shards.vectors(number)
            if len(self._open) >= _SHARDS_OPEN:
                self._open.popitem(last=False)
        self._open[number] = shard
        return shard


def pair_scores(
    queries: NDArray[np.float32],
    query_rows: NDArray[np.int64],
    passages: DiskVectors,
    passage_rows: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Dot products of pairs in double precision; equal vectors have equal scores, whatever stands beside them.

    Args:
        queries: (Q, d) vectors.
        query_rows: (n,) rows of them.
        passages: vectors on disk.
        passage_rows: (n,) rows of them.

    Returns:
        (n,) float64.
    """
    scores = np.empty(len(query_rows), np.float64)
    step = max(1, _PRODUCT_BYTES // (8 * passages.dimension))
    for start in range(0, len(scores), step):
        some = slice(start, start + step)
        products = queries[query_rows[some]].astype(np.float64)
        products *= passages.take(passage_rows[some])
        products.sum(axis=1, out=scores[some])
    return scores
