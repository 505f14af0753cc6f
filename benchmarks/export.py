"""Exports to ONNX, in float32 and with 8-bit weights, against the model they were made of.

`python -m benchmarks.export` exports a model, holds the exports' vectors against the original's, and times the three in
turn on the distinct texts of a benchmark, all on the processor.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Ratio, Report, bars, interleaved
from isogloss import load_benchmark, open_encoder
from isogloss.encoding.encoder import Encoder
from isogloss.encoding.vector_files import distinct_texts
from isogloss.export.onnx import LOWEST_COSINE, export_onnx

ORIGINAL = "original, float32"
ONNX = "ONNX, float32"


def run(
    quick: bool, model: str = "multilingual-e5-small", data: str = "sample:dev", texts: int = 400
) -> Report:
    """Export, compare, and time in turn.

    Args:
        quick: a few texts, once.
        model: as `isogloss export` takes it.
        data: a benchmark or corpus.
        texts: how many of its distinct texts at most, evenly over all of them.
    """
    every = distinct_texts(load_benchmark(data))
    count = min(32 if quick else texts, len(every))
    drawn = [every[row] for row in np.linspace(0, len(every) - 1, count).astype(int)]
    queries = [text for side, text in drawn if side == "query"]
    passages = [text for side, text in drawn if side == "passage"]

    def encode(encoder: Encoder) -> NDArray[np.float32]:
        return np.concatenate([encoder.encode(queries, "query"), encoder.encode(passages, "passage")])

    with tempfile.TemporaryDirectory() as folder:
        encoders: dict[str, Encoder] = {ORIGINAL: open_encoder(model, device="cpu")}
        size = {}
        for quantize in (None, "int8"):
            name = f"ONNX, {quantize or 'float32'}"
            output = Path(folder) / (quantize or "float32")
            size[name] = export_onnx(model, output, quantize=quantize)["bytes"][quantize or "float32"]
            encoders[name] = open_encoder(output)
        cases: dict[str, Callable[[], NDArray[np.float32]]] = {
            name: lambda encoder=encoder: encode(encoder) for name, encoder in encoders.items()
        }
        vectors = {name: call() for name, call in cases.items()}
        lowest = {
            name: float(np.einsum("td,td->t", found, vectors[ORIGINAL]).min())
            for name, found in vectors.items()
        }
        assert lowest[ONNX] >= LOWEST_COSINE, f"{ONNX}: cosine {lowest[ONNX]}"
        seconds = interleaved(cases, 1 if quick else 5)
    ratios = {name: Ratio.of(seconds[ORIGINAL], took) for name, took in seconds.items()}
    return Report(
        name="export",
        title=f"Encoding {len(queries):,} queries and {len(passages):,} passages of {data} by exports of {model}",
        columns=(
            "model",
            "texts/s",
            "times as fast (lowest to highest)",
            "lowest cosine with the original",
            "graph, MB",
        ),
        rows=tuple(
            (
                name,
                count / statistics.median(took),
                ratios[name],
                f"{lowest[name]:.5f}",
                size[name] / 1e6 if name in size else None,
            )
            for name, took in seconds.items()
        ),
        notes=(f"in turn, {len(seconds[ORIGINAL])} times; exports run by OpenVINO, the original by torch",),
        measured={"texts": count, "seconds": seconds, "lowest_cosine": lowest, "bytes": size},
        plot=bars("times as fast as the original", ratios),
    )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--model", default="multilingual-e5-small")
    parser.add_argument("--data", default="sample:dev")
    parser.add_argument("--texts", type=int, default=400)
    options = parser.parse_args()
    print(run(options.quick, options.model, options.data, options.texts).as_markdown())


if __name__ == "__main__":
    main()
