"""Folders in BEIR's form as benchmarks of the three settings."""

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from isogloss.corpus import judged, load_benchmark
from isogloss.corpus.collection import find_collections, survey_passages
from isogloss.corpus.judged import names_languages, read_judged_folder
from isogloss.errors import BenchmarkError, CorpusError
from tests.corpus.collection_making import make_miracl, write_lines, write_text

PASSAGES = [
    {"_id": "p2", "title": "Wasser", "text": " kocht ", "metadata": {"language": "de"}},
    {"_id": "p1", "text": "water boils", "metadata": {"language": "eng"}},
    {"_id": "p3", "title": "", "text": " eau ", "language": "fr", "metadata": {"language": "xx-ignored"}},
]
QUERIES = [
    {"_id": "q1", "text": "was kocht?", "metadata": {"language": "de", "parallel_id": "1"}},
    {"_id": "q2", "text": "what boils?", "metadata": {"language": "en", "parallel_id": "1"}},
    {"_id": "q3", "text": "not judged", "metadata": {}},
]
QRELS = "query-id\tcorpus-id\tscore\nq1\tp1\t1\nq1\tp2\t2\nq2\tp1\t1\nq2\tp3\t0\n"


def make(folder, passages=PASSAGES, queries=QUERIES, qrels=QRELS):
    write_lines(folder / "corpus.jsonl", passages)
    write_lines(folder / "queries.jsonl", queries)
    write_text(folder / "qrels" / "test.tsv", qrels)
    return folder


def test_the_pool_is_of_all_languages_and_relevance_is_what_the_qrels_say(tmp_path):
    benchmark = load_benchmark(make(tmp_path / "mine"))
    assert benchmark.name == "mine"
    assert benchmark.candidate_ids == ["p1", "p2", "p3"]
    assert benchmark.candidate_languages == ["en", "de", "fr"]
    assert benchmark.candidate_texts == ["water boils", "Wasser  kocht", " eau "]
    assert benchmark.candidate_parallel_ids == [["1"], ["1"], []]
    assert benchmark.query_ids == ["q1", "q2"]
    assert benchmark.query_languages == ["de", "en"]
    assert benchmark.query_parallel_ids == ["1", "1"]
    assert benchmark.qrels.tolist() == [[0, 0], [0, 1], [1, 0]]


def test_without_parallel_ids_every_query_is_its_own_item(tmp_path):
    queries = [{**one, "metadata": {"language": "de"}} for one in QUERIES]
    assert load_benchmark(make(tmp_path, queries=queries)).query_parallel_ids == ["q1", "q2"]


def test_parquet_and_gzip_are_read_alike(tmp_path):
    expected = load_benchmark(make(tmp_path / "lines"))
    folder = make(tmp_path / "parquet")
    (folder / "corpus.jsonl").unlink()
    passages = [
        {**one, "metadata": {"language": one.get("language") or one["metadata"]["language"]}}
        for one in PASSAGES
    ]
    (folder / "corpus").mkdir()
    pq.write_table(pa.Table.from_pylist(passages), folder / "corpus" / "part.parquet")
    assert load_benchmark(folder).checksum == expected.checksum
    folder = make(tmp_path / "gzip")
    with gzip.open(folder / "corpus.jsonl.gz", "wb") as file:
        file.write((folder / "corpus.jsonl").read_bytes())
    (folder / "corpus.jsonl").unlink()
    assert load_benchmark(folder).checksum == expected.checksum


def test_which_folders_name_languages(tmp_path):
    assert names_languages(make(tmp_path / "named"))
    bare = [{"_id": "p", "text": "x", "metadata": {}}, *PASSAGES]
    assert not names_languages(make(tmp_path / "bare", passages=bare))
    assert not names_languages(make_miracl(tmp_path / "miracl"))
    assert not names_languages(tmp_path / "nowhere")
    # A large corpus of such records has its settings by language as well.
    (collection,) = find_collections(tmp_path / "named")
    assert survey_passages(collection, []).languages == {"de": 1, "en": 1, "fr": 1}


def changed(number, **fields):
    return [{**one, **(fields if place == number else {})} for place, one in enumerate(PASSAGES)]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"passages": changed(1, metadata={})}, r"corpus.jsonl:2: passage 'p1' has no language"),
        ({"passages": changed(1, metadata={"language": "zzz9"})}, r"corpus.jsonl:2: .*zzz9"),
        ({"passages": changed(1, text=None)}, r"corpus.jsonl:2: the field 'text' is missing"),
        ({"passages": changed(1, _id="p2")}, "candidate id 'p2' comes twice"),
        (
            {"passages": changed(0, metadata={"language": "de", "parallel_ids": "1"})},
            r"corpus.jsonl:1: parallel_ids must be a list of strings",
        ),
        ({"queries": [{"_id": "q1", "text": "x"}, *QUERIES[1:]]}, "query 'q1' has no language"),
        (
            {"queries": [{"_id": "q1", "text": "x", "metadata": {"language": "de"}}, *QUERIES[1:]]},
            "query 'q1' has no parallel id, but others have",
        ),
        ({"queries": QUERIES[1:]}, "1 of 2 judged queries, the first 'q1', are not in"),
        ({"qrels": QRELS + "q1\tp9\t1\n"}, "1 relevant passages, the first 'p9', are not in the corpus"),
        ({"qrels": "query-id\tcorpus-id\tscore\nq1\tp1\t0\n"}, "no passage is relevant"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, parts, message):
    with pytest.raises((BenchmarkError, CorpusError), match=message):
        load_benchmark(make(tmp_path, **parts))


def test_what_is_no_pool_for_memory_is_for_work(tmp_path, monkeypatch):
    folder = make(tmp_path / "one")
    monkeypatch.setattr(judged, "LARGEST_BYTES", 10)
    with pytest.raises(BenchmarkError, match=r"more than is read into memory.*--work"):
        read_judged_folder(folder)
    with pytest.raises(BenchmarkError, match=r"a corpus for each language.*--work"):
        load_benchmark(make_miracl(tmp_path / "miracl"), split="dev")


def test_the_split_is_chosen(tmp_path):
    folder = make(tmp_path)
    write_text(folder / "qrels" / "dev.tsv", "q2\tp3\t1\n")
    with pytest.raises(BenchmarkError, match="several splits"):
        load_benchmark(folder)
    assert load_benchmark(folder, split="dev").query_ids == ["q2"]
