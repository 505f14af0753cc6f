import gzip

import pytest

from isogloss.corpus.judgements import Query, read_qrels, read_queries
from isogloss.errors import BenchmarkError, CorpusError, DataError
from tests.corpus.collection_making import write_lines


def test_queries_of_both_forms(tmp_path):
    (tmp_path / "topics.tsv").write_text("1#0\tWho?\r\n\n2\tWhat\tthen?\n", encoding="utf-8")
    assert read_queries(tmp_path / "topics.tsv") == [Query("1#0", "Who?"), Query("2", "What\tthen?")]
    path = write_lines(
        tmp_path / "queries.jsonl.gz",
        [{"_id": "1#0", "text": "Who?"}, {"qid": 2, "query": "What?", "language": "deu"}],
    )
    assert read_queries(path) == [Query("1#0", "Who?"), Query("2", "What?", "de")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("q.tsv", "1\tWho?\n1\tWhat?\n", r"q\.tsv:2: query id '1' comes twice"),
        ("q.tsv", "1\tWho?\n2 What?\n", r"q\.tsv:2: expected a query id, a tab"),
        ("q.tsv", "1\t \n", r"q\.tsv:1: query '1' has no text"),
        ("q.tsv", "\n", r"q\.tsv: no queries"),
        ("q.jsonl", '{"_id": "1", "text": "a"}\n{"_id": "2"}\n', r"q\.jsonl:2: query '2' has no text"),
        ("q.jsonl", '{"text": "a"}\n', r"q\.jsonl:1: there is no id"),
    ],
)
def test_wrong_queries(tmp_path, name, content, message):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_queries(tmp_path / name)


def test_qrels_of_both_forms(tmp_path):
    expected = {"1": {"a#0": 1, "b": 0}, "2": {"a#0": 2, "c": -1}}
    lines = [
        (query, passage, grade) for query, judged in expected.items() for passage, grade in judged.items()
    ]
    trec = tmp_path / "dev.tsv"
    trec.write_text("".join(f"{q}\tQ0\t{p}\t{g}\n" for q, p, g in lines), encoding="utf-8")
    beir = tmp_path / "test.tsv"
    beir.write_text(
        "query-id\tcorpus-id\tscore\n" + "".join(f"{q}\t{p}\t{g}\n" for q, p, g in lines), encoding="utf-8"
    )
    with gzip.open(tmp_path / "spaces.txt.gz", "wt") as file:
        file.writelines(f"{q} 0 {p} {g}\n\n" for q, p, g in lines)
    for path in (trec, beir, tmp_path / "spaces.txt.gz"):
        assert read_qrels(path) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1 0 a 1\n1 a 1\n", r":2: 3 columns; expected 4 in every line"),
        ("1 a\n", r":1: 2 columns; expected 4 \(TREC\) or 3 \(BEIR\)"),
        ("1 0 a 1\n1 0 b 1.5\n", r":2: the relevance '1.5' is not a whole number"),
        ("1 0 a 1\n1 0 a 0\n", r":2: passage 'a' is judged twice for query '1'"),
        ("1 0 a 0\n", r"no passage is relevant to any query"),
        ("", r"no passage is relevant to any query"),
    ],
)
def test_wrong_qrels(tmp_path, content, message):
    (tmp_path / "qrels.tsv").write_text(content, encoding="utf-8")
    with pytest.raises(BenchmarkError, match=message):
        read_qrels(tmp_path / "qrels.tsv")


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(BenchmarkError, match=r"none\.tsv: cannot read"):
        read_qrels(tmp_path / "none.tsv")
    (tmp_path / "latin.tsv").write_bytes("1\tWer w\xe4re das?\n".encode("latin-1"))
    with pytest.raises(BenchmarkError, match=r"latin\.tsv:1: invalid UTF-8"):
        read_queries(tmp_path / "latin.tsv")
    with pytest.raises(CorpusError, match=r"none\.jsonl: cannot read"):
        read_queries(tmp_path / "none.jsonl")
