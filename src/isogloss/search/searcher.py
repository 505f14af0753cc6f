"""Ask an index: from a question to passages in every language."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogloss.corpus.languages import is_language, standard_language
from isogloss.encoding.encoder import Encoder
from isogloss.encoding.identity import passage_identity
from isogloss.encoding.opening import open_encoder
from isogloss.errors import DataError, RecipeError
from isogloss.search.backend import Ranked, Selection
from isogloss.search.balance import check_balance, merge, quota
from isogloss.search.bm25 import best_by_words, best_by_words_of
from isogloss.search.filters import Condition, read_conditions
from isogloss.search.folder import STORE, IndexSettings, is_index, read_settings
from isogloss.search.fusion import reciprocal_rank_fusion
from isogloss.search.generations import Generation, Generations
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


class Searcher:
    """An index and the model that it was made with, ready for questions; several threads may ask.

    Changes to the index that were made meanwhile are seen by the next question, which first reads what is new. While it
    does, questions of other threads are answered from the index before the change, if every passage of the answer is
    still there; those whose answer the change touches wait.

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
        self._model_lock = threading.Lock()
        self._store, self.settings = _opened(self.folder)
        try:
            if passage_identity(encoder) != self.settings.identity:
                raise DataError(
                    f"{self.folder}: made with {self.settings.model}; {encoder.name} is another model, or another"
                    " version of it: give that one, or make the index anew"
                )
            self._generations = Generations(self.folder, self._store, self.settings, token)
        except BaseException:
            self._store.close()
            raise

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
        self._generations.close()
        self._store.close()

    def __enter__(self) -> Searcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def passages(self) -> dict[str, int]:
        """Passages by language."""
        return dict(self._generations.now().counts)

    def describe(self) -> dict[str, Any]:
        """Say what is searched, and how: model, back end, passages by language, how often it was brought up to date."""
        now = self._generations.now()
        return {
            "model": self.encoder.name,
            "dimension": self.settings.dimension,
            "words": self.settings.words,
            **now.backend.describe(),
            "passages": dict(now.counts),
            "generation": now.number,
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
        hits = self._answer(self._generations.now(), question, vector, request)
        while hits is None:
            hits = self._answer(self._generations.now(wait=True), question, vector, request)
        return hits

    def _answer(
        self, now: Generation, question: str, vector: NDArray[np.float32], request: Request
    ) -> list[Hit] | None:
        """Answer from a generation; None where a newer one takes its place, and this one cannot answer any more."""
        allowed = None
        if request.conditions:
            allowed = now.selection(request.conditions)
            if allowed is None:
                return None
            if not len(allowed):
                return []
        try:
            similar = self._similar(now, vector[None], request, allowed)
        except DataError:
            if now.is_newest:
                raise
            return None
        similarity = {row: score for ranked in similar.values() for row, score in ranked}
        if request.balance == "centred":
            means = now.language_means()
            if means is None:
                return None
            similar = _centred(means, vector, similar)
        worded = self._worded(now, question, request, allowed) if request.words else None
        while True:
            order = _order(similar, worded, request)
            found = self._store.passages([row for row, _ in order])
            # What vectors of its own found is an answer as long as all of it is live. Words are the newest's: of them a
            # passage may come that this generation does not know.
            whole = len(found) == len(order) and all(row <= now.last for row in found)
            if whole and (now.stands_alone or now.is_newest):
                return hits_of(order, found, similarity, worded)
            if not now.is_newest:
                return None
            # A collection that was put back from elsewhere may hold rows that the index no longer has.
            similar, worded = self._live(similar), worded and self._live(worded)

    def _similar(
        self,
        now: Generation,
        vectors: NDArray[np.float32],
        request: Request,
        allowed: Selection | None,
    ) -> dict[str, Ranked]:
        """Candidates by language; where languages do not matter, under one empty name."""
        depth = max(_DEPTH, 2 * request.top_k)
        if request.balance == "none" and not request.languages:
            return {"": now.backend.search_all(vectors, depth, allowed)[0]}
        languages = request.languages or tuple(now.counts)
        return now.backend.search(vectors, depth, languages, allowed)[0]

    def _worded(
        self, now: Generation, question: str, request: Request, allowed: Selection | None
    ) -> dict[str, Ranked]:
        """Candidates by words, as `_similar` gives those by similarity."""
        depth = max(_DEPTH, 2 * request.top_k)
        words = question_words(question, now.counts)
        if request.balance == "none" and not request.languages:
            return {"": best_by_words(self._store, words, depth, allowed)}
        return best_by_words_of(self._store, request.languages or now.counts, words, depth, allowed)

    def _live(self, lists: Mapping[str, Ranked]) -> dict[str, Ranked]:
        rows = np.unique([row for ranked in lists.values() for row, _ in ranked]).astype(np.int64)
        live = {row for some in self._store.live_among(rows).values() for row in some.rows.tolist()}
        return {name: [pair for pair in ranked if pair[0] in live] for name, ranked in lists.items()}


def _centred(
    means: Mapping[str, NDArray[np.float32]], vector: NDArray[np.float32], found: Mapping[str, Ranked]
) -> dict[str, Ranked]:
    """Candidates by language with their scores less what the language as such gains."""
    levels = {language: float(vector @ mean) for language, mean in means.items()}
    if not levels:
        return dict(found)
    middle = sum(levels.values()) / len(levels)
    return {
        language: [(row, score - levels.get(language, middle) + middle) for row, score in ranked]
        for language, ranked in found.items()
    }


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
    try:
        return store, read_settings(store)
    except BaseException:
        store.close()
        raise
