import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isogloss.errors import CorpusError, DataError, OutputError, RecipeError
from isogloss.search import IndexWriter, Passage, Searcher
from isogloss.search import indexing as indexing_module
from isogloss.search.folder import STORE, language_means, read_settings, vector_file
from isogloss.search.sources import find_files, name_files, passages_of
from isogloss.search.store import PassageStore
from isogloss.search.vector_file import VectorFile
from tests.search.conftest import TEXTS, make_index, passages, placed, settings
from tests.search.encoders import WordsEncoder

ROOT = Path(__file__).parents[2]


def update(folder, those, encoder=None, **options):
    encoder = encoder or WordsEncoder()
    with IndexWriter(folder) as writer:
        return writer.update(placed(those), encoder, **options), encoder


def contents(folder):
    """Everything that a reader sees: passages, words and vectors."""
    store = PassageStore(folder / STORE)
    file = vector_file(folder, store, read_settings(store))
    found = {}
    for live in store.live_rows().values():
        texts = store.passages(live.rows.tolist())
        for row, vector in zip(live.rows.tolist(), file.read(live.positions), strict=True):
            found[texts[row].id, texts[row].said_language] = (texts[row], vector.tobytes())
    store.close()
    with sqlite3.connect(folder / STORE) as connection:
        words = connection.execute("SELECT stems FROM words ORDER BY stems").fetchall()
    return found, words


def test_a_new_index_has_everything(index):
    found, words = contents(index)
    assert {one.id: one for one, _ in found.values()} == {one.id: one for one in passages()}
    assert len(words) == 12
    encoder = WordsEncoder()
    for one, vector in found.values():
        assert vector == encoder.encode([one.text], "passage").tobytes()


def test_unchanged_passages_cost_nothing(index):
    before = contents(index)
    done, encoder = update(index, passages())
    assert (done.added, done.changed, done.removed, done.unchanged, done.encoded) == (0, 0, 0, 12, 0)
    assert encoder.encoded == []
    assert contents(index) == before


def test_changes_are_encoded_and_the_rest_is_not(index):
    those = passages()
    those[0] = replace(those[0], text="water is clear")
    those[1] = replace(those[1], metadata={"number": 9})
    those[2] = replace(those[2], title="Stars")
    those.append(Passage("new", "fire is hot", "en"))
    done, encoder = update(index, those)
    assert (done.added, done.changed, done.removed, done.unchanged, done.encoded) == (1, 3, 0, 9, 2)
    assert sorted(encoder.encoded) == ["Stars\nthe sun is a star", "water is clear"], (
        "known texts are not encoded"
    )
    found, words = contents(index)
    assert [found["en-0", "en"][0].text, found["en-1", "en"][0].metadata] == ["water is clear", {"number": 9}]
    assert len(found) == len(words) == 13
    assert done.passages == {"de": 4, "en": 7, "zh": 2}


def test_prune_removes_what_did_not_come(index):
    done, _ = update(index, passages()[:3])
    assert done.removed == 0
    done, _ = update(index, passages()[:3], prune=True)
    assert (done.removed, done.passages) == (9, {"en": 3})
    found, words = contents(index)
    assert len(found) == len(words) == 3


def test_removal_by_id_takes_all_languages(index):
    update(
        index,
        [
            Passage("both", "a b", "en"),
            Passage("both", "a b", "de"),
            Passage("both", "c", "fr", detected=True),
        ],
    )
    with IndexWriter(index) as writer:
        done = writer.remove(["both", "en-0"])
        assert (done.removed, sum(done.passages.values())) == (4, 11)
        with pytest.raises(CorpusError, match="no passage has the id 'none'; nothing is changed"):
            writer.remove(["en-1", "none"])
    assert sum(IndexWriter(index).store.counts().values()) == 11


def test_a_language_is_part_of_what_a_passage_is_known_by_where_it_is_said(index):
    update(index, [Passage("x", "hello", "en"), Passage("x", "hallo", "de")])
    done, _ = update(index, [Passage("x", "hello!", "en")])
    assert (done.added, done.changed) == (0, 1)


def test_languages_are_detected_where_nobody_says_them(tmp_path):
    text = {
        "de": "Der Hund schläft unter dem Tisch in der Küche",
        "en": "The dog sleeps under the kitchen table",
    }
    make_index(tmp_path / "index", [Passage(name, words) for name, words in text.items()])
    found, _ = contents(tmp_path / "index")
    assert {one.id: (one.language, one.detected) for one, _ in found.values()} == {
        "de": ("de", True),
        "en": ("en", True),
    }


def test_an_id_twice_is_refused_and_nothing_is_changed(index):
    before = contents(index)
    twice = [Passage("a", "one", "en"), Passage("a", "eins", "de"), Passage("a", "two", "en")]
    with pytest.raises(CorpusError, match=r"given:3: the id 'a' in en came before"):
        update(index, twice)
    with pytest.raises(CorpusError, match="no passage was given"):
        update(index, [])
    assert contents(index) == before


def test_an_id_twice_far_apart_is_refused(index, monkeypatch):
    monkeypatch.setattr(indexing_module, "_AT_ONCE", 2)
    with pytest.raises(CorpusError, match=r"given:5: the id 'a'"):
        update(index, [Passage("a", "x", "en"), *passages()[:3], Passage("a", "x", "en")])


def test_another_model_is_refused(index):
    with pytest.raises(DataError, match="differs in name"):
        update(index, passages(), WordsEncoder(seed=1))
    with pytest.raises(DataError, match="another model"):
        Searcher(index, WordsEncoder(seed=1))


def test_two_writers(index):
    with IndexWriter(index), pytest.raises(OutputError, match="another process is changing the index"):
        IndexWriter(index)
    IndexWriter(index).close()


def test_what_is_no_index(tmp_path, index):
    with pytest.raises(DataError, match="no index"):
        IndexWriter(tmp_path / "none")
    with pytest.raises(DataError, match="no index"):
        Searcher.open(tmp_path)
    with pytest.raises(OutputError, match="not empty"):
        IndexWriter.create(index, WordsEncoder(), settings())
    with pytest.raises(RecipeError, match="choose exact or milvus"):
        IndexWriter.create(tmp_path / "new", WordsEncoder(), settings(backend="faiss"))
    with pytest.raises(RecipeError, match="--uri"):
        IndexWriter.create(tmp_path / "new", WordsEncoder(), settings(uri="http://x"))
    assert not (tmp_path / "new").exists()
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / STORE).write_text("no database at all, but long enough to look at" * 20)
    with pytest.raises(DataError, match="cannot be read"):
        Searcher.open(tmp_path / "text")
    with sqlite3.connect(index / STORE) as connection:
        connection.execute("UPDATE about SET value = '99' WHERE name = 'format'")
    connection.close()
    with pytest.raises(DataError, match="format 99"):
        Searcher.open(index)
    with pytest.raises(DataError, match="format 99"):
        IndexWriter(index)
    assert not [path for path in open_files() if path.is_relative_to(index)]


def open_files():
    if not Path("/proc/self/fd").is_dir():
        return []
    return [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]


def test_vectors_that_were_cut_off_are_noticed(index):
    file = next(index.glob("vectors-*.f32"))
    os.truncate(file, 100)
    with pytest.raises(DataError, match="100 bytes where the index needs"):
        Searcher(index, WordsEncoder())
    file.unlink()
    with pytest.raises(DataError, match="No such file"):
        Searcher(index, WordsEncoder())


def test_vectors_of_nothing_are_thrown_away_in_time(index):
    store = PassageStore(index / STORE)
    for number in range(12):
        those = [replace(one, text=f"{one.text} {number}") for one in passages()]
        update(index, those)
        about = store.about()
        assert about["next_position"] <= 24
    assert [one.name for one in index.glob("vectors-*")] == [f"vectors-{about['vectors']}.f32"]
    assert about["vectors"] > 3
    encoder = WordsEncoder()
    found, _ = contents(index)
    for one, vector in found.values():
        assert vector == encoder.encode([one.text], "passage").tobytes()


class Killed(BaseException):
    """In the place of SIGKILL."""


def steps_of(monkeypatch, at):
    """Kill the update before its at-th step on disk; returns how many steps there were."""
    count = 0

    def counted(method):
        def step(*arguments, **options):
            nonlocal count
            count += 1
            if count == at:
                raise Killed
            return method(*arguments, **options)

        return step

    monkeypatch.setattr(VectorFile, "write", counted(VectorFile.write))
    monkeypatch.setattr(PassageStore, "transaction", counted(PassageStore.transaction))
    for name in ("publish", "bury", "stage", "see", "forget_vectors", "move_vectors"):
        monkeypatch.setattr(PassageStore, name, counted(getattr(PassageStore, name)))
    return lambda: count


def test_killed_at_any_step_an_index_is_the_one_before_or_after_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(indexing_module, "_AT_ONCE", 5)
    new = [
        *[replace(one, text=f"{one.text} again") for one in passages()[:9]],
        Passage("new", "quite new", "en"),
    ]
    make_index(tmp_path / "before")
    before = contents(tmp_path / "before")
    make_index(tmp_path / "after")
    update(tmp_path / "after", new, prune=True)
    after = contents(tmp_path / "after")
    seen = {"before": 0, "after": 0}
    for at in range(1, 100):
        folder = tmp_path / f"at-{at}"
        make_index(folder)
        with monkeypatch.context() as patch:
            count = steps_of(patch, at)
            try:
                update(folder, new, prune=True)
            except Killed:
                pass
            else:
                assert count() < at
                break
        now = contents(folder)
        assert now in (before, after), at
        seen["before" if now == before else "after"] += 1
        with Searcher(folder, WordsEncoder()) as searcher:
            assert searcher.search("water is wet", top_k=1)[0].id == "en-0"
        _, encoder = update(folder, new, prune=True)
        assert contents(folder) == after, at
        assert len(encoder.encoded) <= 10
    assert min(seen.values()) > 3


def test_a_killed_process_leaves_the_index_before_and_what_it_encoded(tmp_path, index):
    before = contents(index)
    script = tmp_path / "update.py"
    script.write_text(
        textwrap.dedent(
            """
            import os, signal, sys
            from isogloss.search import IndexWriter, Passage, indexing
            from tests.search.encoders import WordsEncoder

            indexing._AT_ONCE = 10
            def passages():
                for number in range(100):
                    if number == 55:
                        os.kill(os.getpid(), signal.SIGKILL)
                    yield f"{number}", Passage(f"n{number}", f"text number {number}", "en")
            IndexWriter(sys.argv[1]).update(passages(), WordsEncoder())
            """
        )
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    done = subprocess.run([sys.executable, script, index], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert contents(index) == before
    done, encoder = update(
        index, [Passage(f"n{number}", f"text number {number}", "en") for number in range(100)]
    )
    assert (done.added, done.encoded, len(encoder.encoded)) == (100, 50, 50), "fifty were encoded already"


def test_means_are_the_mean(index):
    store = PassageStore(index / STORE)
    languages, means = language_means(store, vector_file(index, store, read_settings(store)))
    assert languages == sorted(TEXTS)
    for language, mean in zip(languages, means, strict=True):
        wanted = WordsEncoder().encode(TEXTS[language], "passage").mean(axis=0)
        np.testing.assert_allclose(mean, wanted, atol=1e-6)


def test_texts_are_told_languages_where_the_model_reads_them(tmp_path):
    encoder = make_index(
        tmp_path / "i", [Passage("a", "x", "en"), Passage("b", "x", "de")], WordsEncoder(languages=True)
    )
    assert encoder.encoded[1:] == ["x", "x"], "the first is asked for its dimension"


def test_reading_from_a_folder_that_may_not_be_written_in(index):
    index.chmod(0o500)
    try:
        with Searcher(index, WordsEncoder()) as searcher:
            assert len(searcher.search("water")) == 10
    finally:
        index.chmod(0o700)


def test_a_copy_without_what_was_written_last_is_refused(index, tmp_path):
    writer = IndexWriter(index)
    writer.update(placed([Passage("new", "quite new", "fr")]), WordsEncoder())
    shutil.copytree(index, tmp_path / "copy")
    writer.close()
    (tmp_path / "copy").chmod(0o500)
    try:
        # Whoever may write anywhere is not refused.
        if not os.access(tmp_path / "copy", os.W_OK):
            with pytest.raises(DataError, match="was copied while it was written"):
                Searcher(tmp_path / "copy", WordsEncoder())
    finally:
        (tmp_path / "copy").chmod(0o700)
    assert not (index / f"{STORE}-wal").exists() or not (index / f"{STORE}-wal").stat().st_size
    shutil.copytree(index, tmp_path / "whole")
    with Searcher(tmp_path / "whole", WordsEncoder()) as searcher:
        assert searcher.search("quite new", top_k=1)[0].id == "new"


def test_vectors_that_a_kill_left_are_removed(index):
    (index / "vectors-7.f32").write_bytes(b"0" * 64)
    IndexWriter(index).close()
    assert [one.name for one in index.glob("vectors-*")] == ["vectors-0.f32"]


def test_what_a_killed_update_encoded_outlives_a_removal(index, monkeypatch):
    monkeypatch.setattr(indexing_module, "_AT_ONCE", 1)
    new = [Passage(f"n{number}", f"text number {number}", "en") for number in range(4)]

    def stopping():
        yield from placed(new[:3])
        raise Killed

    with IndexWriter(index) as writer, pytest.raises(Killed):
        writer.update(stopping(), WordsEncoder())
    with IndexWriter(index) as writer:
        writer.remove(["en-0"])
    _, encoder = update(index, new)
    assert encoder.encoded == ["text number 3"]


def read_into(folder, *sources, prune=False, **options):
    encoder = WordsEncoder()
    with IndexWriter(folder) as writer:
        files = name_files(find_files(sources), writer.known_files(), prune=prune)
        read = passages_of(files.paths, language="en", **options)
        return writer.update(read, encoder, files=files, prune=prune), encoder


def ids(folder):
    return sorted(name for name, _ in contents(folder)[0])


@pytest.fixture
def files(tmp_path):
    """Two folders with files of the same names, and an index without passages."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.md").write_text(f"# Head\n\nfirst of {name}\n\n# Next\n\nsecond of {name}\n")
        (tmp_path / name / "t.csv").write_text(f"text\nred {name}\ngreen {name}\n")
    IndexWriter.create(tmp_path / "files", WordsEncoder(), settings()).close()
    return tmp_path


def test_files_of_two_folders_with_the_same_names_stay_apart(files):
    index = files / "files"
    of_one = ["a.md#1", "a.md#2", "t.csv:2", "t.csv:3"]
    done, _ = read_into(index, files / "one")
    assert (done.added, ids(index)) == (4, of_one)
    done, _ = read_into(index, files / "two")
    assert (done.added, done.changed, done.removed) == (4, 0, 0)
    assert ids(index) == sorted([*of_one, *(f"two/{name}" for name in of_one)])
    found, _ = contents(index)
    assert [found["two/a.md#1", "en"][0].metadata["source"], found["a.md#1", "en"][0].text] == [
        "two/a.md",
        "first of one",
    ]
    for those in ([files / "one", files / "two"], [files / "two", files / "one"], [files / "two" / "a.md"]):
        done, encoder = read_into(index, *those)
        assert (done.added, done.changed, done.removed, encoder.encoded) == (0, 0, 0, [])


def test_an_index_of_an_earlier_release_is_not_doubled(files):
    index = files / "files"
    read_into(index, files / "one")
    with sqlite3.connect(index / STORE) as connection:
        connection.execute("DROP TABLE files")
    before = contents(index)
    done, encoder = read_into(index, files / "one")
    assert (done.added, done.changed, done.removed, done.unchanged, encoder.encoded) == (0, 0, 0, 4, [])
    assert contents(index) == before
    with IndexWriter(index) as writer:
        assert writer.known_files() == {name: str(files / "one" / name) for name in ("a.md", "t.csv")}


def test_what_is_gone_from_a_file_is_gone_from_the_index(files):
    index = files / "files"
    read_into(index, files / "one", files / "two")
    mine = [
        Passage("a.md#x", "of my own", "en"),
        Passage("a.md#", "of my own", "en"),
        Passage("b.md#2", "of my own", "en"),
        Passage("a.md:2b", "of my own", "en"),
    ]
    update(index, mine)
    (files / "one" / "a.md").write_text("# Head\n\nfirst of one\n")
    (files / "one" / "t.csv").write_text("text\ngreen one\n")
    done, encoder = read_into(index, files / "one" / "a.md", files / "one" / "t.csv")
    assert (done.changed, done.removed, done.unchanged, encoder.encoded) == (1, 2, 1, [])
    of_two = ["two/a.md#1", "two/a.md#2", "two/t.csv:2", "two/t.csv:3"]
    assert ids(index) == sorted(["a.md#1", "t.csv:2", *of_two, *(one.id for one in mine)])
    (files / "one" / "a.md").write_text("")
    done, _ = read_into(index, files / "one")
    assert (done.removed, done.unchanged) == (1, 1), "an empty file has no passages"


def test_a_language_that_is_said_later_does_not_double_a_file(files):
    index = files / "files"
    (files / "one" / "a.md").write_text("The dog sleeps under the kitchen table")
    with IndexWriter(index) as writer:
        named = name_files(find_files([files / "one" / "a.md"]), {})
        writer.update(passages_of(named.paths), WordsEncoder(), files=named)
    done, _ = read_into(index, files / "one" / "a.md")
    assert (done.added, done.removed, ids(index)) == (1, 1, ["a.md#1"])


def test_files_that_vanished_from_a_folder_are_gone_from_the_index(files):
    index = files / "files"
    (files / "one" / "ids.csv").write_text("id,text\nmine,blue one\n")
    read_into(index, files / "one", files / "two")
    (files / "one" / "a.md").rename(files / "one" / "b.md")
    (files / "one" / "ids.csv").unlink()
    (files / "two" / "a.md").unlink()
    done, encoder = read_into(index, files / "one")
    assert (done.added, done.removed, encoder.encoded) == (2, 2, []), "a new name costs nothing"
    assert ids(index) == sorted(
        [
            "b.md#1",
            "b.md#2",
            "mine",
            "t.csv:2",
            "t.csv:3",
            "two/a.md#1",
            "two/a.md#2",
            "two/t.csv:2",
            "two/t.csv:3",
        ]
    ), "another folder's files, and passages with ids of their own, stay"
    read_into(index, files / "one", prune=True)
    assert ids(index) == ["b.md#1", "b.md#2", "t.csv:2", "t.csv:3"]
    with IndexWriter(index) as writer:
        assert sorted(writer.known_files()) == ["b.md", "t.csv"]


def test_a_refused_file_leaves_index_and_names_as_they_were(files):
    index = files / "files"
    read_into(index, files / "one")
    before = contents(index)
    (files / "two" / "t.csv").write_bytes(b"text\n\xff\n")
    (files / "one" / "t.csv").unlink()
    with pytest.raises(CorpusError, match="invalid UTF-8"):
        read_into(index, files / "one", files / "two")
    assert contents(index) == before
    with IndexWriter(index) as writer:
        assert sorted(writer.known_files()) == ["a.md", "t.csv"]


def stopped(index, those):
    """An update that is killed after these passages."""

    def stopping():
        yield from placed(those)
        raise Killed

    with IndexWriter(index) as writer, pytest.raises(Killed):
        writer.update(stopping(), WordsEncoder())


def test_what_a_killed_update_encoded_outlives_smaller_updates(index, monkeypatch):
    monkeypatch.setattr(indexing_module, "_AT_ONCE", 1)
    monkeypatch.setattr(indexing_module, "KEPT_FOR", 3)
    new = [Passage(f"n{number}", f"text number {number}", "en") for number in range(40)]
    stopped(index, new)
    for number in range(3):
        update(index, [Passage("other", f"a small change {number}", "en")])
    _, encoder = update(index, new)
    assert encoder.encoded == []
    assert len(PassageStore(index / STORE).used_positions()) == 12 + 1 + 40


def test_what_a_killed_update_encoded_is_not_kept_for_ever(index, monkeypatch):
    monkeypatch.setattr(indexing_module, "_AT_ONCE", 1)
    monkeypatch.setattr(indexing_module, "KEPT_FOR", 3)
    first, second = ([Passage(f"{name}{at}", f"{name} {at}", "en") for at in range(9)] for name in "fs")
    stopped(index, first)
    for number in range(2):
        update(index, [Passage("other", f"a small change {number}", "en")])
    stopped(index, second)
    store = PassageStore(index / STORE)
    for number in range(3):
        update(index, [Passage("other", f"another small change {number}", "en")])
        assert len(store.used_positions()) == 12 + 1 + 18, "counted from the last that was killed"
    update(index, [Passage("other", "the last small change", "en")])
    assert len(store.used_positions()) == 12 + 1
    assert store.about()["next_position"] <= 2 * 13


def test_weights_are_looked_at_once_when_an_index_is_made(tmp_path, monkeypatch):
    asked = []
    whole = indexing_module.passage_identity
    monkeypatch.setattr(indexing_module, "passage_identity", lambda one: asked.append(one) or whole(one))
    encoder = make_index(tmp_path / "index")
    assert asked == [encoder]
    with IndexWriter(tmp_path / "index") as writer:
        for _ in range(2):
            writer.update(placed(passages()), encoder)
    assert len(asked) == 3
    other = IndexWriter.create(tmp_path / "other", encoder, settings())
    with other, pytest.raises(DataError, match="differs in name"):
        other.update(placed(passages()), WordsEncoder(seed=1))
