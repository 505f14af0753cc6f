"""A model behind an OpenAI-compatible ``/v1/embeddings``: a few requests at once, every answer kept on disk."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isogloss.encoding.encoder import Progress, Side
from isogloss.encoding.prompts import Prompts
from isogloss.encoding.unit_rows import unit_rows
from isogloss.encoding.vector_cache import VectorCache, cache_path
from isogloss.endpoints.address import endpoint_key, parse_endpoint
from isogloss.errors import Interrupted, ModelError

if TYPE_CHECKING:
    from isogloss.endpoints.requests import Patience

_PATH = "/embeddings"
_TEXTS_A_REQUEST = 32
"""What the servers that people run themselves take at least; fuller requests are hardly faster."""
_CHARACTERS_A_REQUEST = 60_000
_REQUESTS_AT_ONCE = 4
_SAME_MODEL = 0.99
"""Cosine of a text's vectors from one model: servers round, by the texts beside it."""


class EndpointEncoder:
    """A model behind an OpenAI-compatible endpoint.

    The key comes from the environment variable OPENAI_API_KEY, and is sent to the server that `model` names. A vector
    that came once is taken from the cache folder ever after (`vector_cache`).

    Args:
        model: as `parse_endpoint` takes it.
        prompts: put before queries and passages.
        patience: how often and how long to try; None for what is usual.

    Raises:
        ModelError: no model or URL is named, or the key is none.
        OutputError: the cache cannot be read or written.
    """

    def __init__(self, model: str, prompts: Prompts, *, patience: Patience | None = None) -> None:
        from isogloss.encoding.embedding_requests import EmbeddingRequests
        from isogloss.endpoints.requests import EndpointRequests, Patience

        self.name = model
        self.prompts = prompts
        self.model, self.url = parse_endpoint(model, _PATH)
        self._cache = VectorCache(cache_path(self.model, self.url))
        self._requests = EmbeddingRequests(
            EndpointRequests(
                model,
                self.model,
                self.url + _PATH,
                endpoint_key(),
                patience or Patience(),
                kept="vectors",
            )
        )
        self._dimension: int | None = None
        self._same = False

    def describe(self) -> dict[str, Any]:
        """Say what the vectors depend on, as far as it can be known from outside."""
        return {
            "name": self.name,
            "query_prompt": self.prompts.query,
            "passage_prompt": self.prompts.passage,
            "max_length": None,
            "dimension": self._dimension,
            "precision": None,
            "device": None,
            "source": "endpoint",
            "url": self.url,
        }

    def encode(
        self,
        texts: Sequence[str],
        side: Side,
        progress: Progress | None = None,
        *,
        languages: Sequence[str] | None = None,
    ) -> NDArray[np.float32]:
        """Take vectors from the cache, and ask the server for the others.

        Args:
            texts: the texts, without prompts.
            side: which prompt to put before them.
            progress: called with the texts whose vectors have just come.
            languages: change nothing.

        Returns:
            float32, shape (texts, dimension), unit length, in the order of `texts`.

        Raises:
            ModelError: the server refuses or goes on failing; its vectors are none, of another dimension than before,
                or those of another model than what the cache holds.
            Interrupted: by Ctrl-C; what came is kept.
            OutputError: the cache cannot be read or written.
        """
        prompt = self.prompts.query if side == "query" else self.prompts.passage
        sent = [prompt + text for text in texts]
        found = self._cache.find(sent)
        for vector in found.values():
            self._check_dimension(len(vector))
        if found and progress is not None:
            progress(len(found))
        missing = [position for position in range(len(sent)) if position not in found]
        try:
            if missing:
                self._check_model()
            for positions, vectors in self._answers(sent, missing):
                asked = [sent[position] for position in positions]
                self._check_dimension(vectors.shape[1])
                # What cannot be used is not kept.
                unit_rows(vectors, _vector_of(asked, self.name))
                self._cache.add(asked, vectors)
                found.update(zip(positions, vectors, strict=True))
                if progress is not None:
                    progress(len(positions))
        except KeyboardInterrupt:
            raise Interrupted(
                f"stopped: {len(found):,} of {len(sent):,} {side} vectors are kept; the same command goes on"
            ) from None
        if not found:
            return np.empty((0, self._dimension or 0), dtype=np.float32)
        together = np.stack([found[position] for position in range(len(sent))])
        return unit_rows(together, _vector_of(sent, str(self._cache.path)))

    def _answers(
        self, sent: Sequence[str], missing: Sequence[int]
    ) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        """Yield positions and their vectors as answers come."""
        from isogloss.endpoints.requests import Stopped

        batches = batches_of([len(text) for text in sent], missing)
        waiting: queue.SimpleQueue[list[int]] = queue.SimpleQueue()
        answers: queue.SimpleQueue[tuple[list[int], NDArray[np.float32] | Exception]] = queue.SimpleQueue()
        for batch in batches:
            waiting.put(batch)
        stop = threading.Event()

        def ask() -> None:
            while not stop.is_set():
                try:
                    batch = waiting.get_nowait()
                except queue.Empty:
                    return
                try:
                    answers.put((batch, self._requests.vectors([sent[position] for position in batch], stop)))
                except Stopped:
                    return
                except Exception as error:  # it is raised where it is waited for
                    answers.put((batch, error))
                    return

        # Daemons, because an answer that does not come should hold up neither Ctrl-C nor the end of the program.
        for _ in range(min(_REQUESTS_AT_ONCE, len(batches))):
            threading.Thread(target=ask, daemon=True).start()
        try:
            for _ in batches:
                batch, answer = answers.get()
                if isinstance(answer, Exception):
                    raise answer
                yield batch, answer
        finally:
            stop.set()

    def _check_model(self) -> None:
        """Ask for a vector that is in the cache: it would not do to mix the vectors of two models."""
        if self._same or (probe := self._cache.probe()) is None:
            return
        text, kept = probe
        vectors = self._requests.vectors([text], threading.Event())
        self._check_dimension(vectors.shape[1])
        both = unit_rows(np.concatenate([vectors, kept[None]]), _vector_of([text, text], self.name))
        if both[0] @ both[1] < _SAME_MODEL:
            raise ModelError(
                f"{self.name}: the server gives {text[:60]!r} another vector than it did before (cosine"
                f" {both[0] @ both[1]:.3f}): it serves another model under this name; remove {self._cache.path} to"
                " begin anew"
            )
        self._same = True

    def _check_dimension(self, dimension: int) -> None:
        if self._dimension not in (None, dimension):
            raise ModelError(
                f"{self.name}: a vector of {dimension} numbers after vectors of {self._dimension}; if the server serves"
                f" another model under this name now, remove {self._cache.path} to begin anew"
            )
        self._dimension = dimension


def batches_of(lengths: Sequence[int], positions: Sequence[int]) -> list[list[int]]:
    """Put texts into requests, long ones first, so that texts of like length are padded together.

    Args:
        lengths: characters of every text.
        positions: those to ask for.

    Returns:
        The positions of each request: limited in texts and in characters; a longer text is alone in its own.
    """
    batches: list[list[int]] = []
    characters = 0
    for position in sorted(positions, key=lambda position: -lengths[position]):
        full = not batches or len(batches[-1]) == _TEXTS_A_REQUEST
        if full or characters + lengths[position] > _CHARACTERS_A_REQUEST:
            batches.append([])
            characters = 0
        batches[-1].append(position)
        characters += lengths[position]
    return batches


def _vector_of(texts: Sequence[str], whose: str) -> Callable[[int], str]:
    return lambda row: f"{whose}: the vector of {texts[row][:60]!r}"
