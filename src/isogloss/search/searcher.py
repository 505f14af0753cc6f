"""Ask an index: from a question to passages in every language."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogloss.corpus.languages import is_language, standard_language
from isogloss.encoding.encoder import Encoder
from isogloss.encoding.identity import passage_identity
from isogloss.encoding.opening import open_encoder
from isogloss.errors import DataError, RecipeError
from isogloss.search.backend import Backend, Ranked
from isogloss.search.balance import check_balance, merge, quota
from isogloss.search.filters import Condition, read_conditions
from isogloss.search.folder import (
    STORE,
    IndexSettings,
    is_index,
    language_means,
    open_backend,
    read_settings,
    vector_file,
)
from isogloss.search.fusion import reciprocal_rank_fusion
from isogloss.search.hit import Hit, hits_of
from isogloss.search.store import PassageStore
from isogloss.search.words import question_words

MOST_RESULTS = 1000
_DEPTH = 100
"""Candidates looked at, of each list that is fused, and of each language that is balanced."""


@dataclass(frozen=True)
class Request:
    """How to search, checked.

    Attributes:
        top_k: passages wanted.
        languages: of which languages; empty for all.
        conditions: on metadata.
        balance: one of `BALANCES`.
        words: whether to rank by words too.
    """

    top_k: int
    languages: tuple[str, ...]
    conditions: tuple[Condition, ...]
    balance: str
    words: bool


@dataclass(frozen=True)
class _Snapshot:
    """An index as of one generation, which threads may search while another puts a newer one in its place.

    Attributes:
        generation: how often the index was brought up to date.
        backend: what searches its vectors.
        counts: passages by language.
        means: the mean vector of each language; filled when first asked for.
    """

    generation: int
    backend: Backend
    counts: dict[str, int]
    means: dict[str, NDArray[np.float32]] = field(default_factory=dict)


class Searcher:
    """An index and the model that it was made with, ready for questions; several threads may ask.

    Changes to the index that were made meanwhile are seen by the next question.

    Args:
        folder: the index.
        encoder: the model.
        token: of a Milvus server.

    Raises:
        DataError: there is no index, it is damaged, or was made with another model.
    """

    def __init__(self, folder: str | Path, encoder: Encoder, *, token: str | None = None) -> None:
        self.folder = Path(folder)
        self.encoder = encoder
        self._token = token
        self._lock = threading.RLock()
        self._store, self.settings = _opened(self.folder)
        if passage_identity(encoder) != self.settings.identity:
            raise DataError(
                f"{self.folder}: made with {self.settings.model}; {encoder.name} is another model, or another version"
                " of it: give that one, or make the index anew"
            )
        self._model_lock = threading.Lock()
        self._snapshot: _Snapshot | None = None
        self._now()

    @classmethod
    def open(
        cls,
        folder: str | Path,
        *,
        model: str | Path | None = None,
        device: str | None = None,
        token: str | None = None,
    ) -> Searcher:
        """Open an index with its model.

        Args:
            folder: the index.
            model: where the model is now, if it was moved; None takes the place it had.
            device: a torch device; None picks a GPU where there is one.
            token: of a Milvus server.

        Raises:
            DataError: there is no index, or it is damaged.
            ModelError: the model cannot be loaded.
        """
        store, settings = _opened(Path(folder))
        store.close()
        encoder = open_encoder(
            model or settings.model,
            query_prompt=settings.query_prompt,
            passage_prompt=settings.passage_prompt,
            max_length=settings.max_length,
            precision=settings.precision,
            device=device,
        )
        return cls(folder, encoder, token=token)

    def close(self) -> None:
        """Let go of files and connections."""
        with self._lock:
            if self._snapshot is not None:
                self._snapshot.backend.close()
                self._snapshot = None
            self._store.close()

    def __enter__(self) -> Searcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def passages(self) -> dict[str, int]:
        """Passages by language."""
        return dict(self._now().counts)

    def describe(self) -> dict[str, Any]:
        """Say what is searched, and how: model, back end, passages by language, how often it was brought up to date."""
        now = self._now()
        return {
            "model": self.encoder.name,
            "dimension": self.settings.dimension,
            "words": self.settings.words,
            **now.backend.describe(),
            "passages": dict(now.counts),
            "generation": now.generation,
        }

    def search(
        self,
        question: str,
        *,
        top_k: int = 10,
        languages: Iterable[str] = (),
        where: Iterable[str] = (),
        balance: str = "none",
        words: bool = False,
    ) -> list[Hit]:
        """Find the passages that answer a question, in every language.

        Args:
            question: in any language.
            top_k: passages wanted.
            languages: of these languages alone; empty for all.
            where: conditions on metadata, see `isogloss.search.filters`.
            balance: ``none``, ``quota`` or ``centred``, see `isogloss.search.balance`.
            words: whether to fuse the ranks by similarity with those by BM25, which finds codes and names that a
                model does not know, and passages in the asker's language before all others.

        Returns:
            At most `top_k` hits, the best first.

        Raises:
            RecipeError: an argument is wrong, or the index has no such language.
            DataError: the index cannot be read.
            ModelError: the model fails.
        """
        request = self.request(top_k=top_k, languages=languages, where=where, balance=balance, words=words)
        return self.answer(question, self.encode([question])[0], request)

    def request(
        self,
        *,
        top_k: int = 10,
        languages: Iterable[str] = (),
        where: Iterable[str] = (),
        balance: str = "none",
        words: bool = False,
    ) -> Request:
        """Check how to search; arguments and errors as for `search`."""
        if not 1 <= top_k <= MOST_RESULTS:
            raise RecipeError(f"top_k {top_k}: must be from 1 to {MOST_RESULTS}")
        if words and not self.settings.words:
            raise RecipeError(f"{self.folder}: made without words; make it anew without --no-words")
        there = self.passages
        chosen = {standard_language(code) if is_language(code) else code for code in languages}
        if missing := sorted(chosen - set(there)):
            raise RecipeError(
                f"language {', '.join(map(repr, missing))}: the index has {', '.join(there) or 'no passage'}"
            )
        return Request(
            top_k,
            tuple(sorted(chosen)),
            read_conditions(where),
            check_balance(balance),
            words,
        )

    def encode(self, questions: Sequence[str]) -> NDArray[np.float32]:
        """Encode questions, float32, shape (questions, dimension).

        Raises:
            RecipeError: a question is empty.
            ModelError: the model fails.
        """
        if any(not question.strip() for question in questions):
            raise RecipeError("the question is empty")
        with self._model_lock:
            return self.encoder.encode(list(questions), "query")

    def answer(self, question: str, vector: NDArray[np.float32], request: Request) -> list[Hit]:
        """Find the passages for an encoded question; result and errors as for `search`.

        Args:
            question: its text, for its words.
            vector: as `encode` gives it, shape (dimension,).
            request: how to search.
        """
        while True:
            now = self._now()
            hits = self._answer(now, question, vector, request)
            if hits is not None:
                return hits

    def _answer(
        self, now: _Snapshot, question: str, vector: NDArray[np.float32], request: Request
    ) -> list[Hit] | None:
        """Answer from a snapshot; None where the index was changed meanwhile, and all has to be asked again."""
        allowed = self._store.matching(request.conditions) if request.conditions else None
        if allowed is not None and not len(allowed):
            return []
        similar = self._similar(now, vector[None], request, allowed)
        similarity = {row: score for ranked in similar.values() for row, score in ranked}
        if request.balance == "centred":
            similar = self._centred(now, vector, similar)
        worded = self._worded(now, question, request) if request.words else None
        while True:
            order = _order(similar, worded, request)
            found = self._store.passages([row for row, _ in order])
            if len(found) == len(order):
                return hits_of(order, found, similarity, worded)
            if self._store.generation() != now.generation:
                return None
            # A back end that keeps its own copy knows rows that an update is just putting in or taking out.
            similar, worded = self._live(similar), worded and self._live(worded)

    def _similar(
        self,
        now: _Snapshot,
        vectors: NDArray[np.float32],
        request: Request,
        allowed: NDArray[np.int64] | None,
    ) -> dict[str, Ranked]:
        """Candidates by language; where languages do not matter, under one empty name."""
        depth = max(_DEPTH, 2 * request.top_k)
        if request.balance == "none" and not request.languages:
            return {"": now.backend.search_all(vectors, depth, allowed)[0]}
        languages = request.languages or tuple(now.counts)
        return now.backend.search(vectors, depth, languages, allowed)[0]

    def _centred(
        self, now: _Snapshot, vector: NDArray[np.float32], found: Mapping[str, Ranked]
    ) -> dict[str, Ranked]:
        """Candidates by language with their scores less what the language as such gains."""
        means = self._language_means(now)
        levels = {language: float(vector @ means[language]) for language in means}
        if not levels:
            return dict(found)
        middle = sum(levels.values()) / len(levels)
        return {
            language: [(row, score - levels.get(language, middle) + middle) for row, score in ranked]
            for language, ranked in found.items()
        }

    def _worded(self, now: _Snapshot, question: str, request: Request) -> dict[str, Ranked]:
        depth = max(_DEPTH, 2 * request.top_k)
        words = question_words(question, now.counts)
        if request.balance == "none" and not request.languages:
            return {"": self._store.best_by_words(words, depth, None, request.conditions)}
        return {
            language: self._store.best_by_words(words, depth, language, request.conditions)
            for language in request.languages or now.counts
        }

    def _live(self, lists: dict[str, Ranked]) -> dict[str, Ranked]:
        live = self._store.live_among([row for ranked in lists.values() for row, _ in ranked])
        return {name: [pair for pair in ranked if pair[0] in live] for name, ranked in lists.items()}

    def _language_means(self, now: _Snapshot) -> dict[str, NDArray[np.float32]]:
        with self._lock:
            if not now.means and now.counts:
                file = vector_file(self.folder, self._store, self.settings)
                languages, means = language_means(self._store, file)
                now.means.update(zip(languages, means, strict=True))
            return now.means

    def _now(self) -> _Snapshot:
        """The index as it is now."""
        with self._lock:
            was = self._snapshot
            generation = self._store.generation()
            if was is not None and was.generation == generation:
                return was
            if was is not None and self.settings.backend != "exact":
                # It keeps its own copy up to date.
                backend = was.backend
            else:
                backend, generation = open_backend(self.folder, self._store, self.settings, self._token)
            self._snapshot = _Snapshot(generation, backend, self._store.counts())
            return self._snapshot


def _order(similar: Mapping[str, Ranked], worded: Mapping[str, Ranked] | None, request: Request) -> Ranked:
    """The passages to show: by similarity or fused with words, in the places that the balance gives them."""
    every = sum(map(len, similar.values())) + sum(map(len, (worded or {}).values()))
    order = merge(similar, every)
    if worded is not None:
        by_words = merge(worded, every)
        order = reciprocal_rank_fusion([[row for row, _ in order], [row for row, _ in by_words]])
    if request.balance != "quota":
        return order[: request.top_k]
    language_of = {
        row: name for lists in (similar, worded or {}) for name, ranked in lists.items() for row, _ in ranked
    }
    of_language: dict[str, Ranked] = {}
    for pair in order:
        of_language.setdefault(language_of[pair[0]], []).append(pair)
    return quota(of_language, request.top_k)


def _opened(folder: Path) -> tuple[PassageStore, IndexSettings]:
    if not is_index(folder):
        raise DataError(
            f"{folder}: no index; make one with `isogloss index MODEL PASSAGES --output {folder}`"
        )
    store = PassageStore(folder / STORE)
    return store, read_settings(store)
