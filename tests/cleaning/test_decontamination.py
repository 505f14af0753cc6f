import json

import numpy as np
import pytest

from isogloss.cleaning.decontamination import (
    Contamination,
    ContaminationFinder,
    ContaminationReport,
    decontaminate,
    find_contamination,
)
from isogloss.cleaning.evaluation_texts import EvaluationTexts
from isogloss.cleaning.matching import EvaluationIndex, MatchingOptions
from isogloss.corpus import ParallelCorpus, RetrievalBenchmark, read_corpus
from isogloss.errors import BenchmarkError, CorpusError, OutputError
from tests.cleaning.making import read, record, write

BENCHMARK = [record(number, language) for number in range(500, 510) for language in ("en", "de")]


@pytest.fixture
def benchmark_file(tmp_path):
    return write(tmp_path / "benchmark.jsonl", BENCHMARK)


def train_records():
    """Ten clean items in two languages; then one that has a benchmark query, one with a benchmark passage in German."""
    records = [record(number, language) for number in range(10) for language in ("en", "es")]
    records.append(record(20, "en", query=BENCHMARK[0]["query"].upper()))
    records.append(record(20, "es"))
    records.append(record(21, "en"))
    records.append(record(21, "de", passage=f"Vorher. {BENCHMARK[3]['passage']} Nachher."))
    return records


def test_items_in_a_benchmark_are_removed_in_all_languages(tmp_path, benchmark_file):
    source = write(tmp_path / "train.jsonl", train_records())
    output, removed = tmp_path / "out.jsonl", tmp_path / "removed.jsonl"
    report, written, gone = decontaminate(source, [str(benchmark_file)], output, removed=removed)
    assert set(report.items) == {"item-20", "item-21"}
    assert report.by_benchmark() == {"benchmark": {"exact": 1, "contained": 1}}
    assert (written, gone, report.versions) == (20, 4, 24)
    assert read(output) == train_records()[:20]
    side = read(removed)
    assert [one["record"] for one in side] == train_records()[20:]
    assert side[0]["kind"] == "exact"
    assert side[0]["match"]["benchmark_text"] == BENCHMARK[0]["query"]
    assert side[2]["match"]["language"] == "de"
    assert dict(report.languages) == {("benchmark", "en"): 1, ("benchmark", "de"): 1}


def test_a_training_id_that_only_the_benchmark_can_have_is_found(tmp_path):
    squad_id = "56beb4343aeaaa14008c925b"
    benchmark = write(tmp_path / "benchmark.jsonl", [record(1, "en", id=squad_id)])
    source = write(tmp_path / "train.jsonl", [record(2, "es", id=squad_id), record(3, "es")])
    report, written, _ = decontaminate(source, [str(benchmark)], tmp_path / "out.jsonl")
    assert [(one.kind, one.language) for one in report.items.values()] == [("id", "es")]
    assert written == 1
    # Ids that anyone would give say nothing, however long.
    for number, common in enumerate(("7", "test-00000-of-00001-17")):
        benchmark = write(tmp_path / f"{number}.jsonl", [record(1, "en", id=common)])
        source = write(tmp_path / f"train-{number}.jsonl", [record(2, "es", id=common)])
        assert not decontaminate(source, [str(benchmark)], tmp_path / f"out-{number}.jsonl")[0]


def test_a_converted_id_is_that_of_the_benchmark(tmp_path):
    squad_id = "56beb4343aeaaa14008c925b"
    benchmark = write(tmp_path / "benchmark.jsonl", [record(1, "en", id=squad_id)])
    # As `--from squad --language de` writes them; the second is another question's.
    ids = [f"de-{squad_id}", f"de-{squad_id[:-1]}c"]
    source = write(tmp_path / "train.jsonl", [record(2 + n, "de", id=one) for n, one in enumerate(ids)])
    report, written, _ = decontaminate(source, [str(benchmark)], tmp_path / "out.jsonl")
    (found,) = report.items.values()
    assert (found.id, found.kind, found.benchmark_id) == (ids[0], "id", squad_id)
    assert written == 1


def test_nothing_in_common(tmp_path, benchmark_file):
    source = write(tmp_path / "train.jsonl", train_records()[:20])
    report, written, gone = decontaminate(source, [str(benchmark_file)], tmp_path / "out.jsonl.gz")
    assert not report
    assert (written, gone) == (20, 0)
    assert report.summary() == "nothing (20 language versions compared with benchmark)"
    assert read_corpus(tmp_path / "out.jsonl.gz").checksum == read_corpus(source).checksum


def test_what_cannot_be_done_is_said_and_leaves_nothing(tmp_path, benchmark_file):
    source = write(tmp_path / "train.jsonl", train_records())
    output, removed = tmp_path / "out.jsonl", tmp_path / "removed.jsonl"
    with pytest.raises(CorpusError, match="nothing would be left"):
        decontaminate(benchmark_file, [str(benchmark_file)], output, removed=removed)
    with pytest.raises(OutputError, match="two outputs"):
        decontaminate(source, [str(benchmark_file)], output, removed=output)
    with pytest.raises(OutputError, match="give a name ending in"):
        decontaminate(source, [str(benchmark_file)], tmp_path / "out.csv")
    with pytest.raises(CorpusError, match="no such file"):
        decontaminate(source, [str(tmp_path / "nothing.jsonl")], output)
    broken = write(tmp_path / "broken.jsonl", [record(1), "{"])
    with pytest.raises(CorpusError, match=r"broken.jsonl:2: bad JSON.*data clean"):
        decontaminate(broken, [str(benchmark_file)], output)
    assert not output.exists()
    assert not removed.exists()
    output.write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        decontaminate(source, [str(benchmark_file)], output)
    assert output.read_text() == "mine"
    assert not [path for path in tmp_path.iterdir() if ".part" in path.name]


def test_a_corpus_in_memory_is_looked_through():
    corpus = ParallelCorpus.from_records(train_records(), name="train")
    benchmark = RetrievalBenchmark.from_corpus(ParallelCorpus.from_records(BENCHMARK, name="held out"))
    report = find_contamination(corpus, [benchmark])
    assert set(report.items) == {"item-20", "item-21"}
    assert report.summary() == "2 items in held out (24 language versions compared with held out)"
    assert not find_contamination(corpus.select(np.arange(10)), [benchmark])


def test_of_a_large_corpus_blocks_are_looked_at():
    records = [record(number, "en") for number in range(1700)]
    corpus = ParallelCorpus.from_records(records, name="train")
    benchmark = RetrievalBenchmark.from_corpus(ParallelCorpus.from_records(BENCHMARK, name="b"))
    report = find_contamination(corpus, [benchmark], most_versions=600)
    # Every third of the blocks of 512: the first and the last, of 164.
    assert (report.versions, report.available) == (676, 1700)
    assert "676 of 1700 language versions" in report.summary()


class SameVectors:
    """An encoder that gives texts on one subject one vector."""

    name = "same"

    def encode(self, texts, side, progress=None, *, languages=None):
        vectors = np.zeros((len(texts), 3), np.float32)
        for number, text in enumerate(texts):
            vectors[number, 0 if "boat" in text or "barco" in text else 1 if "clock" in text else 2] = 1
        return vectors


def test_an_encoder_finds_translations():
    texts = EvaluationTexts(
        ["river boats carry grain", "a b c"], ["b", "b"], ["query", "passage"], ["en", "en"], ["1", "2"]
    )
    finder = ContaminationFinder(EvaluationIndex(texts, MatchingOptions()), SameVectors(), 0.9)
    corpus = ParallelCorpus.from_records(
        [record(1, "es", query="barcos", passage="clock"), record(2, "es", query="clock", passage="clock")],
        name="t",
    )
    found = finder.look(list(corpus.versions()))
    assert [(one.id, one.kind, one.value, one.benchmark_id) for one in found] == [
        ("item-1", "embedding", 1.0, "1")
    ]


class LanguageVectors:
    """An encoder that puts each language in a direction of its own, and has to be told it."""

    name = "by language"
    uses_languages = True

    def encode(self, texts, side, progress=None, *, languages=None):
        vectors = np.zeros((len(texts), 2), np.float32)
        for number, (_, language) in enumerate(zip(texts, languages, strict=True)):
            vectors[number, ["en", "de"].index(language)] = 1
        return vectors


def test_an_encoder_is_told_the_languages():
    texts = EvaluationTexts(["a b c", "d e f"], ["b", "b"], ["query", "passage"], ["de", "en"], ["1", "2"])
    finder = ContaminationFinder(EvaluationIndex(texts, MatchingOptions()), LanguageVectors(), 0.9)
    corpus = ParallelCorpus.from_records([record(1, "de"), record(2, "en")], name="t")
    found = finder.look(list(corpus.versions()))
    assert {(one.id, one.side, one.benchmark_id) for one in found} == {
        ("item-1", "query", "1"),
        ("item-2", "passage", "2"),
    }


def test_the_report_keeps_the_surest_match():
    report = ContaminationReport({"b": 1})
    for kind, value in (("near-duplicate", 0.6), ("exact", 1.0), ("contained", 0.9)):
        report.add(Contamination("1", "en", "query", "t", kind, value, "b", "x", "t"))
    assert report.by_benchmark() == {"b": {"exact": 1}}
    assert report.items["1"].kind == "exact"


def test_squad_r_folders_by_language(tmp_path):
    paragraph = {
        "context": "One. Two.",
        "sentences": ["One.", "Two."],
        "sentence_breaks": [[0, 4], [5, 9]],
        "qas": [{"id": "q1", "question": "Which?", "answers": [{"answer_start": 0, "text": "One"}]}],
    }
    for language in ("en", "de"):
        document = {"data": [{"title": "t", "paragraphs": [paragraph]}]}
        (tmp_path / f"{language}.json").write_text(json.dumps(document))
    assert EvaluationTexts.read([tmp_path]).languages == ["de"] * 3 + ["en"] * 3
    assert EvaluationTexts.read([tmp_path], languages=["en", "fr"]).texts == ["Which?", "One.", "Two."]
    (tmp_path / "en.json").write_text("{")
    with pytest.raises(BenchmarkError, match="bad JSON"):
        EvaluationTexts.read([tmp_path])


def test_no_item_of_mlqa_but_two_is_in_xquad(data_dir):
    index = EvaluationIndex(EvaluationTexts.read(["xquad-r"], languages=["en"]), MatchingOptions())
    english = read_corpus("mlqa-r").select(languages=["en"])
    report = find_contamination(english, index)
    assert {one.benchmark_text[:24] for one in report.items.values()} <= {"A natural number greater"}
