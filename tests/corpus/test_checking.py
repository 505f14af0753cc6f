import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from isogloss.corpus import ParallelCorpus, check_corpus
from isogloss.errors import CorpusError
from tests.corpus.making import real_data, record, records


@pytest.fixture
def bad_file(tmp_path):
    lines = [
        json.dumps(record("a", "en", "1234", "12345678")),
        json.dumps(record("a", "iw")),
        "{",
        json.dumps({"id": "b", "language": "en", "query": ""}),
        json.dumps(record("c", "xx")),
        json.dumps(record("a", "he")),
        json.dumps(record("d", "en")),
        json.dumps(record("e", "en", passage="same", negatives=["same"])),
        json.dumps(record("e", "de", query="a\x07b")),
        json.dumps(record("e", "ru")),
        json.dumps(record("e", "de")),
    ]
    path = tmp_path / "bad.jsonl"
    path.write_bytes("\n".join(lines).encode() + b'\n"\xff"\n{"id": "z')
    return path


def test_all_problems_are_collected_with_file_and_line(bad_file):
    report = check_corpus(bad_file)
    assert not report.ok
    assert [(problem.line, problem.kind, problem.id, problem.language) for problem in report.problems] == [
        (3, "bad-json", None, None),
        (4, "empty-text", "b", "en"),
        (4, "missing-field", "b", "en"),
        (5, "unknown-language", "c", "xx"),
        (6, "duplicate", "a", "he"),
        (8, "negative-is-passage", "e", "en"),
        (9, "control-characters", "e", "de"),
        (12, "invalid-utf-8", None, None),
        (13, "truncated", None, None),
        (7, "single-language", "d", "en"),
    ]
    assert {problem.file for problem in report.problems} == {str(bad_file)}
    assert str(report.problems[4]) == (
        f"{bad_file}:6: the id comes twice in this language; first at {bad_file}:2 (id 'a', language 'he')"
    )


def test_counts_table_and_lengths_are_of_the_valid_records(bad_file):
    report = check_corpus(bad_file)
    assert (report.path, report.name) == (str(bad_file), "bad")
    assert report.languages == ("de", "en", "he", "ru")
    assert (report.items, report.records) == (3, 6)
    assert report.versions == {"de": 1, "en": 3, "he": 1, "ru": 1}
    assert report.parallel.tolist() == [[1, 1, 0, 1], [1, 3, 1, 1], [0, 1, 1, 0], [1, 1, 0, 1]]
    assert report.lengths["query"]["en"] == (4, 4, 4, 10, 10, 10, 10)
    assert report.lengths["passage"]["en"][0] == 4


def test_a_good_corpus_has_no_problems_in_any_form(tmp_path):
    corpus = ParallelCorpus.from_records(records(), name="good")
    corpus.save(tmp_path / "good")
    report = check_corpus(tmp_path / "good")
    assert report.ok
    assert not report.warnings
    assert report.records == 9


def test_a_misspelt_field_is_warned_of_and_no_problem(tmp_path):
    path = tmp_path / "a.jsonl"
    lines = [
        record("a", "en", source="web", date="2024-01-01"),
        record("a", "de", negativs=["n"], Title="T"),
        record("b", "en", negativs=["n"], title="T", titles=["T"]),
        record("b", "de", negatives=["n"], negativs=["m"]),
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    report = check_corpus(path)
    assert report.ok
    assert [str(warning) for warning in report.warnings] == [
        f"{path}:2: the field 'negativs' is not read; is 'negatives' meant? (2 records, this is the first)",
        f"{path}:2: the field 'Title' is not read; is 'title' meant? (1 record, this is the first)",
    ]
    # A field that must be there is a problem, and the warning says why it is missing.
    path.write_text(json.dumps({"id": "a", "language": "en", "querry": "q", "passage": "p"}))
    report = check_corpus(path)
    assert [problem.kind for problem in report.problems] == ["missing-field"]
    assert [warning.message.partition(" (")[0] for warning in report.warnings] == [
        "the field 'querry' is not read; is 'query' meant?"
    ]


def test_a_misspelt_column_is_warned_of(tmp_path):
    rows = [record("a", language, negativs=["n"], source="web") for language in ("de", "en")]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    report = check_corpus(tmp_path / "a.parquet")
    assert report.ok
    assert [str(warning) for warning in report.warnings] == [
        f"{tmp_path / 'a.parquet'}: the field 'negativs' is not read; is 'negatives' meant?"
    ]


def test_a_folder_whose_texts_changed_fails_its_checksum(tmp_path):
    ParallelCorpus.from_records(records(), name="good").save(tmp_path / "good")
    file = tmp_path / "good" / "versions.arrow"
    file.write_bytes(file.read_bytes().replace(b"query item1 en", b"QUERY item1 en"))
    assert [problem.kind for problem in check_corpus(tmp_path / "good").problems] == ["checksum"]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.jsonl", b"", "empty-file"),
        ("a.parquet", b"", "empty-file"),
        ("a.parquet", b"nothing", "unreadable"),
        ("a.jsonl.gz", gzip.compress(b'{"id"}\n' * 99, mtime=0)[:-9], "truncated"),
        ("a.jsonl.gz", b"nothing", "unreadable"),
    ],
)
def test_files_without_any_record_are_reported_not_raised(tmp_path, name, content, kind):
    (tmp_path / name).write_bytes(content)
    report = check_corpus(tmp_path / name)
    assert report.problems[-1].kind == kind
    assert (report.items, report.languages, report.parallel.shape) == (0, (), (0, 0))


def test_what_is_not_there_is_an_error(tmp_path):
    with pytest.raises(CorpusError, match="no such file"):
        check_corpus(tmp_path / "nowhere.jsonl")
    with pytest.raises(CorpusError, match="no split 'nowhere'"):
        check_corpus("sample:nowhere")


@real_data
@pytest.mark.parametrize(("name", "items", "records"), [("xquad-r", 1190, 13090), ("mlqa-r", 1148, 4199)])
def test_the_published_benchmarks_have_no_problems(name, items, records):
    report = check_corpus(name)
    assert report.ok
    assert (report.items, report.records) == (items, records)
