"""One encoding pass for all settings against evaluating pair by pair.

`python -m benchmarks.evaluation` evaluates a corpus both ways. The peer does what a harness with a task for each pair
of languages does: for every ordered pair, and for every query language against the pool of all candidates, encode
queries and candidates with plain `SentenceTransformer.encode`, score, sort, measure. Both ways must agree on every
pair's and pool's mAP before times are compared.
"""

from __future__ import annotations

import argparse
import statistics
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from benchmarks.encoding import encoders
from benchmarks.harness import Ratio, Report, bars, interleaved
from isogloss import SentenceTransformerEncoder, evaluate_model, load_benchmark
from isogloss.corpus import RetrievalBenchmark

PEER = "pair by pair, SentenceTransformer.encode"


def pair_by_pair(
    encoder: SentenceTransformerEncoder, benchmark: RetrievalBenchmark
) -> tuple[dict[str, float], int]:
    """Evaluate every pair and every pool by itself.

    Returns:
        mAP by setting, ``en->de`` or ``en->*`` for the pool; and how many texts were encoded.
    """
    relevant: dict[int, set[int]] = defaultdict(set)
    for query, candidate in benchmark.qrels.tolist():
        relevant[query].add(candidate)
    maps, encoded = {}, 0
    for query_language in benchmark.languages:
        for pool in (*benchmark.languages, "*"):
            queries = [
                n for n, language in enumerate(benchmark.query_languages) if language == query_language
            ]
            candidates = [
                n for n, language in enumerate(benchmark.candidate_languages) if pool in (language, "*")
            ]
            vectors = [
                encoder.model.encode([texts[n] for n in numbers], prompt=prompt, normalize_embeddings=True)
                for texts, numbers, prompt in (
                    (benchmark.query_texts, queries, encoder.prompts.query),
                    (benchmark.candidate_texts, candidates, encoder.prompts.passage),
                )
            ]
            encoded += len(queries) + len(candidates)
            order = np.argsort(-(vectors[0] @ vectors[1].T), axis=1, kind="stable")
            precisions = []
            for query, ranking in zip(queries, order, strict=True):
                hits = np.array([candidates[place] in relevant[query] for place in ranking.tolist()])
                if hits.any():
                    ranks = np.flatnonzero(hits) + 1
                    precisions.append(np.mean(np.arange(1, len(ranks) + 1) / ranks))
            maps[f"{query_language}->{pool}"] = float(np.mean(precisions))
    return maps, encoded


def one_pass(encoder: SentenceTransformerEncoder, benchmark: RetrievalBenchmark) -> dict[str, float]:
    """Evaluate with isogloss; mAP by the same names."""
    evaluation, _ = evaluate_model(encoder, benchmark)
    summaries = {setting: scores.summaries["map"] for setting, scores in evaluation.settings.items()}
    return {
        **{f"{language}->{language}": value for language, value in summaries["mono"].by_language.items()},
        **(summaries["cross"].by_pair or {}),
        **{f"{language}->*": value for language, value in summaries["multi"].by_language.items()},
    }


def run(
    quick: bool,
    model: str = "multilingual-e5-small",
    data: str = "sample:dev",
    languages: Sequence[str] = (),
) -> Report:
    """Check that both ways agree, then time them in turn.

    Args:
        quick: two languages, once.
        model: as `isogloss evaluate` takes it.
        data: a benchmark or corpus.
        languages: some of its languages; none means all.
    """
    benchmark = load_benchmark(data)
    if languages:
        benchmark = benchmark.subset(languages)
    if quick:
        benchmark = benchmark.subset(benchmark.languages[:2])
    loaded, not_run = encoders(model)
    exact = loaded["isogloss, float32"]
    peer, peer_texts = pair_by_pair(exact, benchmark)
    found = {case: one_pass(encoder, benchmark) for case, encoder in loaded.items()}
    ours = found["isogloss, float32"]
    if ours.keys() != peer.keys():
        raise AssertionError(f"other settings: {sorted(ours.keys() ^ peer.keys())}")
    for setting, value in peer.items():
        # Vectors that differ in the seventh digit may swap two candidates that are as good as tied.
        np.testing.assert_allclose(ours[setting], value, atol=1e-3, err_msg=setting)
    seconds = interleaved(
        {
            PEER: lambda: pair_by_pair(exact, benchmark),
            **{
                case: lambda encoder=encoder: one_pass(encoder, benchmark) for case, encoder in loaded.items()
            },
        },
        1 if quick else 3,
    )
    distinct = len(set(benchmark.query_texts)) + len(set(benchmark.candidate_texts))
    encoded = {case: peer_texts if case == PEER else distinct for case in seconds}
    ratios = {case: Ratio.of(seconds[PEER], took) for case, took in seconds.items()}
    means = {case: _means(maps) for case, maps in {PEER: peer, **found}.items()}
    return Report(
        name="evaluation",
        title=f"Evaluating on {benchmark.name}: {len(benchmark.query_ids):,} queries,"
        f" {len(benchmark.candidate_ids):,} candidates, {len(benchmark.languages)} languages",
        columns=(
            "evaluation",
            "texts encoded",
            "seconds",
            "times as fast (lowest to highest)",
            "mono, cross, multi mAP",
        ),
        rows=tuple(
            (
                case,
                encoded[case],
                statistics.median(took),
                ratios[case],
                ", ".join("none" if value is None else f"{value:.4f}" for value in means[case]),
            )
            for case, took in seconds.items()
        ),
        notes=(
            f"in turn, {len(seconds[PEER])} times; every pair's and pool's mAP in float32 is that of {PEER} to 1e-3",
            *(f"{case}: not run: {why}" for case, why in not_run.items()),
        ),
        measured={"encoded": encoded, "seconds": seconds, "map": means},
        plot=bars(f"times as fast as {PEER}", ratios),
    )


def _means(maps: dict[str, float]) -> list[float | None]:
    """Mean mAP over the settings of mono, cross and multi."""
    kinds: dict[str, list[float]] = {"mono": [], "cross": [], "multi": []}
    for setting, value in maps.items():
        query_language, pool = setting.split("->")
        kinds["multi" if pool == "*" else "mono" if pool == query_language else "cross"].append(value)
    return [float(np.mean(values)) if values else None for values in kinds.values()]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--model", default="multilingual-e5-small")
    parser.add_argument("--data", default="sample:dev")
    parser.add_argument("--language", action="append", default=[], help="repeatable; default: all")
    options = parser.parse_args()
    report = run(options.quick, options.model, options.data, options.language)
    print(report.as_markdown())


if __name__ == "__main__":
    main()
