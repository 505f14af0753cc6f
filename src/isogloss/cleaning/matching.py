"""Finds evaluation texts among training texts: the same, contained, or nearly the same.

Texts are compared in the form of `comparable_characters`. An evaluation text and a training text match where

    exact           they are the same;
    contained       runs of `ngram` words that both have cover `coverage` of the words of the shorter one, or a shorter
                    evaluation text stands in the training text as a whole;
    near-duplicate  the Jaccard similarity of their shingles reaches `similarity`.

A word is a character where the script has no spaces; there a run is of `characters`. Evaluation texts of fewer than
`min_characters` only match the whole of a text on their own side (query or passage).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isogloss.cleaning.characters import (
    DENSE,
    SPACELESS,
    TextArray,
    comparable_characters,
    flags_of,
    starts_of,
    sums,
)
from isogloss.cleaning.evaluation_texts import EvaluationTexts
from isogloss.cleaning.hashing import mixed, ranges, run_hashes, shingles, units
from isogloss.cleaning.minhash import Banding, KeyTable, band_keys, jaccard, signatures

KINDS = ("id", "exact", "contained", "near-duplicate", "embedding")
"""How a training item can match an evaluation text, the surest first."""

_BASE = np.uint64(0xD1B54A32D192ED03)


@dataclass(frozen=True)
class MatchingOptions:
    """What counts as a match; see the module.

    Attributes:
        ngram: words a run. 8, with a coverage of 0.7, is what PaLM (Chowdhery et al. 2022) was checked with; GPT-3
            (Brown et al. 2020) with 13.
        characters: characters a run in scripts without spaces.
        coverage: share of the shorter text's words; above 1 leaves containment out.
        similarity: Jaccard similarity; None leaves near-duplicates out.
        min_characters: letters and digits, one of a dense script counting for two.
    """

    ngram: int = 8
    characters: int = 16
    coverage: float = 0.7
    similarity: float | None = 0.55
    min_characters: int = 20


@dataclass(frozen=True, slots=True)
class Match:
    """A training text that is an evaluation text.

    Attributes:
        text: the number of the training text.
        evaluation: the number of the evaluation text.
        kind: one of `KINDS`.
        value: 1, the share of words covered, or the similarity.
    """

    text: int
    evaluation: int
    kind: str
    value: float


class EvaluationIndex:
    """Evaluation texts, prepared for looking training texts up.

    Args:
        texts: the evaluation texts.
        options: what counts as a match.
    """

    # A text of similarity 0.55 is met with probability 0.99, of 0.5 with 0.96.
    banding = Banding(bands=24, rows=3)

    def __init__(self, texts: EvaluationTexts, options: MatchingOptions) -> None:
        self.texts = texts
        self.options = options
        characters = comparable_characters(texts.texts)
        dense = sums((flags_of(characters.values) & DENSE) != 0, characters.starts)
        long = characters.lengths + dense >= options.min_characters
        filled = np.flatnonzero(characters.lengths)
        self._long = long
        self._is_query = np.array([side == "query" for side in texts.sides], np.bool_)
        self._exact = KeyTable.of(run_hashes(characters)[filled], filled)
        words = units(characters)
        self._lengths = words.lengths
        self._runs = _Runs.of(words, _sizes(characters, words, options), np.flatnonzero(long))
        self._near: KeyTable | None = None
        if options.similarity is not None:
            # The short ones are out: as near duplicates they would match anything.
            chosen = np.flatnonzero(long)
            pieces = shingles(_taken(characters, chosen))
            self._shingles = pieces
            self._place = np.full(len(texts), -1, np.int64)
            self._place[chosen] = np.arange(len(chosen))
            keys = band_keys(signatures(pieces, self.banding.size), self.banding)
            self._near = KeyTable.of(keys.ravel(), np.repeat(chosen, self.banding.bands))

    def find(self, texts: Sequence[str], are_queries: NDArray[np.bool_]) -> list[Match]:
        """Match training texts; of each, the surest match with each evaluation text that it matches.

        Args:
            texts: training texts.
            are_queries: which of them are queries, shape (texts,).
        """
        characters = comparable_characters(texts)
        found: dict[tuple[int, int], Match] = {}
        for match in self._exactly(characters, are_queries):
            found.setdefault((match.text, match.evaluation), match)
        if self.options.coverage <= 1:
            for match in self._contained(characters):
                found.setdefault((match.text, match.evaluation), match)
        if self._near is not None:
            for match in self._nearly(characters, self._near):
                found.setdefault((match.text, match.evaluation), match)
        return list(found.values())

    def _exactly(self, characters: TextArray, are_queries: NDArray[np.bool_]) -> list[Match]:
        filled = np.flatnonzero(characters.lengths)
        wanted, entries = self._exact.find(run_hashes(characters)[filled])
        numbers = filled[wanted]
        sound = self._long[entries] | (self._is_query[entries] == are_queries[numbers])
        pairs = zip(numbers[sound].tolist(), entries[sound].tolist(), strict=True)
        return [Match(number, entry, "exact", 1.0) for number, entry in pairs]

    def _contained(self, characters: TextArray) -> list[Match]:
        words = units(characters)
        numbers, entries, covered = self._runs.find(words)
        shorter = np.minimum(words.lengths[numbers], self._lengths[entries])
        shares = covered / np.maximum(shorter, 1)
        enough = shares >= self.options.coverage
        return [
            Match(number, entry, "contained", share)
            for number, entry, share in zip(
                numbers[enough].tolist(), entries[enough].tolist(), shares[enough].tolist(), strict=True
            )
        ]

    def _nearly(self, characters: TextArray, table: KeyTable) -> list[Match]:
        assert self.options.similarity is not None
        pieces = shingles(characters)
        keys = band_keys(signatures(pieces, self.banding.size), self.banding)
        keys = keys[characters.lengths > 0]
        wanted, entries = table.find(keys.ravel())
        numbers = np.flatnonzero(characters.lengths)[wanted // self.banding.bands]
        pairs = np.unique(np.stack([numbers, entries], axis=1), axis=0)
        matches = []
        for number, entry in pairs.tolist():
            mine, other = np.unique(pieces[number]), np.unique(self._shingles[int(self._place[entry])])
            if min(len(mine), len(other)) < self.options.similarity * max(len(mine), len(other)):
                continue
            similarity = jaccard(mine, other)
            if similarity >= self.options.similarity:
                matches.append(Match(number, entry, "near-duplicate", similarity))
        return matches


@dataclass(frozen=True)
class _Runs:
    """Runs of words of the evaluation texts, by their length.

    Attributes:
        tables: for each length of a run, the runs; a place is text * 2**32 + the run's first word.
    """

    tables: dict[int, KeyTable]

    @classmethod
    def of(cls, words: TextArray, sizes: NDArray[np.int64], chosen: NDArray[np.int64]) -> _Runs:
        """All runs of a text's size in the texts chosen; a shorter text is one run."""
        lengths = words.lengths
        own = np.minimum(sizes, lengths)
        tables = {}
        for size, runs in _growing_runs(words.values, int(own[chosen].max(initial=0))):
            mine = chosen[own[chosen] == size]
            if not len(mine):
                continue
            counts = lengths[mine] - size + 1
            places = ranges(np.zeros(len(mine), np.int64), counts) + (np.repeat(mine, counts) << 32)
            tables[size] = KeyTable.of(runs[ranges(words.starts[mine], counts)], places)
        return cls(tables)

    def find(self, words: TextArray) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Pairs of a text and an evaluation text with common runs, and how many words of either these cover.

        Of the two counts the lower one: a phrase that one says once does not cover what the other says of it ten times.
        """
        owners = np.repeat(np.arange(len(words)), words.lengths)
        ends = words.starts[1:][owners]
        begins, places, sizes = [], [], []
        for size, hashes in _growing_runs(words.values, max(self.tables, default=0)):
            if size not in self.tables:
                continue
            starts, found = self.tables[size].find(hashes)
            inside = starts + size <= ends[starts]
            begins.append(starts[inside])
            places.append(found[inside])
            sizes.append(np.full(len(places[-1]), size))
        if not begins:
            empty = np.empty(0, np.int64)
            return empty, empty, empty
        begin, place, length = np.concatenate(begins), np.concatenate(places), np.concatenate(sizes)
        numbers, entries = owners[begin], place >> 32
        of_evaluation = _covered(numbers, entries, place & 0xFFFFFFFF, length)
        of_text = _covered(numbers, entries, begin, length)
        return *of_text[:2], np.minimum(of_text[2], of_evaluation[2])


def _covered(
    numbers: NDArray[np.int64], entries: NDArray[np.int64], words: NDArray[np.int64], sizes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Join runs, by their first words, into the words they cover; a pair of texts has runs of one size."""
    order = np.lexsort((words, entries, numbers))
    numbers, entries, words, sizes = numbers[order], entries[order], words[order], sizes[order]
    new = np.ones(len(numbers), np.bool_)
    new[1:] = (numbers[1:] != numbers[:-1]) | (entries[1:] != entries[:-1])
    fresh = sizes.copy()
    fresh[1:] = np.where(new[1:], sizes[1:], np.minimum(sizes[1:], words[1:] - words[:-1]))
    firsts = np.flatnonzero(new)
    covered = np.add.reduceat(fresh, firsts) if len(firsts) else np.empty(0, np.int64)
    return numbers[firsts], entries[firsts], covered


def _growing_runs(words: NDArray[np.uint64], most: int) -> Iterator[tuple[int, NDArray[np.uint64]]]:
    """The hashes of all runs of one word, of two, ... and of `most`; each made of those before."""
    values = mixed(words)
    hashes = np.zeros(len(values), np.uint64)
    for size in range(1, min(most, len(values)) + 1):
        # Those that would reach beyond the last word are dropped.
        hashes = hashes[: len(values) - size + 1] * _BASE + values[size - 1 :]
        yield size, hashes


def _sizes(characters: TextArray, words: TextArray, options: MatchingOptions) -> NDArray[np.int64]:
    """The length of each text's runs: by what most of its words are."""
    alone = sums((flags_of(characters.values) & SPACELESS) != 0, characters.starts)
    return np.where(2 * alone > words.lengths, options.characters, options.ngram).astype(np.int64)


def _taken(texts: TextArray, chosen: NDArray[np.int64]) -> TextArray:
    lengths = texts.lengths[chosen]
    return TextArray(texts.values[ranges(texts.starts[chosen], lengths)], starts_of(lengths))
