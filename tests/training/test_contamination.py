"""Training data are compared with the benchmarks on the machine before a training, and the card says so."""

import hashlib
import json

import pytest

from isogloss.corpus import ParallelCorpus, registry
from isogloss.training import contamination as module
from isogloss.training.callbacks import SilentProgress
from isogloss.training.contamination import check_contamination
from isogloss.training.recipe import make_recipe
from isogloss.training.run import train
from tests.conftest import records, write_records

QUESTION = "What is the longest river that flows through the old city?"


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data folder with a benchmark of one question, known by name."""
    paragraph = {
        "context": "It is short.",
        "sentences": ["It is short."],
        "sentence_breaks": [[0, 12]],
        "qas": [{"id": "q1", "question": QUESTION, "answers": [{"answer_start": 0, "text": "It"}]}],
    }
    folder = tmp_path / "data" / "xquad-r"
    folder.mkdir(parents=True)
    (folder / "en.json").write_text(json.dumps({"data": [{"title": "t", "paragraphs": [paragraph]}]}))
    checksum = hashlib.sha256((folder / "en.json").read_bytes()).hexdigest()
    known = registry.KnownBenchmark("xquad-r", "", "", "", {"en": checksum})
    monkeypatch.setattr(registry, "KNOWN_BENCHMARKS", {"xquad-r": known})
    monkeypatch.delenv("ISOGLOSS_DATA", raising=False)
    monkeypatch.setenv("ISOGLOSS_CACHE", str(tmp_path / "cache"))
    module._index.cache_clear()
    return tmp_path / "data"


def corpus(*more):
    return ParallelCorpus.from_records([*records(items=6), *more], name="faq")


TAINTED = {"id": "tainted", "language": "en", "query": QUESTION.upper(), "passage": "man wood"}


def test_a_benchmark_question_is_found(data):
    check = check_contamination([corpus(TAINTED)], data)
    assert check.messages == [
        "warning: faq holds 1 items in xquad-r (25 language versions compared with xquad-r): figures on it will be too"
        " high; `isogloss data decontaminate` takes them out"
    ]
    assert check.card_lines[-1] == "- faq: 1 items in xquad-r (25 language versions compared with xquad-r)"


def test_clean_data_get_a_line(data):
    check = check_contamination([corpus()], data)
    (message,) = check.messages
    assert message.startswith("no text of xquad-r in 24 language versions of the training data (")
    assert check.card_lines[-1].startswith("- faq: nothing (")


def test_without_benchmarks_nothing_is_said(data, tmp_path):
    check = check_contamination([corpus(TAINTED)], tmp_path)
    assert check.messages == []
    assert "none was on the machine" in check.card_lines[0]


def test_a_damaged_benchmark_stops_no_training(data):
    (data / "xquad-r" / "en.json").write_text("{}")
    check = check_contamination([corpus(TAINTED)], data)
    assert "not compared with benchmarks: " in check.messages[0]
    assert "not the file of xquad-r as published" in check.card_lines[0]


class Recorder(SilentProgress):
    def __init__(self):
        self.messages = []

    def message(self, text):
        self.messages.append(text)


@pytest.mark.parametrize("checked", [True, False])
def test_a_training_warns_and_its_card_says_so(data, tmp_path, tiny_bert, checked):
    file = write_records(tmp_path / "faq.jsonl", items=20)
    with file.open("a") as lines:
        lines.write(json.dumps(TAINTED) + "\n")
    values = {
        "base": str(tiny_bert), "train": [str(file)], "plan": "x-x", "steps": 1, "batch_size": 4, "device": "cpu",
        "max_length": 32,
    }  # fmt: skip
    progress = Recorder()
    train(
        make_recipe(values), tmp_path / "model", data_dir=data, progress=progress, contamination_check=checked
    )
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    warned = [
        message
        for message in progress.messages
        if message.startswith("warning: faq holds 1 items in xquad-r")
    ]
    assert len(warned) == checked
    said = "- faq: 1 items in xquad-r (81 language versions" if checked else "the check was switched off"
    assert said in card
