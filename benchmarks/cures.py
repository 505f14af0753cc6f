"""Cures without training beside training, and after it.

`python -m benchmarks.cures MODEL [MODEL ...] --data xquad-r` encodes a benchmark once with each model and applies
every cure to the same vectors, fitted on `sample:train`, and on the texts of the benchmark itself: the latter tells
what a cure could do that knew the pool, not what it does for texts to come.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.harness import Report
from isogloss import SentenceTransformerEncoder, load_benchmark
from isogloss.corpus import RetrievalBenchmark
from isogloss.encoding.debias.cures import METHODS
from isogloss.encoding.debias.fitting import fit_on
from isogloss.encoding.remembering import RememberingEncoder
from isogloss.evaluation import Evaluation, evaluate_vectors

QUICK_LANGUAGES = 2


def row_of(name: str, evaluation: Evaluation) -> tuple[str | float, ...]:
    """A line of the table."""
    settings = evaluation.settings
    maps = [settings[setting].summaries["map"].mean for setting in ("mono", "cross", "multi")]
    figures = [*maps, settings["multi"].summaries["recall@10"].mean, evaluation.rank_distance.summary.mean]
    *shares, distance = (float("nan") if value is None else value for value in figures)
    return (name, *(f"{share:.3f}" for share in shares), f"{distance:,.0f}")


def rows_of(
    model: str, benchmark: RetrievalBenchmark, fits: list[RetrievalBenchmark]
) -> list[tuple[str | float, ...]]:
    """A model as it is, and with each cure of each fit."""
    encoder = RememberingEncoder(SentenceTransformerEncoder.load(model, device="cpu"))
    queries = encoder.encode(benchmark.query_texts, "query")
    candidates = encoder.encode(benchmark.candidate_texts, "passage")
    name = Path(model).name
    rows = [row_of(name, evaluate_vectors(benchmark, queries, candidates, second=False))]
    for fit in fits:
        for method in METHODS:
            cure, _ = fit_on(encoder, fit, method)
            cured = (
                cure.apply(queries, benchmark.query_languages),
                cure.apply(candidates, benchmark.candidate_languages),
            )
            where = "the pool itself" if fit is benchmark else fit.name
            evaluation = evaluate_vectors(benchmark, *cured, second=False)
            rows.append(row_of(f"{name} + {method}, fitted on {where}", evaluation))
            print(*rows[-1], flush=True)
    return rows


def run(
    quick: bool, models: tuple[str, ...] = ("multilingual-e5-small",), data: str = "sample:test"
) -> Report:
    """Measure every model with every cure.

    Args:
        quick: two languages.
        models: as `isogloss evaluate` takes them.
        data: a benchmark or corpus.
    """
    benchmark, train = load_benchmark(data), load_benchmark("sample:train")
    if quick:
        benchmark, train = (one.subset(one.languages[:QUICK_LANGUAGES]) for one in (benchmark, train))
    rows = [row for model in models for row in rows_of(model, benchmark, [train, benchmark])]
    return Report(
        name="cures",
        title=f"Cures without training, on {benchmark.name}",
        columns=("model", "mono mAP", "cross mAP", "multi mAP", "multi R@10", "rank distance"),
        rows=tuple(rows),
        notes=(
            f"sample:train holds {len(train.languages)} languages: {', '.join(train.languages)};"
            " texts in others are treated like the mean of all",
        ),
        measured={"rows": [list(row) for row in rows]},
    )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=["multilingual-e5-small"])
    parser.add_argument("--data", default="sample:test")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    print(run(options.quick, tuple(options.models), options.data).as_markdown())


if __name__ == "__main__":
    main()
