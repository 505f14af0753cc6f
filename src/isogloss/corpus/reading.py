"""Read a parallel corpus, whatever its form."""

from __future__ import annotations

from pathlib import Path

from isogloss.corpus import registry, sample
from isogloss.corpus.arrow_folder import is_corpus_folder, open_corpus
from isogloss.corpus.jsonl import jsonl_source
from isogloss.corpus.parallel import ParallelCorpus
from isogloss.corpus.parquet import parquet_source
from isogloss.corpus.records import RecordSource
from isogloss.corpus.squad_r import is_squad_r_folder, squad_r_source
from isogloss.errors import CorpusError

FORMS = (
    "a .jsonl, .jsonl.gz or .parquet file, a corpus folder, a folder of <language>.json files in SQuAD-R form"
)


def read_corpus(path: str | Path, *, data_dir: str | Path | None = None) -> ParallelCorpus:
    """Read a parallel corpus, deciding by its form.

    Args:
        path: a corpus folder (memory-mapped), a `.jsonl`, `.jsonl.gz` or `.parquet` file, a SQuAD-R folder,
            `sample:train`, `sample:dev` or `sample:test`, or the name of a known benchmark (`xquad-r`; a
            folder of that name in the working directory is `./xquad-r`).
        data_dir: where to look for known benchmarks, see `isogloss.corpus.registry.locate_benchmark`.

    Returns:
        The corpus, named after the only `dataset` value of its records, or else after the file or folder.

    Raises:
        CorpusError: there is no such file, or something is wrong in it; reading stops at the first problem,
            named with file and line.
        BenchmarkError: a known benchmark is neither on this machine nor to be had.
    """
    text = str(path)
    if text.startswith(sample.PREFIX):
        split = text.removeprefix(sample.PREFIX)
        return ParallelCorpus.from_source(_source(sample.sample_path(split)), name=f"sample-{split}")
    if text in registry.KNOWN_BENCHMARKS:
        folder = registry.obtain_benchmark(text, data_dir)
        return ParallelCorpus.from_source(squad_r_source(folder), name=text)
    path = Path(path)
    if path.is_dir() and is_corpus_folder(path):
        return open_corpus(path)
    source = record_source(path)
    try:
        corpus = ParallelCorpus.from_source(source, name=corpus_name(path))
    except OSError as error:
        raise CorpusError(f"{path}: cannot read: {error.strerror or error}") from error
    datasets = corpus.table["dataset"].unique().to_pylist()
    if len(datasets) == 1 and datasets[0] is not None:
        corpus.name = datasets[0]
    return corpus


def record_source(path: Path) -> RecordSource:
    """The records of a file or SQuAD-R folder.

    Raises:
        CorpusError: there is no such file or folder, or it is of no known form.
    """
    if not path.exists():
        known = ", ".join(
            (*(f"{sample.PREFIX}{split}" for split in sample.SPLITS), *registry.KNOWN_BENCHMARKS)
        )
        raise CorpusError(f"{path}: no such file or folder; give {FORMS}, or one of {known}")
    return _source(path)


def corpus_name(path: Path) -> str:
    """A corpus's name from its file or folder: the last part of the path without suffixes of file formats."""
    name = path.resolve().name
    for suffix in (".gz", ".jsonl", ".parquet"):
        name = name.removesuffix(suffix)
    return name or "corpus"


def _source(path: Path) -> RecordSource:
    hint = f" (`isogloss data check {path}` lists every problem)"
    name = path.name.lower()
    if path.is_dir():
        if is_squad_r_folder(path):
            return squad_r_source(path, hint=hint)
        raise CorpusError(
            f"{path}: no corpus in this folder: it has neither corpus.json nor a <language>.json file"
        )
    if name.endswith((".jsonl", ".jsonl.gz")):
        return jsonl_source(path, hint=hint)
    if name.endswith(".parquet"):
        return parquet_source(path, hint=hint)
    raise CorpusError(f"{path}: of no known form; give {FORMS}")
