import json

import numpy as np
import pytest

from isogloss.corpus import ParallelCorpus, read_corpus
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
    assert isinstance(corpus.groups, np.memmap)
    assert corpus.checksum == ParallelCorpus.from_records(records(), name="hand").checksum
    assert sorted(file.name for file in folder.iterdir()) == [
        "corpus.json",
        "groups.npy",
        "rows.npy",
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
        (lambda folder: spoil_json(folder, format_version=99), "format version 99, this isogloss reads 1"),
        (lambda folder: spoil_json(folder, sha256=None), "'sha256' is missing"),
        (lambda folder: spoil_json(folder, versions=8), "rows of versions.arrow: expected 8, found 9"),
        (lambda folder: spoil_json(folder, items=4), "shape of rows.npy"),
        (lambda folder: (folder / "rows.npy").unlink(), "incomplete or damaged"),
        (lambda folder: (folder / "rows.npy").write_bytes(b""), "incomplete or damaged"),
        (lambda folder: np.save(folder / "rows.npy", np.full((3, 3), 9)), "points outside"),
        (lambda folder: np.save(folder / "rows.npy", np.zeros((3, 3))), "holds no integers"),
        (lambda folder: np.save(folder / "groups.npy", np.zeros(2, np.int64)), "shape of groups.npy"),
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


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(CorpusError, match="no such corpus folder"):
        ParallelCorpus.open(tmp_path / "nowhere")
