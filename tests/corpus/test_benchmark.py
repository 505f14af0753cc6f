from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings

from isogloss.corpus import ParallelCorpus, RetrievalBenchmark, load_benchmark, write_jsonl
from isogloss.errors import BenchmarkError
from tests.corpus.making import drawn_records, record


@pytest.fixture
def benchmark():
    return RetrievalBenchmark.from_corpus(
        ParallelCorpus.from_records(
            [
                record("a", "en", "qa", "pa", negatives=["pb", "n"]),
                record("a 1", "en", "qb", "pb"),
                record("a", "de", "fa", "aa", negatives=["n"]),
            ],
            name="hand",
        )
    )


def test_a_corpus_makes_a_benchmark(benchmark):
    assert benchmark.languages == ("de", "en")
    assert benchmark.query_ids == ["de:a", "en:a", "en:a%201"]
    assert benchmark.query_parallel_ids == ["a", "a", "a 1"]
    assert benchmark.candidate_ids == ["de-000000", "de-000001", "en-000000", "en-000001", "en-000002"]
    assert benchmark.candidate_texts == ["aa", "n", "pa", "pb", "n"]
    assert benchmark.candidate_parallel_ids == [["a"], [], ["a"], ["a 1"], []]
    assert benchmark.qrels.tolist() == [[0, 0], [0, 2], [1, 0], [1, 2], [2, 3]]
    assert benchmark.qrels.dtype == np.int64
    assert repr(benchmark) == "<RetrievalBenchmark 'hand': 3 queries, 5 candidates in de, en>"


@settings(max_examples=50, deadline=None)
@given(drawn_records)
def test_every_query_is_answered_by_its_item_in_every_language(records):
    corpus = ParallelCorpus.from_records(records, name="drawn")
    benchmark = RetrievalBenchmark.from_corpus(corpus)
    pool = set(zip(benchmark.candidate_languages, benchmark.candidate_texts, strict=True))
    assert len(pool) == len(benchmark.candidate_ids)
    assert pool == {
        (drawn["language"], text)
        for drawn in records
        for text in (drawn["passage"], *(drawn.get("negatives") or ()))
    }
    passages = {(drawn["id"], drawn["language"]): drawn["passage"] for drawn in records}
    found = {
        (
            benchmark.query_parallel_ids[query],
            benchmark.query_languages[query],
            benchmark.candidate_languages[answer],
        )
        for query, answer in benchmark.qrels
    }
    assert found == {(item, one, other) for item, one in passages for same, other in passages if item == same}
    for query, answer in benchmark.qrels:
        item, language = benchmark.query_parallel_ids[query], benchmark.candidate_languages[answer]
        assert benchmark.candidate_texts[answer] == passages[item, language]
        assert item in benchmark.candidate_parallel_ids[answer]


def test_a_file_loads_as_the_benchmark_of_its_corpus(tmp_path):
    corpus = ParallelCorpus.from_records([record("a", "en"), record("a", "de")], name="x")
    write_jsonl(corpus, tmp_path / "x.jsonl")
    assert load_benchmark(tmp_path / "x.jsonl").checksum == RetrievalBenchmark.from_corpus(corpus).checksum


class TestSubset:
    def test_queries_and_candidates_of_other_languages_are_left_out(self, benchmark):
        english = benchmark.subset(["eng"])
        assert english.query_ids == ["en:a", "en:a%201"]
        assert english.candidate_texts == ["pa", "pb", "n"]
        assert english.candidate_parallel_ids == [["a"], ["a 1"], []]
        assert english.qrels.tolist() == [[0, 0], [1, 1]]

    def test_all_languages_are_the_benchmark_itself(self, benchmark):
        assert benchmark.subset(benchmark.languages).checksum == benchmark.checksum

    def test_a_language_that_is_not_there_is_an_error(self, benchmark):
        with pytest.raises(BenchmarkError, match="'hand': has no language fr; it has de, en"):
            benchmark.subset(["en", "fr"])


def test_the_checksum_changes_with_each_part_but_not_with_the_name(benchmark):
    assert replace(benchmark, name="other").checksum == benchmark.checksum
    changed = [
        replace(benchmark, query_texts=["x", *benchmark.query_texts[1:]]),
        replace(benchmark, candidate_texts=["x", *benchmark.candidate_texts[1:]]),
        replace(benchmark, candidate_languages=["fr", *benchmark.candidate_languages[1:]]),
        replace(benchmark, candidate_parallel_ids=[["z"], *benchmark.candidate_parallel_ids[1:]]),
        replace(benchmark, qrels=benchmark.qrels[[0, 2, 3, 4]]),
    ]
    assert len({each.checksum for each in (benchmark, *changed)}) == 6
    order = [2, 0, 1]
    place = np.argsort(order)
    parts = {
        part.name: [getattr(benchmark, part.name)[number] for number in order]
        for part in fields(benchmark)
        if part.name.startswith("query")
    }
    qrels = np.array(sorted((place[query], answer) for query, answer in benchmark.qrels), np.int64)
    assert replace(benchmark, **parts, qrels=qrels).checksum == benchmark.checksum


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"query_texts": ["one"]}, "3 query_ids, but 1 query_texts"),
        ({"candidate_languages": []}, "5 candidate_ids, but 0 candidate_languages"),
        ({"candidate_parallel_ids": [[]]}, "but 1 candidate_parallel_ids"),
        ({"query_ids": ["q", "r", "q"]}, "query id 'q' comes twice"),
        ({"query_ids": ["q", "r", "s t"]}, "query id 's t' is empty or has white space"),
        ({"query_ids": ["q", "r", ""]}, "query id '' is empty or has"),
        ({"candidate_ids": ["b", "a", "c", "d", "e"]}, "candidates are not sorted by id"),
        (
            {"qrels": np.array([[0, 0], [1, 1], [2, 5]])},
            r"pair \[2, 5\] lies outside 3 queries and 5 candidates",
        ),
        ({"qrels": np.array([[0, 0], [1, 1], [-1, 0]])}, r"pair \[-1, 0\] lies outside"),
        ({"qrels": np.array([[1, 0], [0, 1], [2, 2]])}, "not in ascending order"),
        ({"qrels": np.array([[0, 0], [0, 0], [1, 1], [2, 2]])}, "without repetition"),
        ({"qrels": np.array([[0, 0], [2, 2]])}, "query 'en:a' has no relevant candidate"),
        ({"qrels": np.empty((0, 2), np.int64)}, "query 'de:a' has no relevant candidate"),
        ({"qrels": np.array([[0.0, 0.0]])}, "must be int64 of shape"),
        ({"qrels": np.array([0, 0])}, r"must be int64 of shape \(pairs, 2\)"),
    ],
)
def test_parts_that_do_not_fit_are_errors(benchmark, changes, message):
    with pytest.raises(BenchmarkError, match=message):
        replace(benchmark, **changes)


def test_an_empty_benchmark_is_an_error(benchmark):
    empty = {part.name: [] for part in fields(benchmark) if part.name.startswith("query")}
    with pytest.raises(BenchmarkError, match="no queries"):
        replace(benchmark, **empty)
