import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from isogloss.corpus import ParallelCorpus, read_corpus, write_jsonl, write_parquet
from isogloss.errors import CorpusError
from tests.corpus.making import record, records


def lines(*several):
    return "".join(json.dumps(each) + "\n" for each in several)


def test_a_corpus_is_named_after_its_file_or_its_only_data_set(tmp_path):
    def named(file, *several):
        (tmp_path / file).write_text(lines(*several))
        return read_corpus(str(tmp_path / file)).name

    assert named("faq.v2.jsonl", record("a", "en")) == "faq.v2"
    assert named("faq.jsonl", record("a", "en", dataset="d"), record("b", "en", dataset="d")) == "d"
    assert named("mixed.jsonl", record("a", "en", dataset="d"), record("b", "en")) == "mixed"
    assert named("several.jsonl", record("a", "en", dataset="d"), record("b", "en", dataset="e")) == "several"


def test_blank_lines_a_byte_order_mark_and_a_missing_last_newline_are_accepted(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf"
        + lines(record("a", "en")).encode()
        + b"\n  \n"
        + lines(record("b", "en")).encode()[:-1]
    )
    assert read_corpus(path).ids == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.jsonl: the file is empty"),
        (b"\n\n", "a.jsonl: there is no record in it"),
        (lines(record("a", "en")).encode() + b"{'id'}\n", "a.jsonl:2: bad JSON: Expecting property name"),
        (b"[" * 100_000 + b"\n", "a.jsonl:1: bad JSON"),
        (b"\n3\n", "a.jsonl:2: expected an object with the fields 'id', .* found a value of type int"),
        (
            lines(record("a", "en"), record("b", "en")).encode()[:-9],
            "a.jsonl:2: the last line is no whole record .*cut off",
        ),
        (
            '{"id": "é'.encode()[:-1],
            "a.jsonl:1: the last line is no whole record .invalid UTF-8 at byte 8.*cut off",
        ),
        (b'{"id": "\xff"}\n', "a.jsonl:1: invalid UTF-8 at byte 8: 0xff"),
        (
            lines(record("a", "en", "a\u0007b")).encode(),
            r"a.jsonl:1: .*control character U\+0007 at 1 \(id 'a', language 'en'\)",
        ),
        (lines(record("a", "en", "\ud800")).encode(), "a.jsonl:1: the field 'query' has half of a character"),
        (
            lines(record("a", "en"), record("a", "qq")).encode(),
            "a.jsonl:2: 'qq' is not a known language code",
        ),
        (
            lines(record("a", "en"), record("b", "en"), record("a", "en")).encode(),
            "a.jsonl:3: id 'a' comes twice in language 'en'; first at .*a.jsonl:1",
        ),
    ],
)
def test_bad_jsonl_is_an_error_with_file_and_line(tmp_path, content, message):
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=message) as caught:
        read_corpus(path)
    assert f"`isogloss data check {path}` lists every problem" in str(caught.value)


def test_a_gzip_file_that_is_cut_off_or_none_is_an_error(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    whole = gzip.compress(lines(*records(50)).encode())
    path.write_bytes(whole)
    assert len(read_corpus(path)) == 50
    path.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(CorpusError, match=r"a.jsonl.gz:\d+: the gzip file is cut off here"):
        read_corpus(path)
    path.write_bytes(whole[:-4])
    with pytest.raises(CorpusError, match=r"a.jsonl.gz:151: the gzip file is cut off here"):
        read_corpus(path)
    path.write_bytes(lines(record("a", "en")).encode())
    with pytest.raises(CorpusError, match="not a sound gzip file"):
        read_corpus(path)
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0xFF
    path.write_bytes(bytes(damaged))
    with pytest.raises(CorpusError, match=r"a.jsonl.gz:\d+"):
        read_corpus(path)


def parquet(path, rows, schema=None):
    pq.write_table(pa.Table.from_pylist(rows, schema), path)
    return path


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"id": "a", "language": "en", "query": "q"}], "a.parquet: there is no column 'passage'"),
        ([record("a", "en"), record("b", "qq")], "a.parquet: row 2: 'qq' is not a known"),
        (
            [record("a", "en"), record("a", "en")],
            "row 2: id 'a' comes twice in language 'en'; first at .*row 1",
        ),
        ([{**record("a", "en"), "id": 7}], "row 1: the field 'id' must be a string, not a value of type int"),
    ],
)
def test_bad_parquet_is_an_error_with_file_and_row(tmp_path, rows, message):
    with pytest.raises(CorpusError, match=message):
        read_corpus(parquet(tmp_path / "a.parquet", rows))


def test_unsound_parquet_files_are_errors(tmp_path):
    path = tmp_path / "a.parquet"
    path.write_bytes(b"")
    with pytest.raises(CorpusError, match="the file is empty"):
        read_corpus(path)
    path.write_bytes(b"PAR1 and then nothing of use")
    with pytest.raises(CorpusError, match="not a sound Parquet file"):
        read_corpus(path)
    parquet(path, records())
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(CorpusError, match="not a sound Parquet file"):
        read_corpus(path)
    schema = pa.schema([(field, pa.string()) for field in ("id", "language", "query", "passage")])
    with pytest.raises(CorpusError, match="no rows"):
        read_corpus(parquet(path, [], schema))


def test_invalid_utf_8_in_parquet_is_found_by_row(tmp_path):
    table = pa.table({field: ["a", "b"] for field in ("id", "passage")} | {"language": ["en", "en"]})
    binary = pa.array([b"good", b"b\xffd"], pa.binary())
    broken = pa.StringArray.from_buffers(2, binary.buffers()[1], binary.buffers()[2])
    pq.write_table(table.append_column("query", broken), tmp_path / "a.parquet")
    with pytest.raises(CorpusError, match="row 2: invalid UTF-8 at byte 1"):
        read_corpus(tmp_path / "a.parquet")


def test_other_columns_and_large_strings_are_read(tmp_path):
    rows = [{**each, "extra": 1} for each in records()]
    table = pa.Table.from_pylist(rows)
    table = table.set_column(0, "id", table["id"].cast(pa.large_string()))
    pq.write_table(table, tmp_path / "a.parquet")
    assert (
        read_corpus(tmp_path / "a.parquet").checksum
        == ParallelCorpus.from_records(records(), name="x").checksum
    )


def test_forms_that_are_none(tmp_path):
    with pytest.raises(
        CorpusError, match=r"no such file or folder; give a .jsonl.*one of sample:train.*xquad-r"
    ):
        read_corpus(tmp_path / "nowhere.jsonl")
    (tmp_path / "a.csv").write_text("id\n")
    with pytest.raises(CorpusError, match=r"of no known form; give a \.jsonl"):
        read_corpus(tmp_path / "a.csv")
    with pytest.raises(CorpusError, match="no corpus in this folder"):
        read_corpus(tmp_path)


def test_all_forms_of_a_corpus_have_one_checksum(tmp_path):
    corpus = ParallelCorpus.from_records(records(), name="x")
    write_jsonl(corpus, tmp_path / "a.jsonl")
    write_parquet(corpus, tmp_path / "a.parquet")
    corpus.save(tmp_path / "folder")
    assert {read_corpus(tmp_path / name).checksum for name in ("a.jsonl", "a.parquet", "folder")} == {
        corpus.checksum
    }
