"""An exported model against the original: how alike their vectors are, and what they are worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from isogloss.corpus import RetrievalBenchmark, load_benchmark
from isogloss.encoding.encoder import Encoder, Side, running_total
from isogloss.evaluation.model_evaluation import evaluate_model
from isogloss.evaluation.settings import SETTINGS

Progress = Callable[[str, int, int], None]
"""Called with the stage's name, how much of it is done, and how much it is in all."""

_EVERY = 3


@dataclass(frozen=True)
class Likeness:
    """Cosines of the vectors of some texts, by two models.

    Attributes:
        lowest: the lowest cosine; NaN where a vector is.
        mean: their mean.
        worst: the text of the lowest one, cut, with its side and language.
    """

    lowest: float
    mean: float
    worst: str


@dataclass(frozen=True)
class Probe:
    """Texts to compare vectors on: a side, a language and a text each."""

    texts: tuple[tuple[Side, str, str], ...]

    @property
    def languages(self) -> list[str]:
        """The languages, in alphabetical order."""
        return sorted({language for _, language, _ in self.texts})

    def encode(self, encoder: Encoder, progress: Callable[[int, int], None] | None) -> NDArray[np.float32]:
        """Encode all texts: float32, (texts, dimension), in their order."""
        vectors: NDArray[np.float32] | None = None
        report = running_total(lambda done: progress(done, len(self.texts)) if progress else None)
        for side in get_args(Side):
            rows = [row for row, text in enumerate(self.texts) if text[0] == side]
            found = encoder.encode(
                [self.texts[row][2] for row in rows],
                side,
                report,
                languages=[self.texts[row][1] for row in rows],
            )
            if vectors is None:
                vectors = np.empty((len(self.texts), found.shape[1]), dtype=np.float32)
            vectors[rows] = found
        assert vectors is not None
        return vectors

    def likeness(self, one: NDArray[np.float32], other: NDArray[np.float32]) -> Likeness:
        """Compare two models' unit vectors of these texts, each of shape (texts, dimension)."""
        cosines = np.einsum("td,td->t", one, other, dtype=np.float64)
        # NaN sorts last, and is the worst.
        row = int(np.argmax(np.where(np.isnan(cosines), np.inf, -cosines)))
        side, language, text = self.texts[row]
        shown = text if len(text) <= 60 else f"{text[:60]}…"
        return Likeness(float(cosines[row]), float(cosines.mean()), f"{language} {side} {shown!r}")


def sample_probe() -> Probe:
    """Texts of the bundled sample's development part, in eight languages; every third, as one tells as much as three.

    With them, in every language a text as long as a model takes, and an empty one.
    """
    benchmark = load_benchmark("sample:dev")
    texts: list[tuple[Side, str, str]] = [
        ("query", language, text)
        for language, text in zip(benchmark.query_languages, benchmark.query_texts, strict=True)
    ]
    passages: list[tuple[Side, str, str]] = [
        ("passage", language, text)
        for language, text in zip(benchmark.candidate_languages, benchmark.candidate_texts, strict=True)
    ]
    chosen = [*texts[::_EVERY], *passages[::_EVERY]]
    for language in sorted(set(benchmark.candidate_languages)):
        joined = " ".join(text for _, other, text in passages if other == language)
        chosen += [("passage", language, joined), ("query", language, "")]
    return Probe(tuple(dict.fromkeys(chosen)))


def benchmark_figures(
    encoder: Encoder, benchmark: RetrievalBenchmark, progress: Progress | None = None
) -> dict[str, Any]:
    """Measure what a model's vectors are worth: the mAP of each setting, and the rank distance."""
    evaluation, _ = evaluate_model(encoder, benchmark, progress, second=False)
    return {
        "map": {setting: evaluation.settings[setting].summaries["map"].mean for setting in SETTINGS},
        "rank_distance": evaluation.rank_distance.summary.mean,
    }
