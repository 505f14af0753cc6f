import gzip
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from isogloss.corpus import ParallelCorpus, check_corpus, read_corpus, spilling, write_jsonl, write_parquet
from isogloss.corpus.records import RecordSource, Version, examine
from isogloss.corpus.spilling import SpilledRows
from isogloss.corpus.streaming import (
    VersionStream,
    VersionWriter,
    copy_versions,
    open_stream,
    select_languages,
    stream_source,
    stream_versions,
)
from isogloss.errors import CorpusError, OutputError
from tests.corpus.making import drawn_records, record, records, squad_paragraph

FORMS = ("corpus.jsonl", "corpus.jsonl.gz", "corpus.parquet", "corpus")


def versions_of(several):
    return (examine(each)[0] for each in several)


def write(path, several, **options):
    with VersionWriter(path, **options) as writer:
        for version in versions_of(several):
            writer.write(version)
    return writer


def small_buffers(monkeypatch):
    """Buffers of two rows or so: everything is spilled."""
    monkeypatch.setattr(spilling, "_BUFFER_BYTES", 64)
    monkeypatch.setattr("isogloss.corpus.version_writing._BATCH_ROWS", 2)


@pytest.mark.parametrize("spilled", [False, True])
@pytest.mark.parametrize("name", FORMS)
@settings(max_examples=20, deadline=None)
@given(drawn=drawn_records)
def test_what_is_written_version_by_version_is_what_is_written_whole(name, spilled, drawn):
    corpus = ParallelCorpus.from_records(drawn, name="corpus")
    with pytest.MonkeyPatch.context() as patched, TemporaryDirectory() as folder:
        if spilled:
            small_buffers(patched)
        whole, streamed = Path(folder) / "whole" / name, Path(folder) / "streamed" / name
        if name == "corpus":
            corpus.save(whole)
        else:
            (write_parquet if name.endswith("parquet") else write_jsonl)(corpus, whole)
        with VersionWriter(streamed, name="corpus") as writer:
            for version in corpus.versions():
                writer.write(version)
        assert (writer.items, sorted(writer.languages)) == (len(corpus), list(corpus.languages))
        assert list(stream_versions(streamed)) == list(corpus.versions())
        assert [each.name for each in streamed.parent.iterdir()] == [name]
        if name == "corpus":
            for file in sorted(whole.iterdir()):
                if not (spilled and file.name in ("versions.arrow", "batches.npy")):
                    assert file.read_bytes() == (streamed / file.name).read_bytes(), file.name
            assert {file.name for file in whole.iterdir()} == {file.name for file in streamed.iterdir()}
            kinds = {problem.kind for problem in check_corpus(streamed).problems}
            assert kinds <= {"single-language", "negative-is-passage"}
        elif name != "corpus.parquet":
            assert whole.read_bytes() == streamed.read_bytes()


@pytest.mark.parametrize("spilled", [False, True])
@pytest.mark.parametrize("name", FORMS)
def test_an_id_twice_in_one_language_is_found_and_nothing_is_left(tmp_path, monkeypatch, name, spilled):
    if spilled:
        small_buffers(monkeypatch)
    several = [*records(20), record("item7", "en"), record("item3", "de")]
    with pytest.raises(
        CorpusError, match=r"version 61: id 'item7' comes twice in language 'en'; first at .*version 23"
    ):
        write(tmp_path / "made" / name, several)
    assert list((tmp_path / "made").iterdir()) == []


@pytest.mark.parametrize("name", FORMS)
def test_what_a_killed_run_has_left_is_removed(tmp_path, name):
    (tmp_path / f".{name}.0123abcd.part").mkdir()
    (tmp_path / f".{name}.0123abcd.part" / "keys").write_text("half")
    (tmp_path / f".0123abcd.part.{name}").write_text("half")
    write(tmp_path / name, records())
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", FORMS)
def test_an_error_in_the_block_and_no_version_at_all_leave_nothing(tmp_path, name):
    with pytest.raises(ZeroDivisionError):
        write(tmp_path / name, (record("a", "en", dataset=str(1 / left)) for left in (1, 0)))
    with pytest.raises(CorpusError, match="there is no record to write"):
        write(tmp_path / name, [])
    broken = Version("a", "en", "\ud800", "passage")
    with pytest.raises(CorpusError, match="half of a character"):
        copy_versions(VersionStream("x", True, iter([(1, broken)]), str), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("spilled", [False, True])
def test_items_that_share_texts_over_others_are_one_group(tmp_path, monkeypatch, spilled):
    if spilled:
        small_buffers(monkeypatch)
    drawn = np.random.default_rng(3).integers(0, 130, (150, 2)).tolist()
    several = [
        record(f"i{at}", "en", f"query {one}", f"passage {two}") for at, (one, two) in enumerate(drawn)
    ]
    write(tmp_path / "made", several)
    groups = ParallelCorpus.from_records(several, name="x").groups
    assert read_corpus(tmp_path / "made").groups.tolist() == groups.tolist()
    assert 2 < len(set(groups.tolist())) < 140


def test_forms_and_places_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match=r"\.csv is no form to write"):
        VersionWriter(tmp_path / "a.csv")
    write(tmp_path / "a", records())
    with pytest.raises(OutputError, match="not empty"):
        write(tmp_path / "a", records())
    write(tmp_path / "a.jsonl", records())
    write(tmp_path / "a.jsonl", records(1))
    assert len(read_corpus(tmp_path / "a.jsonl")) == 1


def test_the_name_of_a_streamed_folder(tmp_path):
    def named(*several, **options):
        with TemporaryDirectory() as folder:
            write(Path(folder) / "made", several, **options)
            return read_corpus(Path(folder) / "made").name

    assert named(record("a", "en", dataset="d"), record("b", "en", dataset="d")) == "d"
    assert named(record("a", "en", dataset="d"), record("b", "en")) == "made"
    assert named(record("a", "en", dataset="d"), record("b", "en"), otherwise="x") == "x"
    assert named(record("a", "en", dataset="d"), name="y") == "y"


def test_everything_that_reads_as_a_corpus_is_streamed(tmp_path):
    corpus = ParallelCorpus.from_records(records(), name="x")
    write_jsonl(corpus, tmp_path / "a.jsonl.gz")
    write_parquet(corpus, tmp_path / "a.parquet")
    corpus.save(tmp_path / "folder")
    for name in ("a.jsonl.gz", "a.parquet", "folder"):
        assert list(stream_versions(tmp_path / name)) == list(corpus.versions())
        stream = open_stream(tmp_path / name)
        assert len(list(stream.placed)) == 9
        done, total = stream.progress()
        assert 0 < done <= total
    article = {"title": "T", "paragraphs": [squad_paragraph(["One.", "Two."], [("q1", "Which?", 1)])]}
    (tmp_path / "squad").mkdir()
    (tmp_path / "squad" / "en.json").write_text(json.dumps({"data": [article]}))
    assert [version.passage for version in stream_versions(tmp_path / "squad")] == ["Two."]
    assert list(stream_versions("sample:dev")) == list(read_corpus("sample:dev").versions())


def test_the_first_broken_record_is_named(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps(each) for each in [record("a", "en"), record("b", "qq")]) + "\n")
    stream = stream_versions(path)
    assert next(stream).id == "a"
    with pytest.raises(CorpusError, match=r"a.jsonl:2: 'qq' is not a known language code.*\(id 'b'"):
        next(stream)
    path.write_bytes(b"\n")
    with pytest.raises(CorpusError, match="there is no record in it"):
        list(stream_versions(path))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(path.read_bytes() * 50)[:-4])
    with pytest.raises(CorpusError, match="cut off"):
        list(stream_versions(tmp_path / "b.jsonl.gz"))
    with pytest.raises(CorpusError, match="no such file"):
        stream_versions(tmp_path / "nowhere.jsonl")


def test_copying_names_the_places_of_the_source(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("\n" + "".join(json.dumps(record("a", "en")) + "\n" for _ in range(2)))
    with pytest.raises(
        CorpusError, match=r"a.jsonl:3: id 'a' comes twice in language 'en'; first at .*a.jsonl:2"
    ):
        copy_versions(open_stream(path), tmp_path / "b.parquet")
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_read_is_no_error_of_the_output(tmp_path):
    def records():
        yield 1, record("a", "en")
        raise OSError(5, "Input/output error")

    source = RecordSource(records(), lambda place: f"tape:{place}", lambda place: ("tape", place))
    with pytest.raises(CorpusError, match=r"tape:1: cannot read: Input/output error"):
        copy_versions(stream_source(source, "x"), tmp_path / "a.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_reading_parquet_takes_a_part_of_the_file_at_a_time(tmp_path):
    random = np.random.default_rng(0)
    with VersionWriter(tmp_path / "a.parquet") as writer:
        for number in range(4 * 8192):
            writer.write(Version(f"i{number}", "en", "query", random.bytes(750).hex()))
    size = (tmp_path / "a.parquet").stat().st_size
    before = pa.total_allocated_bytes()
    most = max(pa.total_allocated_bytes() for _ in stream_versions(tmp_path / "a.parquet")) - before
    assert (
        most < 0.8 * size
    )  # two of four batches; with all that is read ahead it would be more than the file


@pytest.mark.parametrize("buffer", [1 << 20, 100])
def test_spilled_rows_come_back_in_the_order_of_their_keys(tmp_path, monkeypatch, buffer):
    monkeypatch.setattr(spilling, "_BUFFER_BYTES", buffer)
    kind = np.dtype([("key", "u8"), ("row", "i8")])
    rows = np.empty(1000, kind)
    rows["key"] = np.random.default_rng(0).integers(0, 2**64, 1000, np.uint64) >> np.uint64(0)
    rows["key"][500:] = rows["key"][:500]
    rows["row"] = np.arange(1000)
    spilled = SpilledRows(tmp_path, "rows", kind)
    for start in range(0, 1000, 7):
        spilled.add(rows[start : start + 7])
    for _ in range(2):
        back = np.concatenate(list(spilled.parts()))
        assert np.array_equal(back, rows[np.argsort(rows["key"], kind="stable")])
    assert any(tmp_path.iterdir()) == (buffer == 100)


def test_some_languages_of_a_stream(tmp_path):
    path = tmp_path / "corpus.jsonl"
    path.write_text(
        "".join(
            json.dumps({"id": "a", "language": language, "query": "q", "passage": language}) + "\n"
            for language in ("en", "de", "fr")
        )
    )
    kept = select_languages(open_stream(path), ("de", "fr"))
    assert [version.language for _, version in kept.placed] == ["de", "fr"]
    with pytest.raises(CorpusError, match="corpus: has no language hi; it has de, en, fr"):
        copy_versions(select_languages(open_stream(path), ("de", "hi")), tmp_path / "none.jsonl")
    assert not (tmp_path / "none.jsonl").exists()
