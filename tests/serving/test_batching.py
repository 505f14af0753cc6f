"""Batches of concurrent callers, without HTTP."""

import asyncio
import threading
import time

import numpy as np
import pytest

from isogloss.serving.batching import Batcher
from isogloss.serving.refusals import Overloaded


class Lengths:
    """Encodes a text as its length; a switch holds it up."""

    def __init__(self):
        self.batches = []
        self.go = threading.Event()
        self.go.set()
        self.begun = threading.Event()

    def __call__(self, texts, side):
        self.batches.append((side, list(texts)))
        self.begun.set()
        assert self.go.wait(10)
        if "bad" in texts:
            raise RuntimeError("bad")
        return np.array([[len(text), side == "query"] for text in texts], np.float32)


def run(job, lengths=None, **how):
    async def main():
        batcher = Batcher(
            lengths or Lengths(), **{"texts": 8, "characters": 1000, "wait": 0.02, "waiting": 100, **how}
        )
        batcher.start()
        try:
            return await asyncio.wait_for(job(batcher), 20)
        finally:
            await batcher.close()

    return asyncio.run(main())


def test_everyone_gets_their_own_and_batches_form():
    lengths = Lengths()

    async def job(batcher):
        return await asyncio.gather(*(batcher.encode(["x" * number], "query") for number in range(1, 33)))

    found = run(job, lengths)
    assert [int(vectors[0, 0]) for vectors in found] == list(range(1, 33))
    assert [len(texts) for _, texts in lengths.batches] == [8, 8, 8, 8]


def test_a_lone_text_waits_no_longer_than_it_has_to():
    async def job(batcher):
        began = time.monotonic()
        await batcher.encode(["x"], "query")
        return time.monotonic() - began

    assert 0.02 <= run(job, wait=0.02) < 2


def test_sides_are_not_mixed_and_characters_bound_a_batch():
    lengths = Lengths()

    async def job(batcher):
        texts = ["a" * 600, "b" * 600, "c", "d"]
        sides = ["query", "query", "passage", "query"]
        return await asyncio.gather(
            *(batcher.encode([text], side) for text, side in zip(texts, sides, strict=True))
        )

    found = run(job, lengths)
    assert [vectors[0].tolist() for vectors in found] == [[600, 1], [600, 1], [1, 0], [1, 1]]
    for side, texts in lengths.batches:
        assert len(texts) == 1 or sum(map(len, texts)) <= 1000
        assert {"c"} == set(texts) or side == "query"


def test_a_long_request_lets_others_in_between():
    lengths = Lengths()

    async def job(batcher):
        many = asyncio.ensure_future(batcher.encode(["many"] * 40, "query"))
        await asyncio.sleep(0)
        await batcher.encode(["one"], "query")
        return await many

    assert run(job, lengths).shape == (40, 2)
    assert lengths.batches[1] == ("query", ["one"])


def test_what_is_given_up_while_it_waits_is_not_encoded():
    lengths = Lengths()
    lengths.go.clear()

    async def job(batcher):
        first = asyncio.ensure_future(batcher.encode(["first"], "query"))
        await asyncio.to_thread(lengths.begun.wait)
        given_up = asyncio.ensure_future(batcher.encode(["given up"], "query"))
        await asyncio.sleep(0)
        stays = asyncio.ensure_future(batcher.encode(["stays"], "query"))
        await asyncio.sleep(0)
        assert batcher.waiting == 3
        given_up.cancel()
        lengths.go.set()
        await asyncio.gather(first, stays)
        assert given_up.cancelled()
        return batcher.waiting

    assert run(job, lengths) == 0
    assert [texts for _, texts in lengths.batches] == [["first"], ["stays"]]


def test_who_goes_away_while_encoded_does_not_disturb_the_others():
    lengths = Lengths()
    lengths.go.clear()

    async def job(batcher):
        gone, stays = (asyncio.ensure_future(batcher.encode([text], "query")) for text in ("gone", "stays"))
        await asyncio.to_thread(lengths.begun.wait)
        gone.cancel()
        await asyncio.sleep(0)
        lengths.go.set()
        return await stays

    assert run(job, lengths)[0, 0] == 5


def test_a_full_queue_refuses():
    lengths = Lengths()
    lengths.go.clear()

    async def job(batcher):
        tasks = [asyncio.ensure_future(batcher.encode(["x"] * 4, "query")) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as refused:
            await batcher.encode(["x"], "query")
        assert (refused.value.status, refused.value.headers["retry-after"]) == (503, "1")
        lengths.go.set()
        await asyncio.gather(*tasks)
        return await batcher.encode(["x"], "query")

    assert len(run(job, lengths, waiting=8)) == 1


def test_one_bad_text_fails_its_own_caller_alone():
    async def job(batcher):
        calls = (batcher.encode([text], "query") for text in ("good", "bad", "better"))
        return await asyncio.gather(*calls, return_exceptions=True)

    good, bad, better = run(job)
    assert (good[0, 0], type(bad), better[0, 0]) == (4, RuntimeError, 6)


def test_closing_tells_who_waits():
    lengths = Lengths()
    lengths.go.clear()

    async def main():
        batcher = Batcher(lengths, texts=1, characters=100, wait=0, waiting=10)
        batcher.start()
        tasks = [asyncio.ensure_future(batcher.encode([str(number)], "query")) for number in range(3)]
        await asyncio.to_thread(lengths.begun.wait)
        await batcher.close()
        lengths.go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert {type(one) for one in asyncio.run(main())} == {Overloaded}
