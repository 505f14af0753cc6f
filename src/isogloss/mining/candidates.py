"""What negatives are looked for among: each language's distinct passages, and whose right answers they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from isogloss.corpus import ParallelCorpus
from isogloss.corpus.grouping import text_keys
from isogloss.corpus.passages import Passage

_SLICE = 8192


@dataclass(frozen=True)
class Versions:
    """The language versions of a corpus, numbered item by item and, in an item, by language.

    Attributes:
        item: (V,) int64, ascending.
        language: (V,) int64, the column of `corpus.languages`.
        row: (V,) int64, the row in `corpus.stored`.
        query: (V,) int64, the number of the query's text; numbered by first appearance.
        first: (queries,) int64, the first version with each query text.
    """

    item: NDArray[np.int64]
    language: NDArray[np.int64]
    row: NDArray[np.int64]
    query: NDArray[np.int64]
    first: NDArray[np.int64]

    def __len__(self) -> int:
        """The number of versions."""
        return len(self.item)


@dataclass(frozen=True)
class Candidates:
    """Distinct texts of each language, numbered language by language, passages before negatives, then by row.

    Texts are compared as everywhere: Unicode form, white space and letter case make no difference.

    Attributes:
        starts: (L + 1,) int64: those of language l are numbered from starts[l] to before starts[l + 1].
        row: (C,) int64, the row in `corpus.stored` that holds the text.
        place: (C,) int64, -1 where it is the row's passage, else its place in the row's negatives.
        key: (C,) uint64, of the text as it is compared.
        text: (C,) int64, the number of the text to the letter, whose vector is the candidate's.
        first: (texts,) int64, the first candidate with each text.
        owner: (C,) int64, the item that it is a passage of (of several the one in most languages), -1 where none is.
        group: (C,) int64, the group of items that it is a right answer for, -1 where there is none.
        of_item: (items, L) int64, the item's passage in each language, -1 where it has none.
    """

    starts: NDArray[np.int64]
    row: NDArray[np.int64]
    place: NDArray[np.int64]
    key: NDArray[np.uint64]
    text: NDArray[np.int64]
    first: NDArray[np.int64]
    owner: NDArray[np.int64]
    group: NDArray[np.int64]
    of_item: NDArray[np.int64]

    def __len__(self) -> int:
        """The number of candidates."""
        return len(self.row)

    def language(self, candidates: NDArray[np.int64]) -> NDArray[np.int64]:
        """The languages of candidates, as columns."""
        return np.searchsorted(self.starts, candidates, side="right") - 1


def survey(corpus: ParallelCorpus, *, with_negatives: bool, by_language: bool) -> tuple[Versions, Candidates]:
    """Number the versions and the candidates of a corpus; no text is kept.

    Args:
        corpus: the corpus.
        with_negatives: whether its `negatives` are candidates besides its passages.
        by_language: whether a text in two languages is two texts to the encoder.
    """
    items, columns = np.nonzero(np.asarray(corpus.rows) >= 0)
    items, columns = items.astype(np.int64), columns.astype(np.int64)
    rows = np.asarray(corpus.rows)[items, columns].astype(np.int64)
    seen = _read_keys(corpus, rows, items, columns, with_negatives, by_language)
    query, first = _numbered(seen.query[rows])
    versions = Versions(items, columns, rows, query, first)
    return versions, _candidates(corpus, seen)


def query_texts(corpus: ParallelCorpus, versions: Versions) -> Iterator[Passage]:
    """The distinct queries in the order of their numbers, in the form in which shards take texts."""
    for number, version in enumerate(versions.first.tolist()):
        language = corpus.languages[versions.language[version]]
        yield Passage(str(number), corpus.stored.value("query", int(versions.row[version])), language)


def candidate_texts(corpus: ParallelCorpus, candidates: Candidates) -> Iterator[Passage]:
    """The distinct texts of candidates in the order of their numbers, in the form in which shards take texts."""
    languages = candidates.language(candidates.first).tolist()
    for number, (candidate, column) in enumerate(zip(candidates.first.tolist(), languages, strict=True)):
        yield Passage(str(number), candidate_text(corpus, candidates, candidate), corpus.languages[column])


def candidate_text(corpus: ParallelCorpus, candidates: Candidates, candidate: int) -> str:
    """The text of a candidate."""
    row, place = int(candidates.row[candidate]), int(candidates.place[candidate])
    value = corpus.stored.value("passage" if place < 0 else "negatives", row)
    return str(value if place < 0 else value[place])


@dataclass(frozen=True)
class _Seen:
    """Keys of a corpus's texts: of queries by row, of passages and negatives one an occurrence."""

    query: NDArray[np.uint64]
    language: NDArray[np.int64]
    item: NDArray[np.int64]
    row: NDArray[np.int64]
    place: NDArray[np.int64]
    key: NDArray[np.uint64]
    exact: NDArray[np.uint64]


def _read_keys(
    corpus: ParallelCorpus,
    rows: NDArray[np.int64],
    items: NDArray[np.int64],
    columns: NDArray[np.int64],
    with_negatives: bool,
    by_language: bool,
) -> _Seen:
    item_of_row = np.full(len(corpus.stored), -1, np.int64)
    column_of_row = np.zeros(len(corpus.stored), np.int64)
    item_of_row[rows], column_of_row[rows] = items, columns
    queries = np.zeros(len(corpus.stored), np.uint64)
    found: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64], NDArray[np.uint64]]] = []

    def exact(texts: list[str], at: NDArray[np.int64]) -> NDArray[np.uint64]:
        prefixes = [corpus.languages[column] for column in column_of_row[at]] if by_language else None
        return _exact_keys(texts, prefixes)

    for start, batch in _slices(corpus):
        batch_rows = np.arange(start, start + batch.num_rows)
        there = item_of_row[batch_rows] >= 0
        batch, batch_rows = batch.filter(pa.array(there)), batch_rows[there]
        queries[batch_rows] = exact(batch["query"].to_pylist(), batch_rows)
        texts = batch["passage"].to_pylist()
        found.append((batch_rows, np.full(len(texts), -1), text_keys(texts), exact(texts, batch_rows)))
        if with_negatives:
            lists = batch["negatives"].to_pylist()
            counts = np.array([len(one) for one in lists], np.int64)
            places = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            texts, of = [text for one in lists for text in one], np.repeat(batch_rows, counts)
            found.append((of, places, text_keys(texts), exact(texts, of)))
    row, place, key, exact_key = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return _Seen(
        query=queries,
        language=column_of_row[row],
        item=np.where(place < 0, item_of_row[row], -1),
        row=row,
        place=place,
        key=key,
        exact=exact_key,
    )


def _candidates(corpus: ParallelCorpus, seen: _Seen) -> Candidates:
    of_passage = seen.place < 0
    # Of equal texts in a language a passage stands for all, and of those the first.
    order = np.lexsort((seen.place, seen.row, ~of_passage, seen.key, seen.language))
    new = np.ones(len(order), np.bool_)
    new[1:] = (np.diff(seen.key[order]) != 0) | (np.diff(seen.language[order]) != 0)
    chosen = order[new]
    numbering = np.lexsort((seen.place[chosen], seen.row[chosen], ~of_passage[chosen], seen.language[chosen]))
    number_of = np.empty(len(chosen), np.int64)
    number_of[numbering] = np.arange(len(chosen))
    candidate = np.empty(len(order), np.int64)
    candidate[order] = number_of[np.cumsum(new) - 1]
    chosen = chosen[numbering]

    of_item = np.full(corpus.rows.shape, -1, np.int64)
    of_item[seen.item[of_passage], seen.language[of_passage]] = candidate[of_passage]
    owner = np.full(len(chosen), -1, np.int64)
    breadth = np.count_nonzero(of_item >= 0, axis=1)
    items = seen.item[of_passage]
    # Written last, so that it stays: the item in most languages, of several the first.
    last = np.lexsort((-items, breadth[items]))
    owner[candidate[of_passage][last]] = items[last]

    key = seen.key[chosen]
    group = np.full(len(chosen), -1, np.int64)
    owned = owner >= 0
    group[owned] = corpus.item_groups[owner[owned]]
    # A negative of one item that reads like a passage, of whatever language, is the right answer of that one's group.
    passage_keys, first = np.unique(seen.key[of_passage], return_index=True)
    place = np.minimum(np.searchsorted(passage_keys, key), len(passage_keys) - 1)
    same = ~owned & (passage_keys[place] == key)
    group[same] = corpus.item_groups[items[first[place[same]]]]

    text, first_candidate = _numbered(seen.exact[chosen])
    counts = np.bincount(seen.language[chosen], minlength=len(corpus.languages))
    return Candidates(
        starts=np.concatenate(([0], np.cumsum(counts))),
        row=seen.row[chosen],
        place=seen.place[chosen],
        key=key,
        text=text,
        first=first_candidate,
        owner=owner,
        group=group,
        of_item=of_item,
    )


def _numbered(keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number keys by their first appearance: the number of each, and where each number appears first."""
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(first), np.int64)
    rank[order] = np.arange(len(first))
    return rank[inverse], first[order].astype(np.int64)


def _exact_keys(texts: list[str], prefixes: list[str] | None) -> NDArray[np.uint64]:
    """A 64-bit key for each text to the letter, and its language where that counts."""
    whole = (
        texts if prefixes is None else [f"{one}\n{text}" for one, text in zip(prefixes, texts, strict=True)]
    )
    digests = [blake2b(text.encode(), digest_size=8).digest() for text in whole]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def _slices(corpus: ParallelCorpus) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The stored versions, so many at once that their texts as Python objects are megabytes; and their first rows."""
    start = 0
    for batch in corpus.stored:
        for at in range(0, batch.num_rows, _SLICE):
            yield start + at, batch.slice(at, _SLICE)
        start += batch.num_rows
