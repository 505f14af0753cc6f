"""Encoding under a token budget, and in reduced precision, against plain `SentenceTransformer.encode`.

`python -m benchmarks.encoding --data xquad-r` encodes a fixed random part of a benchmark's distinct texts. All cases
are checked against plain float32 first, then timed in turn, so that a slow minute of the machine falls on all of them.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Ratio, Report, bars, interleaved
from isogloss import SentenceTransformerEncoder, load_benchmark
from isogloss.encoding.precision import PRECISIONS
from isogloss.errors import ModelError

Vectors = NDArray[np.float32]
PLAIN = "SentenceTransformer.encode"


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


def run(
    quick: bool,
    model: str = "multilingual-e5-small",
    data: str = "sample:train",
    queries: int = 1000,
    passages: int = 1500,
) -> Report:
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
    ratios = {case: Ratio.of(seconds[PLAIN], took) for case, took in seconds.items()}
    texts = len(query_texts) + len(passage_texts)
    return Report(
        name="encoding",
        title=f"Encoding {len(query_texts):,} queries and {len(passage_texts):,} passages of {benchmark.name}",
        columns=(
            "encoding",
            "texts/s",
            "times as fast (lowest to highest)",
            "lowest cosine with plain float32",
        ),
        rows=tuple(
            (case, texts / statistics.median(took), ratios[case], f"{cosines[case]:.5f}")
            for case, took in seconds.items()
        ),
        notes=(
            f"in turn, {len(seconds[PLAIN])} times; isogloss in float32 gives the vectors of {PLAIN} to 1e-5",
            *(f"{case}: not run: {why}" for case, why in not_run.items()),
        ),
        measured={"texts": texts, "seconds": seconds, "lowest_cosine": cosines},
        plot=bars(f"times as fast as {PLAIN}", ratios),
    )


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
    print(report.as_markdown())


if __name__ == "__main__":
    main()
