import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies
from hypothesis import settings as hypothesis_settings

from isogloss.corpus import ParallelCorpus, read_corpus
from isogloss.corpus.grouping import comparable
from isogloss.errors import DataError, Interrupted, RecipeError
from isogloss.mining import candidates as candidate_module
from isogloss.mining import mining
from isogloss.mining import work as work_module
from isogloss.mining.candidates import candidate_text
from isogloss.mining.mining import mine_negatives
from isogloss.mining.report import mining_report, mining_tables
from isogloss.mining.settings import MiningSettings
from isogloss.mining.work import remove_work
from isogloss.mining.writing import write_mined
from tests.mining.slow_mining import TableEncoder, allowed, random_corpus, slow_mining

WIDE = MiningSettings(count=4, rank_from=1, rank_to=9, relative_margin=None)
IDENTITY = {"weights": "w"}


def mine(corpus, work, settings=WIDE, encoder=None, **options):
    return mine_negatives(corpus, encoder or TableEncoder(), settings, work, identity=IDENTITY, **options)


def texts_of(mined):
    """The mined negatives of each version, {(id, language): [texts]}."""
    found = {}
    for some, block in mined.read():
        for version, numbers in zip(
            range(some.start, some.stop), block.chosen.candidate.tolist(), strict=True
        ):
            key = (
                mined.corpus.ids[int(mined.versions.item[version])],
                mined.corpus.languages[mined.versions.language[version]],
            )
            found[key] = [candidate_text(mined.corpus, mined.candidates, one) for one in numbers if one >= 0]
    return found


CASES = [
    WIDE,
    MiningSettings(count=2, rank_from=2, rank_to=5, relative_margin=None, search="within"),
    MiningSettings(count=3, rank_from=1, rank_to=6, relative_margin=None, search="parallel", existing="pool"),
    MiningSettings(count=3, rank_from=2, rank_to=12, margin=1.0, relative_margin=None, existing="pool"),
    MiningSettings(count=3, rank_from=1, rank_to=12, margin=0.0, relative_margin=0.75, existing="drop"),
    MiningSettings(count=3, rank_from=1, rank_to=12, relative_margin=1.0, pick="random", seed=3),
    MiningSettings(count=50, rank_from=1, rank_to=99, relative_margin=None, existing="pool", pick="random"),
]


@pytest.mark.parametrize("settings", CASES, ids=range(len(CASES)))
@pytest.mark.parametrize("seed", range(6))
def test_as_the_slow_twin_with_ties_and_shared_texts(tmp_path, settings, seed):
    corpus, encoder = random_corpus(seed), TableEncoder(seed)
    expected = slow_mining(corpus, encoder, settings)
    assert texts_of(mine(corpus, tmp_path, settings, encoder)) == expected
    assert any(expected.values())


@pytest.mark.parametrize("seed", range(3))
def test_the_size_of_blocks_and_shards_changes_nothing(tmp_path, seed, monkeypatch):
    corpus = random_corpus(seed)
    whole = texts_of(mine(corpus, tmp_path / "whole", CASES[3]))
    small = mine(corpus, tmp_path / "small", CASES[3], shard_texts=3, most_queries=4)
    assert len(small.slices) > 5
    assert texts_of(small) == whole
    monkeypatch.setattr(candidate_module, "_SLICE", 2)
    assert texts_of(mine(corpus, tmp_path / "slices", CASES[3])) == whole


@hypothesis_settings(max_examples=25, deadline=None)
@given(seed=strategies.integers(0, 2**32 - 1), case=strategies.sampled_from(CASES))
def test_no_right_answer_in_any_language_is_mined(tmp_path_factory, seed, case):
    corpus = random_corpus(seed)
    mined = texts_of(mine(corpus, tmp_path_factory.mktemp("work"), case, TableEncoder(seed)))
    numbers = {one: number for number, one in enumerate(corpus.ids)}
    for (item, language), negatives in mined.items():
        group = corpus.groups == corpus.groups[numbers[item]]
        answers = {
            comparable(corpus.passage(int(other), column))
            for other in np.flatnonzero(group)
            for column, row in zip(corpus.languages, corpus.rows[other], strict=True)
            if row >= 0
        }
        assert answers.isdisjoint(map(comparable, negatives))
        assert len(set(map(comparable, negatives))) == len(negatives) <= case.count
        # And whatever language found it, its own query does not score it above the margins.
        version, encoder = corpus.version(numbers[item], language), TableEncoder(seed)
        query = encoder.vector(version.query, "query")
        positive = float(query @ encoder.vector(version.passage, "passage"))
        for text in negatives:
            assert allowed(float(query @ encoder.vector(text, "passage")), positive, case)


def test_a_near_miss_found_in_one_language_is_one_in_all(tmp_path):
    # Only the Chinese query finds item b; all versions of item a get b's passage in their language.
    place = {
        "zh a": [0, 1],
        "zh B": [0, 0.9],
        "de B": [0.1, 0],
        "en B": [0.1, 0],
        "de a": [1, 0],
        "en a": [1, 0],
    }

    class Placed(TableEncoder):
        def encode(self, texts, side, progress=None, *, languages=None):
            return np.array([place.get(text, [0.5, 0]) for text in texts], np.float32)

    records = [
        {"id": one, "language": language, "query": f"{language} {one}", "passage": f"{language} {passage}"}
        for one, passage in (("a", "A"), ("b", "B"), ("c", "C"), ("d", "D"))
        for language in ("de", "en", "zh")
    ]
    place |= {f"{language} A": place[f"{language} a"] for language in ("de", "en", "zh")}
    corpus = ParallelCorpus.from_records(records, name="four")
    settings = MiningSettings(count=3, rank_from=2, rank_to=2, search="parallel")
    found = texts_of(mine(corpus, tmp_path, settings, Placed()))
    assert {language: set(found["a", language]) for language in corpus.languages} == {
        "de": {"de B", "de C"},
        "en": {"en B", "en C"},
        "zh": {"zh B", "zh C"},
    }
    within = texts_of(mine(corpus, tmp_path, dataclasses.replace(settings, search="within"), Placed()))
    assert [within["a", language] for language in corpus.languages] == [["de C"], ["en C"], ["zh B"]]


def test_each_distinct_text_is_encoded_once_and_vectors_serve_other_settings(tmp_path):
    corpus, encoder = random_corpus(1), TableEncoder()
    mine(corpus, tmp_path, encoder=encoder)
    assert len(set(encoder.texts)) == len(encoder.texts)
    again = TableEncoder()
    mine(corpus, tmp_path, CASES[1], again)
    assert again.texts == []


def test_vectors_of_another_model_or_corpus_are_refused(tmp_path):
    mine(random_corpus(1), tmp_path)
    with pytest.raises(RecipeError, match="corpus was"):
        mine(random_corpus(2), tmp_path)
    with pytest.raises(RecipeError, match=r"model\.weights was"):
        mine_negatives(random_corpus(1), TableEncoder(), WIDE, tmp_path, identity={"weights": "other"})


def arrays(folder):
    found = {}
    for path in sorted(folder.rglob("*.np[yz]")):
        loaded = np.load(path)
        parts = (
            {"": loaded} if isinstance(loaded, np.ndarray) else {name: loaded[name] for name in loaded.files}
        )
        found |= {(str(path.relative_to(folder)), name): part.tobytes() for name, part in parts.items()}
    return found


SMALL = {"shard_texts": 5, "most_queries": 4}


@pytest.mark.parametrize("stop_at", [0, 5, 25, 50])
def test_stopped_while_encoding_and_gone_on_with_is_bit_equal(tmp_path, stop_at):
    corpus = random_corpus(4)
    mine(corpus, tmp_path / "whole", **SMALL)
    with pytest.raises(Interrupted, match=r"kept in .*stopped"):
        mine(corpus, tmp_path / "stopped", encoder=TableEncoder(stop_at=stop_at), **SMALL)
    mine(corpus, tmp_path / "stopped", **SMALL)
    assert arrays(tmp_path / "stopped") == arrays(tmp_path / "whole")


def test_stopped_while_mining_and_gone_on_with_is_bit_equal(tmp_path, monkeypatch):
    corpus = random_corpus(4)
    mine(corpus, tmp_path / "whole", **SMALL)
    write = work_module.BlockFolder.write

    def stop(self, number, block):
        if number == 3:
            raise KeyboardInterrupt
        write(self, number, block)

    monkeypatch.setattr(work_module.BlockFolder, "write", stop)
    with pytest.raises(Interrupted, match="same command goes on"):
        mine(corpus, tmp_path / "stopped", **SMALL)
    monkeypatch.undo()
    done = []
    mine(corpus, tmp_path / "stopped", progress=lambda *told: done.append(told), **SMALL)
    assert {stage for stage, *_ in done} == {"mining (queries)"}
    assert done[-1][1] == done[-1][2] < len(corpus.stored)
    assert arrays(tmp_path / "stopped") == arrays(tmp_path / "whole")


KILLED = """
import sys, time
from pathlib import Path
from isogloss.mining import work
from tests.mining.test_mining import SMALL, mine, random_corpus
write = work.BlockFolder.write
def slowly(self, number, block):
    time.sleep(0 if number < 2 else 60)
    write(self, number, block)
work.BlockFolder.write = slowly
mine(random_corpus(4), Path(sys.argv[1]), **SMALL)
"""


def test_killed_and_gone_on_with_is_bit_equal(tmp_path):
    mine(random_corpus(4), tmp_path / "whole", **SMALL)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in (str(Path.cwd()), *sys.path) if path),
    }
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "killed")], env=environment)
    until = time.monotonic() + 60
    while not list((tmp_path / "killed").glob("blocks-*/block-000001.npz")):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (blocks,) = (tmp_path / "killed").glob("blocks-*")
    (blocks / ".abcd.part.block-000002.npz").write_bytes(b"half")
    (blocks / "block-000001.npz").write_bytes((blocks / "block-000001.npz").read_bytes()[:300])
    mine(random_corpus(4), tmp_path / "killed", **SMALL)
    assert arrays(tmp_path / "killed") == arrays(tmp_path / "whole")


def test_a_block_that_has_gone_is_said(tmp_path):
    mined = mine(random_corpus(4), tmp_path, **SMALL)
    next(mined.blocks.folder.glob("block-000001*")).unlink()
    with pytest.raises(DataError, match="block 1 has gone; start the same command again"):
        list(mined.read())


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.parquet", "out"])
@pytest.mark.parametrize("existing", ["keep", "pool", "drop"])
def test_written_and_read_again(tmp_path, name, existing):
    corpus = random_corpus(5)
    mined = mine(corpus, tmp_path / "work", dataclasses.replace(WIDE, existing=existing))
    # As a run that was killed while it wrote leaves it.
    for left in (tmp_path / "work" / ".0123abcd.part.mined.arrow", tmp_path / f".0123abcd.part.{name}"):
        left.write_bytes(b"half")
    write_mined(mined, tmp_path / name, tmp_path / "work")
    again, found = read_corpus(tmp_path / name), texts_of(mined)
    before = {(version.id, version.language): version for version in corpus.versions()}
    for version in again.versions():
        old = before.pop((version.id, version.language))
        kept = old.negatives if existing == "keep" else ()
        assert version == dataclasses.replace(old, negatives=(*kept, *found[old.id, old.language]))
    assert not before
    assert not list((tmp_path / "work").rglob("*mined.arrow"))
    assert {path.name for path in tmp_path.iterdir()} == {"work", name}


def test_items_stay_together_in_blocks_of_bounded_size():
    corpus = random_corpus(0, items=40)
    versions, _ = candidate_module.survey(corpus, with_negatives=False, by_language=False)
    slices = mining._slices(versions, 3, WIDE, 10)
    assert [one for some in slices for one in range(some.start, some.stop)] == list(range(len(versions)))
    assert all(0 < some.stop - some.start <= 10 for some in slices)
    assert all(versions.item[some.start] != versions.item[some.start - 1] for some in slices[1:])


@pytest.mark.parametrize("search", ["within", "parallel", "all"])
@pytest.mark.parametrize("existing", ["keep", "pool"])
def test_nothing_to_find(tmp_path, search, existing):
    record = {"id": "a", "language": "en", "query": "what", "passage": "this", "negatives": ["THIS"]}
    corpus = ParallelCorpus.from_records([record, record | {"language": "de"}], name="one")
    settings = MiningSettings(rank_from=2, search=search, existing=existing)
    mined = mine(corpus, tmp_path / "work", settings)
    assert texts_of(mined) == {("a", "en"): [], ("a", "de"): []}
    write_mined(mined, tmp_path / "out.jsonl", tmp_path / "work")
    report = mining_report(mined)
    assert (report["negatives"]["mined"], report["scores"]["negatives"], report["examples"]) == (0, None, [])
    assert mining_tables(report)[0].rows[-1][3] == "0.00"


def test_an_encoder_that_reads_languages_is_told_them(tmp_path):
    class Reading(TableEncoder):
        uses_languages = True

        def encode(self, texts, side, progress=None, *, languages=None):
            told.update(zip([side] * len(texts), texts, languages, strict=True))
            return super().encode([f"{one}{text}" for one, text in zip(languages, texts, strict=True)], side)

    told = set()
    records = [
        {"id": f"{number}", "language": language, "query": "what", "passage": f"{number} {number}"}
        for number in range(4)
        for language in ("de", "en")
    ]
    corpus = ParallelCorpus.from_records(records, name="digits")
    mine(corpus, tmp_path, encoder=Reading())
    assert told == {("query", "what", one) for one in ("de", "en")} | {
        ("passage", f"{number} {number}", one) for number in range(4) for one in ("de", "en")
    }


def test_the_report_counts_what_is_there(tmp_path):
    corpus = random_corpus(3)
    mined = mine(corpus, tmp_path, CASES[3], **SMALL)
    report, found = mining_report(mined, examples=2), texts_of(mined)
    numbers = [len(texts) for texts in found.values()]
    assert report["negatives"]["mined"] == sum(numbers) > 0
    assert report["negatives"]["versions with"] == [numbers.count(number) for number in range(4)]
    for language, one in report["languages"].items():
        assert one["mined"] == sum(len(texts) for (_, other), texts in found.items() if other == language)
    own = report["negatives"]["in the own list"]
    assert own + report["negatives"]["through other lists alone"] == sum(numbers)
    assert own < sum(numbers)
    assert {rule for rule, number in report["places"]["removed"].items() if number} == {
        "answer",
        "same text",
        "margin",
    }
    assert len(report["examples"]) == 2
    for example in report["examples"]:
        texts = [one["text"] for one in example["negatives"]]
        assert texts == found[example["id"], example["language"]]
        encoder = TableEncoder()
        query = encoder.vector(example["query"], "query")
        for one in example["negatives"]:
            assert one["score"] == query @ encoder.vector(one["text"], "passage") <= example["score"] - 1
            assert 2 <= one["rank"] <= 12
    titles = [table.title for table in mining_tables(report)]
    assert len(titles) == 5
    assert "relative" not in str(mining_tables(report)[1].rows)


def test_only_what_a_run_left_is_removed(tmp_path):
    mine(random_corpus(1), tmp_path / "a")
    mine(random_corpus(1), tmp_path / "b")
    (tmp_path / "b" / "mine.txt").write_text("kept")
    remove_work(tmp_path / "a")
    remove_work(tmp_path / "b")
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["b", "b/mine.txt"]
