import json

import numpy as np
import pytest

from isogloss.corpus.passages import Passage
from isogloss.encoding.shards import ShardFolder
from isogloss.errors import CorpusError, DataError, Interrupted, OutputError, RecipeError

SETTINGS = {"model": {"weights": "a1", "max_length": 64}, "files": [{"name": "docs-0.jsonl", "size": 5}]}


class CountingEncoder:
    """A vector tells the text it stands for; may be told to stop at a call."""

    name = "counting"

    def __init__(self, stop_at=None, dimension=3):
        self.calls, self.stop_at, self.dimension = [], stop_at, dimension

    def encode(self, texts, side, progress=None):
        assert side == "passage"
        if len(self.calls) == self.stop_at:
            raise KeyboardInterrupt
        self.calls.append(list(texts))
        if progress is not None:
            progress(len(texts))
        return np.array([vector_of(text, self.dimension) for text in texts], dtype=np.float32)


def vector_of(text, dimension=3):
    return [len(text), *map(ord, text.ljust(dimension)[: dimension - 1])]


def passages(number=10):
    return [Passage(f"p{n}", f"{n % 4} text", None) for n in range(number)]


def opened(folder, number=10, settings=SETTINGS, size=4):
    return ShardFolder.open(folder, passages=number, settings=settings, shard_passages=size)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(("number", "size"), [(10, 4), (8, 4), (3, 4), (4, 1)])
def test_blocks_are_the_passages_in_order(tmp_path, number, size):
    shards, encoder, told = opened(tmp_path / "v", number, size=size), CountingEncoder(), []
    shards.encode(encoder, lambda: iter(passages(number)), lambda *args: told.append(args))
    assert shards.missing() == []
    assert len(encoder.calls) == shards.shards == -(-number // size)
    blocks = list(shards.blocks())
    assert [len(ids) for ids, _ in blocks] == [shards.rows(n) for n in range(shards.shards)]
    assert [one for ids, _ in blocks for one in ids] == [one.id for one in passages(number)]
    vectors = np.concatenate([vectors for _, vectors in blocks])
    assert vectors.dtype == np.float32
    assert vectors.tolist() == [vector_of(one.text) for one in passages(number)]
    assert told[-1] == (number, number)
    assert sorted(told) == told


def test_each_distinct_text_of_a_shard_is_encoded_once(tmp_path):
    encoder = CountingEncoder()
    opened(tmp_path, size=10).encode(encoder, lambda: iter(passages()))
    assert encoder.calls == [["0 text", "1 text", "2 text", "3 text"]]


@pytest.mark.parametrize("stop_at", [0, 1, 2])
def test_stopped_and_resumed_is_the_same_as_undisturbed(tmp_path, stop_at):
    opened(tmp_path / "whole").encode(CountingEncoder(), lambda: iter(passages()))
    kept = min(4 * stop_at, 10)
    with pytest.raises(Interrupted, match=rf"{kept} of 10 passages are encoded and kept in .*; the same"):
        opened(tmp_path / "stopped").encode(CountingEncoder(stop_at), lambda: iter(passages()))
    again, told = CountingEncoder(), []
    opened(tmp_path / "stopped").encode(again, lambda: iter(passages()), lambda *args: told.append(args))
    assert len(again.calls) == 3 - stop_at
    assert told[-1] == (10 - kept, 10 - kept)
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


def test_nothing_is_read_or_encoded_where_all_is_there(tmp_path):
    opened(tmp_path).encode(CountingEncoder(), lambda: iter(passages()))
    opened(tmp_path).encode(CountingEncoder(stop_at=0), lambda: pytest.fail("read again"))


def test_a_damaged_shard_is_made_anew(tmp_path):
    opened(tmp_path).encode(CountingEncoder(), lambda: iter(passages()))
    before = contents(tmp_path)
    (tmp_path / "shard-000000.npy").write_bytes(before["shard-000000.npy"][:-1])
    (tmp_path / "shard-000001.ids").write_text("p4\n")
    (tmp_path / "shard-000002.npy").unlink()
    (tmp_path / ".abcd.part.shard-000002.npy").write_bytes(b"left by a kill")
    with pytest.raises(DataError, match=r"shard-000000\.npy: not a whole shard of 4 passages"):
        list(opened(tmp_path).blocks())
    assert opened(tmp_path).missing() == [0, 1, 2]
    opened(tmp_path).encode(CountingEncoder(), lambda: iter(passages()))
    assert contents(tmp_path) == before


def test_other_settings_are_refused_by_name(tmp_path):
    opened(tmp_path)
    before = contents(tmp_path)
    for change, said in (
        ({"model": {"weights": "b2", "max_length": 64}}, 'model.weights was "a1" and is now "b2"'),
        ({"model": {"weights": "a1"}}, "model.max_length was 64 and is now null"),
        ({"files": [{"name": "docs-0.jsonl", "size": 6}]}, "files was"),
        ({"text": "text alone"}, 'text was null and is now "text alone"'),
    ):
        with pytest.raises(RecipeError) as caught:
            opened(tmp_path, settings={**SETTINGS, **change})
        assert said in str(caught.value)
        assert "Choose another --work" in str(caught.value)
    with pytest.raises(RecipeError, match="passages was 10 and is now 11"):
        opened(tmp_path, 11)
    assert contents(tmp_path) == before
    assert opened(tmp_path, size=100).shard_passages == 4


def test_folders_that_are_something_else(tmp_path):
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "notes.txt").touch()
    with pytest.raises(OutputError, match="not empty, and not vectors"):
        opened(tmp_path / "used")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        opened(tmp_path / "file")
    opened(tmp_path / "broken")
    for text in ("{", json.dumps({"format": 1}), "[]"):
        (tmp_path / "broken" / "manifest.json").write_text(text)
        with pytest.raises(DataError, match="remove the folder to begin anew"):
            opened(tmp_path / "broken")


def test_a_corpus_that_is_not_what_it_was(tmp_path):
    with pytest.raises(CorpusError, match="fewer passages than before"):
        opened(tmp_path / "few").encode(CountingEncoder(), lambda: iter(passages(9)))
    twice = [*passages(9), passages(10)[8]]
    with pytest.raises(CorpusError, match="passage id 'p8' comes twice"):
        opened(tmp_path / "twice").encode(CountingEncoder(), lambda: iter(twice))
    assert opened(tmp_path / "twice").missing() == [2]
