"""What is kept of every record while a corpus is cleaned: some fifty bytes, as arrays, never the texts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

RULES = (
    "kept",
    "invalid",
    "too-short",
    "few-letters",
    "repeated-character",
    "repetition",
    "markup",
    "language",
    "script",
    "repeated-id",
    "exact-duplicate",
    "near-duplicate",
    "untranslated",
    "query-passage-ratio",
    "length-ratio",
    "translation",
    "in-other-split",
    "few-languages",
)
"""The rules in the order in which they are applied; a record is removed by the first one that it breaks."""

NUMBERS = {rule: number for number, rule in enumerate(RULES)}
BYTES_PER_RECORD = 8 + 4 + 2 + 2 + 4 + 4 + 8 + 8 + 1 + 4 + 4


@dataclass
class CorpusState:
    """An entry a record, in the order of the corpus.

    Attributes:
        items: the item's number, by first appearance, int32.
        languages: the language's number in `names`, -1 where the record is invalid, int16; as relabelled.
        found: the number of the language that the text is in, where that is another than the record says; else -1.
        query_lengths: letters and digits in the query, int32; likewise `passage_lengths`.
        query_keys: equal for queries that are the same when compared, uint64; likewise `passage_keys`.
        rules: the number in `RULES` of the rule that removes the record, 0 for kept, uint8.
        values: the figure that the rule went by, float32.
        others: the number of the record that it is like, -1 for none, int32.
        names: the languages.
    """

    items: NDArray[np.int32]
    languages: NDArray[np.int16]
    found: NDArray[np.int16]
    query_lengths: NDArray[np.int32]
    passage_lengths: NDArray[np.int32]
    query_keys: NDArray[np.uint64]
    passage_keys: NDArray[np.uint64]
    rules: NDArray[np.uint8]
    values: NDArray[np.float32]
    others: NDArray[np.int32]
    names: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        """The number of records."""
        return len(self.rules)

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which records no rule has removed so far."""
        kept: NDArray[np.bool_] = self.rules == 0
        return kept

    def remove(
        self,
        records: NDArray[np.integer],
        rule: str,
        values: NDArray[np.floating] | float,
        others: NDArray[np.integer] | int = -1,
    ) -> None:
        """Remove records that are still kept, for a rule and the figures it went by."""
        still = self.rules[records] == 0
        chosen = records[still]
        self.rules[chosen] = NUMBERS[rule]
        self.values[chosen] = values if np.isscalar(values) else np.asarray(values)[still]
        self.others[chosen] = others if np.isscalar(others) else np.asarray(others)[still]


@dataclass
class StateBuilder:
    """Collects the state batch by batch."""

    parts: dict[str, list[NDArray[np.generic]]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, language: str) -> int:
        """The number of a language."""
        return self.numbers.setdefault(language, len(self.numbers))

    def add(self, **columns: NDArray[np.generic]) -> None:
        """Append a batch; `items` as 64-bit keys of the ids."""
        for name, values in columns.items():
            self.parts.setdefault(name, []).append(values)

    def finish(self) -> CorpusState:
        """The state of all batches."""

        def joined(name: str, kind: type[np.generic]) -> NDArray[np.generic]:
            values = self.parts.pop(name, [])
            return np.concatenate(values).astype(kind) if values else np.empty(0, kind)

        keys = joined("items", np.uint64)
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        ranks = np.empty(len(first), np.int32)
        ranks[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
        kinds: dict[str, type[np.generic]] = {
            "languages": np.int16,
            "found": np.int16,
            "query_lengths": np.int32,
            "passage_lengths": np.int32,
            "query_keys": np.uint64,
            "passage_keys": np.uint64,
            "rules": np.uint8,
            "values": np.float32,
        }
        columns = {name: joined(name, kind) for name, kind in kinds.items()}
        return CorpusState(
            items=ranks[inverse],
            others=np.full(len(keys), -1, np.int32),
            names=list(self.numbers),
            **columns,  # type: ignore[arg-type]
        )
