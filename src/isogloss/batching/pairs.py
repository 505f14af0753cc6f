"""A pair is an integer: any (query, passage) pairing of parallel items, without writing it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isogloss.batching.data import PlanningData
from isogloss.errors import PlanError

_LARGEST = int(np.iinfo(np.int64).max)


@dataclass(frozen=True)
class PairSpace:
    """The integers that stand for pairs: `item * L * L + query language * L + passage language`.

    Items are numbered through all datasets, one dataset after the other; languages are numbered by their
    place in `languages`. L is the number of languages.

    Attributes:
        languages: Language codes, all different.
        dataset_sizes: Number of items of each dataset, in order.

    Raises:
        PlanError: The largest pair would not fit in int64.

    Examples:
        >>> space = PairSpace(("de", "en"), (10, 5))
        >>> space.encode([12], [0], [1]).tolist()
        [49]
        >>> [part.tolist() for part in space.decode([49])]
        [[12], [0], [1]]
        >>> [part.tolist() for part in space.locate([49])]
        [[1], [2], [0], [1]]
    """

    languages: tuple[str, ...]
    dataset_sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "languages", tuple(self.languages))
        object.__setattr__(self, "dataset_sizes", tuple(int(size) for size in self.dataset_sizes))
        if len(set(self.languages)) != len(self.languages):
            raise PlanError(f"languages: one is named twice in {', '.join(self.languages)}; name each once.")
        if self.size - 1 > _LARGEST:
            raise PlanError(
                f"{self.items} items in {len(self.languages)} languages make {self.size} pairs, more than a "
                f"64-bit integer can number ({_LARGEST}); use fewer items or languages."
            )

    @classmethod
    def of(cls, datasets: Sequence[PlanningData]) -> PairSpace:
        """The space over the sorted union of the datasets' languages and all their items."""
        languages = sorted({language for data in datasets for language in data.languages})
        return cls(tuple(languages), tuple(len(data) for data in datasets))

    @property
    def items(self) -> int:
        """Number of items of all datasets together."""
        return sum(self.dataset_sizes)

    @property
    def size(self) -> int:
        """Number of integers in the space; pairs run from 0 to size - 1."""
        return self.items * len(self.languages) ** 2

    @property
    def dataset_starts(self) -> tuple[int, ...]:
        """Number of the first item of each dataset."""
        starts = [0]
        for size in self.dataset_sizes:
            starts.append(starts[-1] + size)
        return tuple(starts[:-1])

    def encode(
        self, items: ArrayLike, query_languages: ArrayLike, passage_languages: ArrayLike
    ) -> NDArray[np.int64]:
        """Number pairs.

        Args:
            items: Item numbers through all datasets, integers of any shape.
            query_languages: Places in `languages`, same shape or one that broadcasts.
            passage_languages: Places in `languages`, same shape or one that broadcasts.

        Returns:
            int64 of the broadcast shape.

        Raises:
            PlanError: An item or a language lies outside the space.
        """
        count = len(self.languages)
        item = _within(items, self.items, "item")
        query = _within(query_languages, count, "query language")
        passage = _within(passage_languages, count, "passage language")
        return np.asarray((item * count + query) * count + passage, dtype=np.int64)

    def decode(self, pairs: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Take pairs apart: (items through all datasets, query languages, passage languages), int64.

        Raises:
            PlanError: A pair lies outside the space.
        """
        count = len(self.languages)
        rest, passage = np.divmod(_within(pairs, self.size, "pair"), max(count, 1))
        item, query = np.divmod(rest, max(count, 1))
        return item, query, passage

    def locate(
        self, pairs: ArrayLike
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Like `decode`, with the item as (dataset, item within that dataset) in front.

        Raises:
            PlanError: A pair lies outside the space.
        """
        item, query, passage = self.decode(pairs)
        starts = np.asarray(self.dataset_starts, dtype=np.int64)
        # The last start at or below the item: empty datasets, which share a start with the next, are passed.
        dataset = np.searchsorted(starts, item, side="right").astype(np.int64) - 1
        return dataset, item - starts[dataset], query, passage


def _within(values: ArrayLike, size: int, what: str) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.dtype.kind not in "iu" and array.size:
        raise PlanError(f"{what}: {array.dtype} given; pairs are made of integers.")
    if array.size and (array.min() < 0 or array.max() >= size):
        wrong = array[(array < 0) | (array >= size)].flat[0]
        raise PlanError(f"{what} {wrong} is outside the pair space, which has 0 to {size - 1}.")
    return array.astype(np.int64, copy=False)
