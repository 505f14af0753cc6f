import json
import mmap
import pickle

import numpy as np
import pyarrow as pa
import pytest

from isogloss.corpus import (
    ParallelCorpus,
    arrow_folder,
    check_corpus,
    read_corpus,
    stored_versions,
    versions,
)
from isogloss.errors import CorpusError, OutputError
from tests.corpus.making import record, records


@pytest.fixture
def folder(tmp_path):
    ParallelCorpus.from_records(records(), name="hand").save(tmp_path / "corpus")
    return tmp_path / "corpus"


def test_a_saved_corpus_opens_as_it_was(folder):
    corpus = ParallelCorpus.open(folder)
    assert corpus.name == "hand"
    assert corpus.query(2, "ru") == "query item2 ru"
    assert isinstance(corpus.rows, np.memmap)
    assert corpus.groups.tolist() == [0, 1, 2]
    assert corpus.checksum == ParallelCorpus.from_records(records(), name="hand").checksum
    assert sorted(file.name for file in folder.iterdir()) == [
        "batches.npy",
        "codes.npy",
        "corpus.json",
        "patterns.npy",
        "repeats.npy",
        "rows.npy",
        "starts.npy",
        "versions.arrow",
    ]
    assert json.loads((folder / "corpus.json").read_text())["versions"] == 9


def test_a_selection_is_saved_without_what_it_left_out(folder, tmp_path):
    selected = ParallelCorpus.open(folder).select(items=[2, 0], languages=["en", "ru"])
    selected.save(tmp_path / "selected")
    opened = read_corpus(tmp_path / "selected")
    assert opened.ids == ["item2", "item0"]
    assert opened.table.num_rows == 4
    assert opened.query(0, "ru") == "query item2 ru"
    assert opened.checksum == selected.checksum


def test_an_existing_folder_is_not_overwritten(folder):
    before = {file: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(OutputError, match="not empty"):
        ParallelCorpus.from_records([record("x", "en")], name="x").save(folder)
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


def test_nothing_is_left_where_saving_fails(tmp_path, monkeypatch):
    corpus = ParallelCorpus.from_records(records(), name="hand")
    monkeypatch.setattr(np, "save", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        corpus.save(tmp_path / "corpus")
    assert not list(tmp_path.iterdir())


def spoil_json(folder, **changes):
    file = folder / "corpus.json"
    description = {**json.loads(file.read_text()), **changes}
    file.write_text(json.dumps({key: value for key, value in description.items() if value is not None}))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "corpus.json").unlink(), "not a corpus folder"),
        (lambda folder: (folder / "corpus.json").write_text("{"), "bad JSON"),
        (lambda folder: (folder / "corpus.json").write_text("[]"), "does not describe a corpus"),
        (
            lambda folder: spoil_json(folder, format_version=99),
            "format version 99, this isogloss reads 1 to 2",
        ),
        (lambda folder: spoil_json(folder, sha256=None), "'sha256' is missing"),
        (lambda folder: spoil_json(folder, versions=8), "rows of versions.arrow: expected 8, found 9"),
        (lambda folder: spoil_json(folder, items=4), "shape of rows.npy"),
        (lambda folder: (folder / "rows.npy").unlink(), "incomplete or damaged"),
        (lambda folder: (folder / "rows.npy").write_bytes(b""), "incomplete or damaged"),
        (lambda folder: np.save(folder / "rows.npy", np.zeros((3, 3))), "type of rows.npy"),
        (lambda folder: np.save(folder / "repeats.npy", np.zeros(2, np.int64)), "repeats.npy is int64"),
        (lambda folder: np.save(folder / "repeats.npy", np.zeros((2, 2))), "repeats.npy is float64"),
        (lambda folder: np.save(folder / "codes.npy", np.zeros((1, 8), np.uint8)), "codes.npy does not fit"),
        (lambda folder: np.save(folder / "patterns.npy", np.ones((1, 2), bool)), "patterns.npy does not fit"),
        (lambda folder: (folder / "starts.npy").unlink(), "starts.npy does not fit"),
        (lambda folder: np.save(folder / "batches.npy", np.array([0, 4, 9])), "expected 2 record batches"),
        (
            lambda folder: np.save(folder / "batches.npy", np.array([9, 0])),
            "batches.npy holds no row numbers",
        ),
        (lambda folder: (folder / "versions.arrow").write_bytes(b"ARROW1"), "incomplete or damaged"),
        (
            lambda folder: (folder / "versions.arrow").write_bytes(
                (folder / "versions.arrow").read_bytes()[:-40]
            ),
            "incomplete or damaged",
        ),
    ],
)
def test_a_damaged_folder_is_an_error(folder, spoil, message):
    spoil(folder)
    with pytest.raises(CorpusError, match=message):
        ParallelCorpus.open(folder)


def test_what_opening_does_not_look_at_is_an_error_when_it_is_needed(folder):
    np.save(folder / "rows.npy", np.full((3, 3), 9))
    with pytest.raises(CorpusError, match="row 9 is asked for, and there are 9"):
        ParallelCorpus.open(folder).query(0, "de")
    with pytest.raises(CorpusError, match="points outside"):
        check_corpus(folder)


@pytest.mark.parametrize(
    ("file", "array", "kind"),
    [
        ("batches", np.array([0, 9]), None),
        ("codes", np.ones((1, 512), np.uint8), "availability"),
        ("repeats", np.array([[2], [0]]), "groups"),
    ],
)
def test_checking_computes_what_the_folder_says_anew(folder, file, array, kind):
    np.save(folder / f"{file}.npy", array)
    assert [problem.kind for problem in check_corpus(folder).problems] == ([kind] if kind else [])


def test_checking_counts_the_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(arrow_folder, "_BATCH_ROWS", 5)
    monkeypatch.setattr(versions, "_BATCH_ROWS", 4)
    corpus = ParallelCorpus.from_records(records(), name="hand")
    corpus.save(tmp_path / "corpus")
    assert np.load(tmp_path / "corpus" / "batches.npy").tolist() == [0, 4, 9]
    assert [version.id for version in ParallelCorpus.open(tmp_path / "corpus").versions()] == corpus.table[
        "id"
    ].to_pylist()
    np.save(tmp_path / "corpus" / "batches.npy", np.array([0, 5, 9]))
    assert [problem.kind for problem in check_corpus(tmp_path / "corpus").problems] == ["batches"]


@pytest.fixture
def folder_of_version_1(tmp_path):
    """As the first release wrote it."""
    corpus = ParallelCorpus.from_records(
        [*records(), record("item3", "de", query="query item1 de")], name="old"
    )
    folder = tmp_path / "old"
    folder.mkdir()
    with pa.ipc.new_file(str(folder / "versions.arrow"), versions.SCHEMA) as writer:
        writer.write_table(corpus.table, max_chunksize=4)
    np.save(folder / "rows.npy", corpus.rows)
    np.save(folder / "groups.npy", np.array([0, 1, 2, 1]))
    description = {
        "format_version": 1,
        "name": "old",
        "languages": ["de", "en", "ru"],
        "items": 4,
        "versions": 10,
        "sha256": corpus.checksum,
    }
    (folder / "corpus.json").write_text(json.dumps(description))
    return folder


def test_a_folder_of_version_1_is_read_and_becomes_one_of_version_2(folder_of_version_1, tmp_path):
    old = ParallelCorpus.open(folder_of_version_1)
    assert [problem.kind for problem in check_corpus(folder_of_version_1).problems] == ["single-language"]
    old.save(tmp_path / "new")
    new = ParallelCorpus.open(tmp_path / "new")
    for corpus in (old, new):
        assert corpus.groups.tolist() == [0, 1, 2, 1]
        assert corpus.availability.rows().tolist() == [[True] * 3] * 3 + [[True, False, False]]
        assert corpus.query(3, "de") == "query item1 de"
        assert corpus.checksum == old.checksum
    assert json.loads((tmp_path / "new" / "corpus.json").read_text())["format_version"] == 2


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: np.save(folder / "rows.npy", np.full((4, 3), 10)), "points outside"),
        (lambda folder: np.save(folder / "groups.npy", np.zeros(2, np.int64)), "items with a group"),
        (lambda folder: np.save(folder / "groups.npy", np.array([1, 0, 2, 3])), "numbered by their first"),
    ],
)
def test_a_damaged_folder_of_version_1_is_an_error(folder_of_version_1, spoil, message):
    spoil(folder_of_version_1)
    with pytest.raises(CorpusError, match=message):
        ParallelCorpus.open(folder_of_version_1)


def test_an_opened_corpus_is_pickled_as_its_path(folder):
    corpus = ParallelCorpus.open(folder)
    assert corpus.passage(1, "en") == "passage item1 en"
    again = pickle.loads(pickle.dumps(corpus.stored))
    assert len(pickle.dumps(corpus.stored)) < 1000
    assert again.value("passage", int(corpus.rows[1, 1])) == "passage item1 en"


def test_no_more_batches_stay_open_than_allowed(tmp_path, monkeypatch):
    monkeypatch.setattr(arrow_folder, "_BATCH_ROWS", 2)
    monkeypatch.setattr(versions, "_BATCH_ROWS", 2)
    monkeypatch.setattr(stored_versions, "_BATCHES_KEPT_OPEN", 2)
    ParallelCorpus.from_records(records(), name="hand").save(tmp_path / "corpus")
    corpus = ParallelCorpus.open(tmp_path / "corpus")
    for item in (0, 1, 2, 0, 2, 1):
        assert corpus.query(item, "ru") == f"query item{item} ru"
        assert len(corpus.stored._open) <= 2


def test_a_large_file_is_read_by_page_for_look_ups_and_ahead_for_a_scan(folder, monkeypatch):
    monkeypatch.setattr(stored_versions, "_READ_AHEAD_TO", 0.0)
    advice = []

    class Watched(mmap.mmap):
        def madvise(self, option):
            advice.append(option)
            super().madvise(option)

    monkeypatch.setattr(stored_versions.mmap, "mmap", Watched)
    corpus = ParallelCorpus.open(folder)
    assert corpus.query(0, "de") == corpus.query(0, "de") == "query item0 de"
    assert len(list(corpus.versions())) == 9
    assert corpus.query(2, "ru") == "query item2 ru"
    assert advice == [mmap.MADV_RANDOM, mmap.MADV_NORMAL, mmap.MADV_RANDOM]


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(CorpusError, match="no such corpus folder"):
        ParallelCorpus.open(tmp_path / "nowhere")
