"""What is asked and answered, in which languages: parallel corpora, benchmarks, and where they come from."""

from isogloss.corpus.benchmark import RetrievalBenchmark
from isogloss.corpus.checking import PERCENTILES, CorpusReport, Problem, check_corpus
from isogloss.corpus.jsonl import write_jsonl
from isogloss.corpus.languages import is_language, standard_language
from isogloss.corpus.loading import load_benchmark
from isogloss.corpus.parallel import ParallelCorpus
from isogloss.corpus.parquet import write_parquet
from isogloss.corpus.reading import read_corpus
from isogloss.corpus.records import Version
from isogloss.corpus.registry import KnownBenchmark, fetch_benchmark, known_benchmarks
from isogloss.corpus.sample import sample_path
from isogloss.corpus.streaming import VersionWriter, stream_versions

__all__ = [
    "PERCENTILES",
    "CorpusReport",
    "KnownBenchmark",
    "ParallelCorpus",
    "Problem",
    "RetrievalBenchmark",
    "Version",
    "VersionWriter",
    "check_corpus",
    "fetch_benchmark",
    "is_language",
    "known_benchmarks",
    "load_benchmark",
    "read_corpus",
    "sample_path",
    "standard_language",
    "stream_versions",
    "write_jsonl",
    "write_parquet",
]
