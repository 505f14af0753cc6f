"""Is a text the translation of the item's text in another language? Judged by the similarity of their vectors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from isogloss.cleaning.state import CorpusState
from isogloss.encoding.encoder import Encoder, Side

_SIDES: tuple[Side, Side] = ("query", "passage")
_PAIRS_AT_ONCE = 1 << 14
# A threshold is a quantile of at most so many shuffled pairs; fewer than the second say nothing.
_MOST_SHUFFLED, _FEWEST_SHUFFLED = 20_000, 20


@dataclass(frozen=True)
class Threshold:
    """The similarity that a language's texts had to reach, and how it came about.

    Attributes:
        language: compared with the reference language.
        side: query or passage.
        similarity: the threshold.
        pairs: true pairs compared.
        median: the median similarity of the true pairs.
        shuffled_median: of the shuffled pairs; None where the threshold was given.
    """

    language: str
    side: str
    similarity: float
    pairs: int
    median: float
    shuffled_median: float | None


class VectorFile:
    """The vectors of the records of a corpus, on disk as half-precision floats.

    Args:
        encoder: gives the vectors.
        folder: for its files, which are removed with it by whoever made it.
    """

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        self._encoder = encoder
        self._files = {side: (folder / f"{side}-vectors").open("wb") for side in _SIDES}
        self._dimension = 0

    def __enter__(self) -> VectorFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files.values():
            file.close()

    def add(self, queries: list[str], passages: list[str], languages: list[str]) -> None:
        """Encode and append a batch of records."""
        for side, texts in zip(_SIDES, (queries, passages), strict=True):
            vectors = self._encoder.encode(texts, side, languages=languages)
            self._dimension = vectors.shape[1]
            self._files[side].write(vectors.astype(np.float16).tobytes())

    def remove_bad_translations(
        self, state: CorpusState, similarity: float | None, false_positive_rate: float, seed: int = 0
    ) -> list[Threshold]:
        """Remove versions that are not similar enough to their item in the reference language.

        The reference is the corpus's most frequent language. Where no similarity is given, that of a language and side
        is the one that a share `false_positive_rate` of shuffled pairs (the item of one, the reference of another)
        reaches; of a language with fewer than twenty pairs nothing is removed.

        Returns:
            The thresholds.
        """
        thresholds: list[Threshold] = []
        kept = np.flatnonzero(state.kept)
        if not len(kept):
            return thresholds
        for file in self._files.values():
            file.flush()
        reference = int(np.bincount(state.languages[kept]).argmax())
        reference_record = np.full(int(state.items.max()) + 1, -1, np.int64)
        mine = kept[state.languages[kept] == reference]
        reference_record[state.items[mine]] = mine
        generator = np.random.default_rng(seed)
        for language in np.unique(state.languages[kept]).tolist():
            if language == reference:
                continue
            records = kept[state.languages[kept] == language]
            others = reference_record[state.items[records]]
            records, others = records[others >= 0], others[others >= 0]
            for side in _SIDES:
                made = self._judge(
                    state, records, others, language, side, similarity, false_positive_rate, generator
                )
                thresholds += [made] if made else []
        return thresholds

    def _judge(
        self,
        state: CorpusState,
        records: NDArray[np.int64],
        others: NDArray[np.int64],
        language: int,
        side: Side,
        similarity: float | None,
        rate: float,
        generator: np.random.Generator,
    ) -> Threshold | None:
        if not len(records) or (similarity is None and len(records) < _FEWEST_SHUFFLED):
            return None
        vectors = np.memmap(self._files[side].name, np.float16, "r").reshape(-1, self._dimension)
        found = _cosines(vectors, records, others)
        shuffled_median = None
        if similarity is None:
            chosen = generator.permutation(len(records))[:_MOST_SHUFFLED]
            # A cyclic shift of a random order pairs nothing with itself.
            shuffled = _cosines(vectors, records[chosen], others[np.roll(chosen, 1)])
            similarity = float(np.quantile(shuffled, 1 - rate))
            shuffled_median = float(np.median(shuffled))
        low = found < similarity
        state.remove(records[low], "translation", found[low], others[low])
        return Threshold(
            state.names[language], side, similarity, len(records), float(np.median(found)), shuffled_median
        )


def _cosines(
    vectors: NDArray[np.float16], one: NDArray[np.int64], other: NDArray[np.int64]
) -> NDArray[np.float32]:
    cosines = np.empty(len(one), np.float32)
    for start in range(0, len(one), _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        products = vectors[one[part]].astype(np.float32) * vectors[other[part]].astype(np.float32)
        cosines[part] = products.sum(axis=1)
    return cosines
