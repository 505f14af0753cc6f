"""Load a benchmark, whatever its form."""

from __future__ import annotations

from pathlib import Path

from isogloss.corpus import registry
from isogloss.corpus.benchmark import RetrievalBenchmark
from isogloss.corpus.collection import is_collection_folder
from isogloss.corpus.configs import is_config_folder, read_config_folder
from isogloss.corpus.judged import read_judged_folder
from isogloss.corpus.reading import read_corpus
from isogloss.corpus.squad_r import is_squad_r_folder


def load_benchmark(
    name_or_path: str | Path, data_dir: str | Path | None = None, *, split: str | None = None
) -> RetrievalBenchmark:
    """Load a benchmark by name or path.

    Args:
        name_or_path: a known benchmark (`xquad-r`, `mlqa-r`), a SQuAD-R folder, a folder in BEIR's form whose records
            say their language, a folder in MTEB's form, or anything that `read_corpus` reads (`sample:test`, a JSONL
            file).
        data_dir: where known benchmarks lie, see `isogloss.corpus.registry.locate_benchmark`. A known
            benchmark that is not on this machine is fetched into the cache folder, unless `data_dir` is
            given.
        split: which qrels of a folder in BEIR's or MTEB's form; None takes the only ones besides "train".

    Raises:
        BenchmarkError: a benchmark is missing, damaged or not the published one.
        CorpusError: a corpus is missing or wrong.
    """
    if str(name_or_path) in registry.KNOWN_BENCHMARKS:
        name = str(name_or_path)
        return RetrievalBenchmark.from_squad_r(registry.obtain_benchmark(name, data_dir), name=name)
    path = Path(name_or_path)
    if is_squad_r_folder(path) and not (path / "corpus.json").is_file():
        return RetrievalBenchmark.from_squad_r(path)
    if is_config_folder(path):
        return read_config_folder(path, split=split)
    if is_collection_folder(path):
        return read_judged_folder(path, split=split)
    return RetrievalBenchmark.from_corpus(read_corpus(name_or_path, data_dir=data_dir))
