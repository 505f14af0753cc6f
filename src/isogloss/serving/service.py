"""What the routes do: texts to vectors in batches, questions to passages in threads."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from isogloss.encoding.encoder import Side
from isogloss.errors import IsoglossError, RecipeError
from isogloss.search import Hit, Searcher
from isogloss.serving.batching import Batcher
from isogloss.serving.metrics import Metrics
from isogloss.serving.refusals import Overloaded, Refused
from isogloss.serving.settings import ServingSettings

_Value = TypeVar("_Value")


class Service:
    """A searcher at work for many callers at once; made and used in one event loop.

    Args:
        searcher: the index and its model; whoever opened it closes it.
        settings: limits.
    """

    def __init__(self, searcher: Searcher, settings: ServingSettings) -> None:
        self.settings = settings
        self.stopping = False
        self.model = served_name(searcher.encoder.name)
        self.metrics = Metrics(lambda: self._batcher.waiting)
        self._searcher = searcher
        self._batcher = Batcher(
            self._encode,
            texts=settings.batch_texts,
            characters=settings.batch_characters,
            wait=settings.batch_wait,
            waiting=settings.waiting_texts,
            done=self.metrics.batch_done,
        )
        self._threads = ThreadPoolExecutor(settings.threads, thread_name_prefix="isogloss-answer")
        self._answering = 0

    def start(self) -> None:
        """Begin to work; in a running event loop."""
        self._batcher.start()

    async def close(self) -> None:
        """Stop when what is under way is done."""
        self.stopping = True
        await self._batcher.close()
        await asyncio.get_running_loop().run_in_executor(None, self._threads.shutdown)

    @property
    def dimension(self) -> int:
        """Numbers a vector."""
        return self._searcher.settings.dimension

    @property
    def most_texts(self) -> int:
        """Texts of an embedding request, at most: no more than may wait."""
        return min(self.settings.texts, self.settings.waiting_texts)

    @property
    def has_words(self) -> bool:
        """Whether the index can be asked by words."""
        return self._searcher.settings.words

    async def passages(self) -> dict[str, int]:
        """Passages of the index by language."""
        return await self._in_thread(lambda: self._searcher.passages)

    async def search(self, question: str, **how: Any) -> list[Hit]:
        """Find passages; `how` as for `Searcher.request`.

        Raises:
            Refused: the request is wrong, or there is too much to do.
            DataError: the index cannot be read.
            ModelError: the model fails.
        """
        self.check_length(question, "question")
        if how["top_k"] > self.settings.top_k:
            raise Refused(422, f"at most {self.settings.top_k} passages a question", param="top_k")
        if how["words"] and not self.has_words:
            raise Refused(422, "the index was made without words", param="words")
        request = await self._in_thread(lambda: self._searcher.request(**how))
        vector = (await self._batcher.encode([question], "query"))[0]
        began = time.perf_counter()
        hits = await self._in_thread(lambda: self._searcher.answer(question, vector, request))
        self.metrics.answer_seconds.observe(time.perf_counter() - began)
        self.metrics.found(hit.language for hit in hits)
        return hits

    async def embed(self, texts: Sequence[str], side: Side, name: str) -> NDArray[np.float32]:
        """Encode texts, float32, shape (texts, dimension).

        Args:
            texts: one or more.
            side: what they are.
            name: the field that they came in.

        Raises:
            Refused: they are too many or too long, or there is too much to do.
            ModelError: the model fails.
        """
        if len(texts) > self.most_texts:
            raise Refused(413, f"{len(texts)} texts; at most {self.most_texts} a request", param=name)
        for text in texts:
            self.check_length(text, name)
        return await self._batcher.encode(texts, side)

    async def count_tokens(self, texts: Sequence[str]) -> int:
        """Count the tokens of texts, prompts left out; 0 where the model has no tokenizer that can be asked."""
        tokenizer = getattr(getattr(self._searcher.encoder, "model", None), "tokenizer", None)
        if tokenizer is None:
            return 0

        def counted() -> int:
            return sum(len(ids) for ids in tokenizer(list(texts), truncation=True)["input_ids"])

        # Tokenizers refuse to be used in two threads at once.
        return await self._batcher.in_model_thread(counted)

    def check_length(self, text: str, name: str) -> None:
        """Refuse a text that is too long.

        Raises:
            Refused: it is.
        """
        if len(text) > self.settings.text_characters:
            raise Refused(
                413, f"{len(text):,} characters; at most {self.settings.text_characters:,} a text", param=name
            )

    def refusal(self, error: IsoglossError) -> Refused:
        """Turn an error of the searcher into an answer that says nothing of this machine."""
        if isinstance(error, RecipeError):
            return Refused(422, str(error).replace(str(self._searcher.folder), "the index"))
        return Refused(503, "the index or its model cannot be used now; the server's log says why")

    def _encode(self, texts: Sequence[str], side: Side) -> NDArray[np.float32]:
        if side == "query":
            return self._searcher.encode(texts)
        return self._searcher.encoder.encode(list(texts), side)

    async def _in_thread(self, call: Callable[[], _Value]) -> _Value:
        """Run something that reads the index.

        One whose caller is gone is left out, if it has not begun; one that has begun counts until it is done.
        """
        if self._answering >= self.settings.answering:
            raise Overloaded(f"{self._answering} searches are waiting for the index")
        loop = asyncio.get_running_loop()
        self._answering += 1

        def over(_: Future[_Value]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._over)

        future = self._threads.submit(call)
        future.add_done_callback(over)
        return await asyncio.wrap_future(future)

    def _over(self) -> None:
        self._answering -= 1


def served_name(name: str) -> str:
    """Return what to call a model: a folder's own name, without where it lies; a hub's name as it is."""
    if found := re.fullmatch(r"openai:(.+?)(@https?://.*)?", name):
        return found[1]
    if re.match(r"[./~\\]|[A-Za-z]:[/\\]", name) or name.count("/") > 1:
        return re.split(r"[/\\]", name.rstrip("/\\"))[-1] or "model"
    return name
