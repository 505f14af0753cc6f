"""A benchmark goes to MTEB's form and comes back; MTEB's own loader reads it too."""

import pytest

from isogloss.corpus import load_benchmark
from isogloss.errors import OutputError
from isogloss.exchange.mteb_dataset import write_mteb_dataset
from isogloss.exchange.subsets import subsets_of
from tests.exchange.making import small_benchmark


def test_a_benchmark_comes_back(tmp_path):
    benchmark = small_benchmark()
    names = write_mteb_dataset(benchmark, tmp_path / "data")
    assert names == [subset.name for subset in subsets_of(benchmark)]
    again = load_benchmark(tmp_path / "data")
    assert again.checksum == benchmark.checksum
    assert again.query_texts == benchmark.query_texts
    assert again.candidate_texts == benchmark.candidate_texts
    assert again.candidate_parallel_ids == benchmark.candidate_parallel_ids
    write_mteb_dataset(again, tmp_path / "twice", split="dev")
    assert load_benchmark(tmp_path / "twice", split="dev").checksum == benchmark.checksum
    with pytest.raises(OutputError, match="not empty"):
        write_mteb_dataset(benchmark, tmp_path / "data")


def test_mtebs_own_loader_reads_the_same(tmp_path, monkeypatch):
    loader = pytest.importorskip("mteb.abstasks.retrieval_dataset_loaders", reason="the extra `mteb`")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    benchmark = small_benchmark()
    write_mteb_dataset(benchmark, tmp_path / "data")
    for subset in subsets_of(benchmark):
        if subset.name not in ("mono-de", "cross-en-de", "multi-zh"):
            continue
        data = loader.RetrievalDatasetLoader(
            str(tmp_path / "data"), revision=None, split="test", config=subset.name
        ).load()
        texts = dict(zip(benchmark.candidate_ids, benchmark.candidate_texts, strict=True))
        assert dict(zip(data["corpus"]["id"], data["corpus"]["text"], strict=True)) == {
            benchmark.candidate_ids[one]: texts[benchmark.candidate_ids[one]]
            for one in subset.candidates.tolist()
        }
        assert set(data["queries"]["id"]) == {benchmark.query_ids[one] for one in subset.queries.tolist()}
        pairs = {(one, other) for one, those in data["relevant_docs"].items() for other in those}
        assert pairs == {
            (benchmark.query_ids[one], benchmark.candidate_ids[other])
            for one, other in subset.relevant.tolist()
        }
