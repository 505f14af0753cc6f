"""Encoding under a token budget, and in reduced precision, against plain `SentenceTransformer.encode`.

`python -m benchmarks.encoding --data xquad-r` encodes a fixed random part of a benchmark's distinct texts. All cases
are checked against plain float32 first, then timed in turn, so that a slow minute of the machine falls on all of them.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogloss import SentenceTransformerEncoder, load_benchmark
from isogloss.encoding.precision import PRECISIONS
from isogloss.errors import ModelError

Vectors = NDArray[np.float32]
PLAIN = "SentenceTransformer.encode"


@dataclass(frozen=True)
class EncodingReport:
    """What was measured.

    Attributes:
        machine: the processor's architecture, torch's threads.
        texts: queries and passages together.
        lowest_cosine: with the vectors of plain float32, over all texts, by case.
        seconds: of each repeat, by case.
        ratios: plain seconds by the case's, of each repeat.
        not_run: cases that could not be had, and why.
    """

    machine: str
    texts: int
    lowest_cosine: dict[str, float]
    seconds: dict[str, list[float]]
    ratios: dict[str, list[float]]
    not_run: dict[str, str]

    def as_json(self) -> str:
        """Everything, as JSON."""
        return json.dumps(asdict(self), indent=2) + "\n"

    def as_markdown(self) -> str:
        """The table, after a line on the machine."""
        lines = [
            f"{self.texts:,} texts, {self.machine}\n",
            "| encoding | texts/s | times as fast (lowest to highest) | lowest cosine with plain float32 |",
            "|---|--:|--:|--:|",
        ]
        for case, seconds in self.seconds.items():
            lines.append(
                f"| {case} | {self.texts / statistics.median(seconds):,.0f} | {spread(self.ratios[case])} |"
                f" {self.lowest_cosine[case]:.5f} |"
            )
        lines += [f"| {case} | not run: {why} | | |" for case, why in self.not_run.items()]
        return "\n".join(lines) + "\n"


def spread(ratios: Sequence[float]) -> str:
    """The median of some ratios, and between which they lie."""
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def interleaved(cases: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, list[float]]:
    """Time each case once, then each again, and so on; wall-clock seconds by case."""
    seconds: dict[str, list[float]] = {case: [] for case in cases}
    for _ in range(repeats):
        for case, call in cases.items():
            began = time.perf_counter()
            call()
            seconds[case].append(time.perf_counter() - began)
    return seconds


def encoders(model: str) -> tuple[dict[str, SentenceTransformerEncoder], dict[str, str]]:
    """Load a model in every precision that can be had here, on the processor; and say why others cannot."""
    loaded, not_run = {}, {}
    for precision in PRECISIONS:
        case = f"isogloss, {precision}"
        try:
            loaded[case] = SentenceTransformerEncoder.load(model, precision=precision, device="cpu")
        except ModelError as error:
            not_run[case] = str(error)
    return loaded, not_run


def plain_encode(
    encoder: SentenceTransformerEncoder, queries: Sequence[str], passages: Sequence[str]
) -> Vectors:
    """What one would write without isogloss."""
    model, prompts = encoder.model, encoder.prompts
    sides = [(list(queries), prompts.query), (list(passages), prompts.passage)]
    return np.concatenate(
        [model.encode(texts, prompt=prompt, normalize_embeddings=True) for texts, prompt in sides if texts]
    )


def machine() -> str:
    """The machine, as far as timings depend on it."""
    import torch

    return f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"


def run(
    quick: bool,
    model: str = "multilingual-e5-small",
    data: str = "sample:train",
    queries: int = 1000,
    passages: int = 1500,
) -> EncodingReport:
    """Check that all cases give the same vectors, then time them in turn.

    Args:
        quick: a few texts, once.
        model: as `isogloss evaluate` takes it.
        data: a benchmark or corpus.
        queries: how many of its distinct queries, at most, are drawn.
        passages: how many of its distinct candidates, at most, are drawn.
    """
    benchmark = load_benchmark(data)
    draw = random.Random(0)

    def drawn(texts: Sequence[str], count: int) -> list[str]:
        distinct = sorted(set(texts))
        return draw.sample(distinct, min(32 if quick else count, len(distinct)))

    query_texts = drawn(benchmark.query_texts, queries)
    passage_texts = drawn(benchmark.candidate_texts, passages)
    loaded, not_run = encoders(model)
    reference = loaded["isogloss, float32"]

    def with_isogloss(encoder: SentenceTransformerEncoder) -> Vectors:
        sides = [encoder.encode(query_texts, "query"), encoder.encode(passage_texts, "passage")]
        return np.concatenate(sides)

    cases: dict[str, Callable[[], Vectors]] = {
        PLAIN: lambda: plain_encode(reference, query_texts, passage_texts),
        **{case: lambda encoder=encoder: with_isogloss(encoder) for case, encoder in loaded.items()},
    }
    vectors = {case: call() for case, call in cases.items()}
    np.testing.assert_allclose(vectors["isogloss, float32"], vectors[PLAIN], atol=1e-5)
    cosines = {
        case: float(np.einsum("td,td->t", found, vectors[PLAIN]).min()) for case, found in vectors.items()
    }
    seconds = interleaved(cases, 1 if quick else 3)
    ratios = {
        case: [plain / taken for plain, taken in zip(seconds[PLAIN], took, strict=True)]
        for case, took in seconds.items()
    }
    return EncodingReport(machine(), len(query_texts) + len(passage_texts), cosines, seconds, ratios, not_run)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--model", default="multilingual-e5-small")
    parser.add_argument("--data", default="sample:train")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--passages", type=int, default=1500)
    options = parser.parse_args()
    report = run(options.quick, options.model, options.data, options.queries, options.passages)
    print(report.as_markdown(), report.as_json(), sep="\n")


if __name__ == "__main__":
    main()
