"""Exact ranks of relevant candidates against the bare matrix product of the same vectors.

`python -m benchmarks.ranking` ranks with `rank_relevant`, checking and de-duplicating of the vectors included. The
bare product multiplies the same vectors by the same library with the same threads, in blocks of 2048 queries and
8192 candidates that are overwritten, the fastest of those tried; nothing is read from them. Both take turns. Before
anything is timed, ranks of some queries are held against sorted lists of the scores that run files are written from.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Report, Spread
from isogloss.evaluation import Pool, Ranks, distinct_vectors, rank_relevant
from isogloss.evaluation.columns import column_order
from isogloss.evaluation.scoring import check_scores, fill_scores

DIMENSIONS = 384
SIZES = ((10_000, 100_000), (10_000, 1_000_000))
QUICK_SIZES = ((600, 5_000), (1_000, 20_000))
RELEVANT = (1, 10)
BUDGETS = (2.1, 0.6)
LANGUAGES = 4


@dataclass(frozen=True)
class Case:
    """Ranking of one size: `seconds` of each repeat, `ratios` to the bare product of the same repeat."""

    queries: int
    candidates: int
    relevant: int
    memory_budget: float
    bare_seconds: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def bare(self) -> float:
        """The bare product's seconds, the median of the repeats."""
        return statistics.median(self.bare_seconds)

    @property
    def ratios(self) -> list[float]:
        """How many times the bare product's time each repeat took."""
        return [ranking / bare for ranking, bare in zip(self.seconds, self.bare_seconds, strict=True)]


def report_of(cases: list[Case], peak_gigabytes: float) -> Report:
    """Put the cases into a table.

    Args:
        cases: one a size, number of relevant candidates and budget.
        peak_gigabytes: the most that the process held resident.
    """
    return Report(
        name="ranking",
        title=f"ranking against the bare product of the same vectors, {DIMENSIONS} dimensions",
        columns=(
            "queries",
            "candidates",
            "relevant a query",
            "budget, GB",
            "bare product, s",
            "GFLOP/s",
            "ranking, s",
            "ratio (lowest to highest)",
        ),
        rows=tuple(
            (
                case.queries,
                case.candidates,
                case.relevant,
                case.memory_budget,
                case.bare,
                2e-9 * case.queries * case.candidates * DIMENSIONS / case.bare,
                statistics.median(case.seconds),
                Spread.over(case.ratios),
            )
            for case in cases
        ),
        notes=(f"at most {peak_gigabytes:.1f} GB resident", _library()),
        words=0,
        measured={"cases": [asdict(case) | {"ratios": case.ratios} for case in cases]},
    )


def random_pool(queries: int, candidates: int, relevant: int, seed: int) -> Pool:
    """Queries and candidates of four languages at random, relevant candidates at random, ids in no order."""
    draw = np.random.default_rng(seed)
    tie_order = draw.permutation(candidates)
    tie_position = np.empty_like(tie_order)
    tie_position[tie_order] = np.arange(candidates)
    chosen = np.sort(np.stack([draw.choice(candidates, relevant, replace=False) for _ in range(queries)]))
    return Pool(
        languages=tuple("abcd"),
        query_ids=tuple(map(str, range(queries))),
        candidate_ids=tuple(map(str, range(candidates))),
        query_language=draw.integers(LANGUAGES, size=queries),
        candidate_language=draw.integers(LANGUAGES, size=candidates),
        tie_order=tie_order,
        tie_position=tie_position,
        qrels=np.stack([np.repeat(np.arange(queries), relevant), chosen.ravel()], axis=1),
        offsets=np.arange(queries + 1) * relevant,
    )


def unit_vectors(rows: int, seed: int) -> NDArray[np.float32]:
    """Random directions, float32."""
    vectors = np.random.default_rng(seed).standard_normal((rows, DIMENSIONS), dtype=np.float32)
    for part in np.array_split(vectors, max(1, rows // 10_000)):
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return vectors


def bare_product(queries: NDArray[np.float32], candidates: NDArray[np.float32]) -> None:
    """Multiply all by all, a block over the other."""
    room = np.empty(2048 * 8192, dtype=np.float32)
    for top in range(0, len(queries), 2048):
        left = queries[top : top + 2048]
        for start in range(0, len(candidates), 8192):
            right = candidates[start : start + 8192].T
            out = room[: left.shape[0] * right.shape[1]].reshape(left.shape[0], right.shape[1])
            np.matmul(left, right, out=out)


def rank(
    pool: Pool, queries: NDArray[np.float32], candidates: NDArray[np.float32], memory_budget: float
) -> Ranks:
    """From vectors to ranks, as `evaluate_vectors` does it."""
    return rank_relevant(
        pool,
        distinct_vectors(queries, pool.query_ids),
        distinct_vectors(candidates, pool.candidate_ids, order=column_order(pool)),
        memory_budget=memory_budget,
    )


def check_ranks(
    pool: Pool, queries: NDArray[np.float32], candidates: NDArray[np.float32], ranks: Ranks
) -> None:
    """Hold the ranks of twelve queries against sorted lists.

    Raises:
        AssertionError: they differ.
    """
    left = distinct_vectors(queries, pool.query_ids)
    right = distinct_vectors(candidates, pool.candidate_ids, order=column_order(pool))
    within = check_scores(left, right)
    for query in np.random.default_rng(7).choice(len(queries), 12, replace=False).tolist():
        scores = np.empty((1, len(right.rows)), dtype=np.float32)
        fill_scores(scores, left, right, left.index[query], within_float32=within)
        scores_of = scores[0, right.index]
        order = np.lexsort((pool.tie_position, -scores_of))
        for pair in range(pool.offsets[query], pool.offsets[query + 1]):
            candidate = pool.qrels[pair, 1]
            language = pool.candidate_language[candidate]
            inside = order[pool.candidate_language[order] == language]
            assert ranks.pool_rank[pair] == np.flatnonzero(order == candidate)[0] + 1, (query, candidate)
            assert ranks.language_rank[pair] == np.flatnonzero(inside == candidate)[0] + 1, (query, candidate)


def run(quick: bool, repeats: int = 3) -> Report:
    """Check, then time bare product and ranking in turn; `quick` uses small sizes."""
    cases = []
    for number, candidates in QUICK_SIZES if quick else SIZES:
        queries, vectors = unit_vectors(number, 1), unit_vectors(candidates, 2)
        options = [(relevant, BUDGETS[0]) for relevant in RELEVANT] + [(RELEVANT[-1], BUDGETS[1])]
        of_size = [Case(number, candidates, relevant, budget) for relevant, budget in options]
        pools = [random_pool(number, candidates, case.relevant, 3) for case in of_size]
        for repeat in range(repeats):
            for case, pool in zip(of_size, pools, strict=True):
                began = time.perf_counter()
                bare_product(queries, vectors)
                multiplied = time.perf_counter()
                ranks = rank(pool, queries, vectors, case.memory_budget)
                ranked = time.perf_counter()
                if repeat == 0:
                    check_ranks(pool, queries, vectors, ranks)
                case.bare_seconds.append(multiplied - began)
                case.seconds.append(ranked - multiplied)
                print(
                    f"{number:,} x {candidates:,}, {case.relevant} relevant, {case.memory_budget} GB:"
                    f" {case.bare_seconds[-1]:.2f} s bare, {case.seconds[-1]:.2f} s ranking",
                    file=sys.stderr,
                    flush=True,
                )
        cases += of_size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return report_of(cases, peak)


def _library() -> str:
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    kernel = os.environ.get("OPENBLAS_CORETYPE", "chosen by the library")
    return f"{blas['name']} {blas['version']}, kernel {kernel}"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path, help="folder for table and figures; default: none is written")
    chosen = parser.parse_args()
    report = run(chosen.quick, chosen.repeats)
    if chosen.output is not None:
        report.write(chosen.output)
    print(report.as_markdown())


if __name__ == "__main__":
    main()
