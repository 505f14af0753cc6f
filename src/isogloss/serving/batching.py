"""Texts of many requests, encoded together: a queue, one thread for the model.

A processor encodes thirty short questions together in about the time of a few, so questions that come at the same
time wait a few milliseconds for each other. While the model is at work, what comes meanwhile makes up the next batch.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from isogloss.encoding.encoder import Side
from isogloss.serving.refusals import Overloaded

Encode = Callable[[Sequence[str], Side], NDArray[np.float32]]
BatchDone = Callable[[int, float], None]
"""Told of each batch: its texts, and the seconds it took."""
_Value = TypeVar("_Value")


@dataclass(slots=True, eq=False)
class _Job:
    texts: Sequence[str]
    side: Side
    vectors: asyncio.Future[NDArray[np.float32]]
    came: float
    characters: int


class Batcher:
    """Encodes the texts of concurrent callers in batches; all methods belong to one event loop.

    Args:
        encode: gives the vectors of texts, in order; called in the model's thread alone.
        texts: of a batch, at most.
        characters: of a batch, at most; a longer text is alone in its own.
        wait: seconds that a batch's first text waits for others, at most.
        waiting: texts in the queue, at most.
        done: told of each batch.
    """

    def __init__(
        self,
        encode: Encode,
        *,
        texts: int,
        characters: int,
        wait: float,
        waiting: int,
        done: BatchDone = lambda texts, seconds: None,
    ) -> None:
        self._encode = encode
        self._texts, self._characters = texts, characters
        self._wait, self._most_waiting = wait, waiting
        self._done = done
        self._queue: deque[_Job] = deque()
        self._promised = 0
        self._changed = asyncio.Event()
        self._model = ThreadPoolExecutor(1, thread_name_prefix="isogloss-model")
        self._loop: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Texts that were taken on and are not encoded yet."""
        return self._promised

    def start(self) -> None:
        """Begin to work; in a running event loop."""
        self._loop = asyncio.create_task(self._work(), name="isogloss-batches")

    async def close(self) -> None:
        """Stop; who still waits is told so."""
        if self._loop is not None:
            self._loop.cancel()
            with suppress(asyncio.CancelledError):
                await self._loop
        while self._queue:
            job = self._queue.popleft()
            if not job.vectors.done():
                job.vectors.set_exception(Overloaded("the server is stopping"))
        self._model.shutdown(wait=False, cancel_futures=True)

    async def encode(self, texts: Sequence[str], side: Side) -> NDArray[np.float32]:
        """Encode texts, together with those of other callers.

        A caller that is cancelled takes its waiting texts out of the queue. More texts than a batch holds go one batch
        after the other, so that others get in between.

        Args:
            texts: one or more.
            side: query or passage.

        Returns:
            float32, shape (texts, dimension).

        Raises:
            Overloaded: the queue is full.
            ModelError: the model fails.
        """
        if self._promised + len(texts) > self._most_waiting:
            raise Overloaded(f"{self._promised} texts are waiting for the model")
        self._promised += len(texts)
        try:
            parts = [await self._queued(part, side) for part in self._parts(texts)]
        finally:
            self._promised -= len(texts)
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def _parts(self, texts: Sequence[str]) -> Iterator[Sequence[str]]:
        """Cut texts into parts that fit a batch; a text that is longer than one is a part of its own."""
        start = characters = 0
        for at, text in enumerate(texts):
            if at > start and (at - start == self._texts or characters + len(text) > self._characters):
                yield texts[start:at]
                start, characters = at, 0
            characters += len(text)
        yield texts[start:]

    async def in_model_thread(self, call: Callable[[], _Value]) -> _Value:
        """Run something that must not run beside the model, between two batches."""
        return await asyncio.get_running_loop().run_in_executor(self._model, call)

    async def _queued(self, texts: Sequence[str], side: Side) -> NDArray[np.float32]:
        future: asyncio.Future[NDArray[np.float32]] = asyncio.get_running_loop().create_future()
        job = _Job(texts, side, future, time.monotonic(), sum(map(len, texts)))
        self._queue.append(job)
        self._changed.set()
        try:
            return await future
        finally:
            # Given up while it waited: nobody wants it any more. In a batch already, it is no longer here.
            with suppress(ValueError):
                self._queue.remove(job)

    async def _work(self) -> None:
        while True:
            await self._filled()
            batch = self._taken()
            if not batch:
                continue
            try:
                await self._encoded(batch)
            except asyncio.CancelledError:
                self._queue.extendleft(reversed(batch))
                raise

    async def _encoded(self, batch: Sequence[_Job]) -> None:
        """Encode a batch and give everyone their vectors, or what went wrong."""
        texts = [text for job in batch for text in job.texts]
        began = time.perf_counter()
        try:
            vectors = await self.in_model_thread(partial(self._encode, texts, batch[0].side))
        except Exception as error:
            if len(batch) == 1:
                if not batch[0].vectors.done():
                    batch[0].vectors.set_exception(error)
                return
            # One caller's text that the model fails on is not the others' fault.
            for job in batch:
                await self._encoded([job])
            return
        self._done(len(texts), time.perf_counter() - began)
        start = 0
        for job in batch:
            if not job.vectors.done():
                job.vectors.set_result(vectors[start : start + len(job.texts)])
            start += len(job.texts)

    async def _filled(self) -> None:
        """Return when there is a full batch, or its first text has waited long enough."""
        while True:
            self._changed.clear()
            if self._queue:
                left = self._queue[0].came + self._wait - time.monotonic()
                if left <= 0 or sum(len(job.texts) for job in self._queue) >= self._texts:
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), left)
            else:
                await self._changed.wait()

    def _taken(self) -> list[_Job]:
        """Take the jobs of the next batch out of the queue: the first one, and what goes with it."""
        batch: list[_Job] = []
        later: deque[_Job] = deque()
        texts = characters = 0
        while self._queue:
            job = self._queue.popleft()
            texts += len(job.texts)
            characters += job.characters
            if batch and (texts > self._texts or characters > self._characters):
                later.append(job)
                break
            if batch and job.side != batch[0].side:
                texts -= len(job.texts)
                characters -= job.characters
                later.append(job)
                continue
            batch.append(job)
        self._queue.extendleft(reversed(later))
        return batch
