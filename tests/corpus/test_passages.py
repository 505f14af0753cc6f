import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from isogloss.corpus.passages import Passage, read_passages
from isogloss.errors import CorpusError
from tests.corpus.collection_making import passage, write_lines


def test_title_and_text_are_one_text_whatever_the_form(tmp_path):
    miracl = write_lines(tmp_path / "docs-0.jsonl.gz", [passage(number) for number in range(30)])
    beir = write_lines(tmp_path / "corpus.jsonl", [passage(number, "_id") for number in range(30)])
    table = pa.Table.from_pylist([passage(number, "_id") for number in range(30)])
    pq.write_table(table, tmp_path / "corpus.parquet", row_group_size=7)
    expected = [
        Passage(f"{n // 3}#{n % 3}", f"{passage(n)['title']} {passage(n)['text']}", None) for n in range(30)
    ]
    for path in (miracl, beir, tmp_path / "corpus.parquet"):
        assert list(read_passages([path])) == expected
    assert list(read_passages([miracl, beir])) == expected * 2


def test_what_may_be_missing_or_empty(tmp_path):
    path = write_lines(
        tmp_path / "corpus.jsonl",
        [
            {"_id": 7, "text": "only a text"},
            {"_id": "8", "title": "only a title", "text": ""},
            {"_id": "9", "title": None, "text": "", "language": "swa", "url": "ignored"},
        ],
    )
    assert list(read_passages([path])) == [
        Passage("7", "only a text", None),
        Passage("8", "only a title", None),
        Passage("9", "", "sw"),
    ]


def test_reading_is_one_after_the_other(tmp_path):
    path = tmp_path / "corpus.jsonl"
    path.write_text('{"_id": "1", "text": "good"}\nnot JSON\n', encoding="utf-8")
    reading = read_passages([path])
    assert next(reading).id == "1"
    with pytest.raises(CorpusError, match=r"corpus\.jsonl:2: bad JSON"):
        next(reading)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": "t"}', "there is no id; give one of the fields 'docid', '_id', 'id'"),
        ('{"_id": "a b", "text": "t"}', "the id 'a b' is empty or has white space"),
        ('{"_id": "", "text": "t"}', "the id '' is empty"),
        ('{"_id": true, "text": "t"}', "must be a string or an integer"),
        ('{"_id": "1"}', "the field 'text' is missing"),
        ('{"_id": "1", "text": ["t"]}', "the field 'text' must be a string"),
        ('{"_id": "1", "text": "t", "title": 3}', "the field 'title' must be a string"),
        ('{"_id": "1", "text": "\\ud83d"}', r"half of a character \(U\+D83D\)"),
        ('{"_id": "1", "text": "t", "language": "qq"}', "'qq' is not a known language code"),
        ("[1]", "expected an object with an id and a text"),
        ('{"_id": "1", "te', "bad JSON"),
    ],
)
def test_a_wrong_record_is_named_with_its_line(tmp_path, line, message):
    path = tmp_path / "docs-3.jsonl"
    path.write_text('{"_id": "0", "text": "good"}\n\n' + line + "\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=rf"docs-3\.jsonl:3: .*{message}"):
        list(read_passages([path]))


def test_a_file_cut_off_or_missing(tmp_path):
    path = write_lines(tmp_path / "docs-0.jsonl.gz", [passage(number) for number in range(3000)])
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CorpusError, match=r"docs-0\.jsonl\.gz:\d+: the gzip file is cut off"):
        list(read_passages([path]))
    with pytest.raises(CorpusError, match=r"none\.jsonl: cannot read"):
        list(read_passages([tmp_path / "none.jsonl"]))
    with gzip.open(tmp_path / "empty.jsonl.gz", "wb"):
        pass
    assert list(read_passages([tmp_path / "empty.jsonl.gz"])) == []


def test_parquet_without_texts(tmp_path):
    pq.write_table(pa.table({"_id": ["1"]}), tmp_path / "corpus.parquet")
    with pytest.raises(CorpusError, match="there is no column 'text'"):
        list(read_passages([tmp_path / "corpus.parquet"]))
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "corpus.parquet").read_bytes()[:-20])
    with pytest.raises(CorpusError, match="not a sound Parquet file"):
        list(read_passages([tmp_path / "cut.parquet"]))
    pq.write_table(pa.table({"_id": ["1", None], "text": ["t", "t"]}), tmp_path / "row.parquet")
    with pytest.raises(CorpusError, match=r"row\.parquet: row 2: there is no id"):
        list(read_passages([tmp_path / "row.parquet"]))


def test_records_are_what_json_says(tmp_path):
    path = tmp_path / "corpus.jsonl"
    path.write_text("\ufeff" + json.dumps({"_id": "1", "text": "  spaced\n"}) + "\n", encoding="utf-8")
    assert [one.text for one in read_passages([path])] == ["spaced"]
