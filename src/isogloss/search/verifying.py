"""How much an approximate back end finds of what exact search finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogloss.corpus.records import character_problem
from isogloss.encoding.encoder import Encoder
from isogloss.errors import DataError
from isogloss.search.backend import Backend
from isogloss.search.folder import STORE, read_settings, vector_file
from isogloss.search.generations import exact_backend, read_generation
from isogloss.search.store import PassageStore

RECALL_AT = (1, 10, 100)
SAMPLE = 200
"""Passages whose texts are asked where nobody gives questions."""


@dataclass(frozen=True)
class Recall:
    """Recall of a back end against exact search.

    Attributes:
        questions: how many were asked.
        at: the mean share of the k exact nearest that are among the k found, by k.
    """

    questions: int
    at: dict[int, float]


def recall_against(backend: Backend, exact: Backend, questions: NDArray[np.float32]) -> Recall:
    """Measure a back end's recall.

    Args:
        backend: what is measured.
        exact: exact search over the same passages.
        questions: float32, shape (questions, dimension), unit length.
    """
    found = backend.search_all(questions, max(RECALL_AT))
    wanted = exact.search_all(questions, max(RECALL_AT))
    at = {}
    for k in RECALL_AT:
        shares = [
            len({row for row, _ in some[:k]} & {row for row, _ in all_[:k]}) / len(all_[:k])
            for some, all_ in zip(found, wanted, strict=True)
            if all_
        ]
        at[k] = float(np.mean(shares)) if shares else 1.0
    return Recall(len(questions), at)


def read_questions(path: Path) -> list[str]:
    """Read questions, one a line, in UTF-8; empty lines are passed over.

    Raises:
        DataError: the file cannot be read, or holds no question; or a line is no text to be encoded.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise DataError(f"{path}: cannot read: {error.strerror or error}") from error
    questions = []
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path}:{number}: invalid UTF-8 ({error.reason}); save the file as UTF-8"
            ) from error
        if problem := character_problem("question", text):
            raise DataError(f"{path}:{number}: {problem[1]}")
        if text:
            questions.append(text)
    if not questions:
        raise DataError(f"{path}: holds no question; write one a line")
    return questions


def verify_index(
    folder: Path,
    encoder: Encoder,
    *,
    questions: Sequence[str] | None = None,
    token: str | None = None,
) -> tuple[dict[str, Any], Recall]:
    """Measure the recall of an index's back end.

    Args:
        folder: the index.
        encoder: its model.
        questions: what to ask; None takes the texts of `SAMPLE` of its passages, evenly over it, as questions.
        token: of a Milvus server.

    Returns:
        What the back end is, as it describes itself, and its recall.

    Raises:
        DataError: the index is empty or damaged.
    """
    store = PassageStore(folder / STORE)
    try:
        settings = read_settings(store)
        if questions is None:
            live = store.live_rows().values()
            rows = np.sort(np.concatenate([one.rows for one in live])) if live else np.empty(0, np.int64)
            picked = (
                rows[np.linspace(0, len(rows) - 1, min(SAMPLE, len(rows))).astype(int)] if len(rows) else rows
            )
            questions = [passage.text for passage in store.passages(picked.tolist()).values()]
        if not questions:
            raise DataError(f"{folder}: there is no question to verify with")
        vectors = encoder.encode(list(questions), "query")
        backend = read_generation(folder, store, settings, token).backend
        try:
            exact = exact_backend(store.live_rows(), vector_file(folder, store, settings))
            recall = recall_against(backend, exact, vectors)
            described = backend.describe()
        finally:
            backend.close()
    finally:
        store.close()
    return described, recall
