"""Write a benchmark as BEIR folders, which `isogloss.corpus.judged` and BEIR's own loader read.

BEIR (Thakur et al. 2021, arXiv 2104.08663) has `corpus.jsonl`, `queries.jsonl` and `qrels/SPLIT.tsv`. Its records have
room for `metadata`: there go the language of a query or passage, and the parallel ids.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogloss.corpus import RetrievalBenchmark
from isogloss.errors import BenchmarkError
from isogloss.exchange.subsets import subsets_of
from isogloss.files import finished_folder


def write_beir(benchmark: RetrievalBenchmark, folder: Path, *, split: str = "test") -> None:
    """Write a benchmark as one BEIR folder: the pool is the passages of all languages.

    Args:
        benchmark: the benchmark.
        folder: where to; not there yet, or empty.
        split: the name of the qrels.

    Raises:
        BenchmarkError: an id that BEIR's loader would read as another.
        OutputError: the folder is there already or cannot be written.
    """
    _check_ids(benchmark)
    with finished_folder(folder) as temporary:
        queries = np.arange(len(benchmark.query_ids))
        candidates = np.arange(len(benchmark.candidate_ids))
        _write(benchmark, temporary, split, queries, candidates, benchmark.qrels)


def write_beir_subsets(benchmark: RetrievalBenchmark, folder: Path, *, split: str = "test") -> list[str]:
    """Write a BEIR folder for each subset: `mono-de`, `cross-de-en`, `multi-de` and so on.

    Tools that measure one corpus at a time find a query's candidates of one setting in each. The files hold a passage
    as often as there are subsets with its language.

    Returns:
        The names of the subsets.

    Raises:
        BenchmarkError: as `write_beir`.
        OutputError: the folder is there already or cannot be written.
    """
    _check_ids(benchmark)
    names = []
    with finished_folder(folder) as temporary:
        for subset in subsets_of(benchmark):
            place = temporary / subset.name
            _write(benchmark, place, split, subset.queries, subset.candidates, subset.relevant)
            names.append(subset.name)
    return names


def _write(
    benchmark: RetrievalBenchmark,
    folder: Path,
    split: str,
    queries: NDArray[np.int64],
    candidates: NDArray[np.int64],
    relevant: NDArray[np.int64],
) -> None:
    (folder / "qrels").mkdir(parents=True)
    _write_lines(
        folder / "corpus.jsonl",
        (
            {
                "_id": benchmark.candidate_ids[number],
                # BEIR joins title and text; a benchmark has them joined already.
                "title": "",
                "text": benchmark.candidate_texts[number],
                "metadata": {
                    "language": benchmark.candidate_languages[number],
                    "parallel_ids": benchmark.candidate_parallel_ids[number],
                },
            }
            for number in candidates.tolist()
        ),
    )
    _write_lines(
        folder / "queries.jsonl",
        (
            {
                "_id": benchmark.query_ids[number],
                "text": benchmark.query_texts[number],
                "metadata": {
                    "language": benchmark.query_languages[number],
                    "parallel_id": benchmark.query_parallel_ids[number],
                },
            }
            for number in queries.tolist()
        ),
    )
    with (folder / "qrels" / f"{split}.tsv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
        writer.writerow(["query-id", "corpus-id", "score"])
        writer.writerows(
            (benchmark.query_ids[query], benchmark.candidate_ids[candidate], 1)
            for query, candidate in relevant.tolist()
        )


def _write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _check_ids(benchmark: RetrievalBenchmark) -> None:
    for name in (*benchmark.query_ids, *benchmark.candidate_ids):
        if name.startswith('"'):
            raise BenchmarkError(
                f"benchmark {benchmark.name!r}: the id {name!r} begins with a quotation mark, which BEIR's loader takes"
                " for the beginning of a quotation; rename it"
            )
