"""Write a benchmark as a dataset folder in MTEB's form, which MTEB, `datasets` and `isogloss.corpus.configs` read.

Each setting and language (pair) is a subset: `mono-de`, `cross-de-en`, `multi-de`. Passages and queries lie in a file a
language, which the README's configurations combine, so that nothing is there twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from isogloss.corpus import RetrievalBenchmark
from isogloss.exchange.subsets import Subset, subsets_of
from isogloss.files import finished_folder


def write_mteb_dataset(benchmark: RetrievalBenchmark, folder: Path, *, split: str = "test") -> list[str]:
    """Write a dataset folder.

    Args:
        benchmark: the benchmark.
        folder: where to; not there yet, or empty.
        split: the name of the split.

    Returns:
        The names of the subsets.

    Raises:
        OutputError: the folder is there already or cannot be written.
    """
    subsets = list(subsets_of(benchmark))
    with finished_folder(folder) as temporary:
        for part in ("corpus", "queries", "qrels"):
            (temporary / part).mkdir()
        for language in sorted(set(benchmark.candidate_languages)):
            _write(temporary / "corpus" / f"{language}.parquet", _passages(benchmark, language))
        for language in sorted(set(benchmark.query_languages)):
            _write(temporary / "queries" / f"{language}.parquet", _queries(benchmark, language))
        for subset in subsets:
            _write(temporary / "qrels" / f"{subset.name}.parquet", _qrels(benchmark, subset))
        head = _head(subsets, sorted(set(benchmark.candidate_languages)), split)
        (temporary / "README.md").write_text(head + _card(benchmark), encoding="utf-8", newline="\n")
    return [subset.name for subset in subsets]


def _passages(benchmark: RetrievalBenchmark, language: str) -> pa.Table:
    rows = [number for number, one in enumerate(benchmark.candidate_languages) if one == language]
    return pa.table(
        {
            "_id": [benchmark.candidate_ids[row] for row in rows],
            "title": pa.array([""] * len(rows), pa.string()),
            "text": [benchmark.candidate_texts[row] for row in rows],
            "language": [language] * len(rows),
            "parallel_ids": pa.array(
                [benchmark.candidate_parallel_ids[row] for row in rows], pa.list_(pa.string())
            ),
        }
    )


def _queries(benchmark: RetrievalBenchmark, language: str) -> pa.Table:
    rows = [number for number, one in enumerate(benchmark.query_languages) if one == language]
    return pa.table(
        {
            "_id": [benchmark.query_ids[row] for row in rows],
            "text": [benchmark.query_texts[row] for row in rows],
            "language": [language] * len(rows),
            "parallel_id": [benchmark.query_parallel_ids[row] for row in rows],
        }
    )


def _qrels(benchmark: RetrievalBenchmark, subset: Subset) -> pa.Table:
    pairs = subset.relevant.tolist()
    return pa.table(
        {
            "query-id": [benchmark.query_ids[query] for query, _ in pairs],
            "corpus-id": [benchmark.candidate_ids[candidate] for _, candidate in pairs],
            "score": pa.array([1] * len(pairs), pa.int32()),
        }
    )


def _write(path: Path, table: pa.Table) -> None:
    pq.write_table(table, path)


def _head(subsets: Sequence[Subset], languages: Sequence[str], split: str) -> str:
    """The README's head, which names the configurations."""
    lines = ["---", "tags: [mteb, isogloss]", "configs:"]
    for subset in subsets:
        pool = [subset.candidate_language] if subset.candidate_language else languages
        files = {
            "corpus": [f"corpus/{language}.parquet" for language in pool],
            "queries": [f"queries/{subset.query_language}.parquet"],
            "qrels": [f"qrels/{subset.name}.parquet"],
        }
        for part, paths in files.items():
            lines += [
                f"- config_name: {subset.name}-{part}",
                "  data_files:",
                f"  - split: {split}",
                f"    path: [{', '.join(paths)}]",
            ]
    return "\n".join([*lines, "---", "", ""])


def _card(benchmark: RetrievalBenchmark) -> str:
    return f"""# {benchmark.name}

{len(benchmark.query_ids)} queries, {len(benchmark.candidate_ids)} passages in {", ".join(benchmark.languages)}, for
monolingual (`mono-xx`), cross-lingual (`cross-xx-yy`: queries in xx, passages in yy) and multilingual (`multi-xx`: the
passages of all languages) retrieval. Checksum {benchmark.checksum}.
"""
