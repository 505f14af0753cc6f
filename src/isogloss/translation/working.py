"""Batches through an engine: one after the other, or several at once in threads; every result checked."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

from isogloss.errors import ModelError
from isogloss.translation.checking import defect
from isogloss.translation.engine import Engine, EngineStopped, Failure
from isogloss.translation.memory import Sentence

Batch = list[Sentence]
Results = list[str | Failure]


def translated_batches(
    engine: Engine, batches: Iterator[Batch], source: str, target: str
) -> Iterator[tuple[Batch, Results]]:
    """Translate batches, and yield them with their results as these come.

    Batches are taken from the iterator in the caller's thread, and only when the engine is free for one.

    Raises:
        ModelError: the engine fails altogether.
    """
    if engine.at_once == 1:
        for batch in batches:
            yield batch, checked(engine, batch, source, target)
        return
    waiting: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
    answers: queue.SimpleQueue[tuple[Batch, Results | BaseException]] = queue.SimpleQueue()

    def work() -> None:
        while (batch := waiting.get()) is not None:
            try:
                answers.put((batch, checked(engine, batch, source, target)))
            except BaseException as error:  # it is raised where it is waited for
                answers.put((batch, error))

    # Daemons, because an answer that does not come should hold up neither Ctrl-C nor the end of the program.
    for _ in range(engine.at_once):
        threading.Thread(target=work, daemon=True).start()
    under_way = 0
    try:
        for batch in batches:
            waiting.put(batch)
            under_way += 1
            if under_way == engine.at_once:
                yield _answer(answers)
                under_way -= 1
        for _ in range(under_way):
            yield _answer(answers)
    finally:
        for _ in range(engine.at_once):
            waiting.put(None)


def checked(engine: Engine, batch: Batch, source: str, target: str) -> Results:
    """Translate a batch; translations that will not do become failures.

    Raises:
        ModelError: the engine fails altogether.
    """
    texts = [sentence.text for sentence in batch]
    results = engine.translate(texts, source, target)
    if len(results) != len(texts):
        raise ModelError(f"{engine.name}: {len(results)} results for {len(texts)} sentences")
    return [_checked(text, result) for text, result in zip(texts, results, strict=True)]


def _checked(text: str, result: str | Failure) -> str | Failure:
    if isinstance(result, Failure):
        return result
    # A sentence is a line: what the engine put on several goes on one.
    translation = " ".join(part.strip() for part in result.splitlines() if part.strip())
    wrong = defect(text, translation)
    if wrong is None:
        return translation
    # Half characters, which no file can hold, are shown as question marks.
    shown = translation.encode("utf-8", "replace").decode()
    return Failure(wrong, shown or None)


def _answer(answers: queue.SimpleQueue[tuple[Batch, Results | BaseException]]) -> tuple[Batch, Results]:
    batch, answer = answers.get()
    if isinstance(answer, EngineStopped):
        raise KeyboardInterrupt
    if isinstance(answer, BaseException):
        raise answer
    return batch, answer
