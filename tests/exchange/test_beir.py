"""A benchmark goes to BEIR's form and comes back; BEIR's own loader reads it too."""

import json
from dataclasses import replace

import numpy as np
import pytest

from isogloss.corpus import RetrievalBenchmark, load_benchmark
from isogloss.errors import BenchmarkError, OutputError
from isogloss.evaluation import evaluate_vectors
from isogloss.exchange.beir import write_beir, write_beir_subsets
from isogloss.exchange.subsets import subsets_of
from tests.corpus.making import squad_paragraph
from tests.exchange.making import small_benchmark, tied_vectors


def squad_r(folder):
    """Three languages in SQuAD-R's form, as XQuAD-R has it: sentences twice, some with white space around."""
    folder.mkdir()
    for language in ("de", "en", "th"):
        paragraphs = [
            squad_paragraph(
                [f"{language} sentence {number} ", "the same", f" {language} {number} end", "the same"],
                [
                    (f"id{number}", f"{language} what {number} ?", number % 4),
                    (f"id{number}b", f"who {number}", 1),
                ],
            )
            for number in range(6)
        ]
        document = {"data": [{"title": "t", "paragraphs": paragraphs}]}
        (folder / f"{language}.json").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return load_benchmark(folder)


def figures(benchmark, vectors):
    """Every figure that an evaluation gives, by name."""
    evaluation = evaluate_vectors(benchmark, *vectors)
    found = {}
    for setting, scores in evaluation.settings.items():
        for measure, summary in scores.summaries.items():
            found |= {(setting, measure, key): value for key, value in summary.by_language.items()}
            found |= {(setting, measure, key): value for key, value in (summary.by_pair or {}).items()}
            found[setting, measure] = summary.mean
    for key, (summary, counts) in evaluation.bias_summaries().items():
        found |= {(key, language): value for language, value in summary.by_language.items()}
        found[key] = summary.mean
        found[key, "queries"] = counts.queries
    return {key: value for key, value in found.items() if value is not None}


def same_order(again, benchmark, vectors):
    """The vectors of `benchmark`'s texts in the order of `again`'s ids."""
    query = dict(zip(benchmark.query_ids, vectors[0], strict=True))
    candidate = dict(zip(benchmark.candidate_ids, vectors[1], strict=True))
    return [
        np.stack([query[name] for name in again.query_ids]),
        np.stack([candidate[name] for name in again.candidate_ids]),
    ]


@pytest.mark.parametrize("make", [lambda folder: small_benchmark(), squad_r], ids=["corpus", "squad-r"])
def test_a_benchmark_comes_back_with_every_figure(make, tmp_path):
    benchmark = make(tmp_path / "source")
    write_beir(benchmark, tmp_path / "beir")
    again = load_benchmark(tmp_path / "beir")
    assert again.checksum == benchmark.checksum
    assert again.query_texts == benchmark.query_texts
    assert again.candidate_texts == benchmark.candidate_texts
    vectors = tied_vectors(benchmark)
    before, after = figures(benchmark, vectors), figures(again, same_order(again, benchmark, vectors))
    assert after == pytest.approx(before, abs=1e-9, rel=0)
    write_beir(again, tmp_path / "twice")
    for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
        assert (tmp_path / "twice" / name).read_bytes() == (tmp_path / "beir" / name).read_bytes()


def test_the_files_are_as_beir_documents_them(tmp_path):
    benchmark = small_benchmark()
    write_beir(benchmark, tmp_path / "beir", split="dev")
    passages = [json.loads(line) for line in (tmp_path / "beir" / "corpus.jsonl").open(encoding="utf-8")]
    assert all(set(one) == {"_id", "title", "text", "metadata"} for one in passages)
    assert passages[0]["metadata"]["language"] == "de"
    queries = [json.loads(line) for line in (tmp_path / "beir" / "queries.jsonl").open(encoding="utf-8")]
    assert all(set(one) == {"_id", "text", "metadata"} for one in queries)
    assert {one["metadata"]["language"] for one in queries} == {"de", "en", "zh"}
    # Translations of one question have one parallel id.
    assert len({one["metadata"]["parallel_id"] for one in queries}) == 12
    first, *lines = (tmp_path / "beir" / "qrels" / "dev.tsv").read_text(encoding="utf-8").splitlines()
    assert first == "query-id\tcorpus-id\tscore"
    assert len(lines) == len(benchmark.qrels)
    assert all(len(line.split("\t")) == 3 and line.endswith("\t1") for line in lines)


def read_by_beir(folder):
    loader = pytest.importorskip(
        "beir.datasets.data_loader",
        reason="BEIR's loader comes with `pip install beir`, not needed otherwise",
    )
    return loader.GenericDataLoader(str(folder)).load(split="test")


def test_beirs_own_loader_reads_the_same(tmp_path):
    benchmark = small_benchmark()
    write_beir(benchmark, tmp_path / "beir")
    corpus, queries, qrels = read_by_beir(tmp_path / "beir")
    assert {name: passage["text"] for name, passage in corpus.items()} == dict(
        zip(benchmark.candidate_ids, benchmark.candidate_texts, strict=True)
    )
    assert queries == dict(zip(benchmark.query_ids, benchmark.query_texts, strict=True))
    pairs = {(query, candidate) for query, judged in qrels.items() for candidate in judged}
    assert pairs == {
        (benchmark.query_ids[query], benchmark.candidate_ids[candidate])
        for query, candidate in benchmark.qrels.tolist()
    }


def test_a_folder_for_each_subset_has_the_figures_of_its_setting(tmp_path):
    benchmark = small_benchmark()
    names = write_beir_subsets(benchmark, tmp_path / "apart")
    assert names == [subset.name for subset in subsets_of(benchmark)]
    vectors = tied_vectors(benchmark)
    whole = evaluate_vectors(benchmark, *vectors)
    for subset in subsets_of(benchmark):
        part = load_benchmark(tmp_path / "apart" / subset.name)
        assert isinstance(part, RetrievalBenchmark)
        scores = evaluate_vectors(part, *same_order(part, benchmark, vectors)).settings
        expected = whole.settings[subset.setting].summaries["map"]
        if subset.setting == "cross":
            pair = f"{subset.query_language}->{subset.candidate_language}"
            assert scores["cross"].summaries["map"].by_pair[pair] == expected.by_pair[pair]
        else:
            language = subset.query_language
            assert (
                scores[subset.setting].summaries["map"].by_language[language]
                == expected.by_language[language]
            )


def test_what_cannot_be_written_is_named(tmp_path):
    benchmark = small_benchmark()
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").touch()
    with pytest.raises(OutputError, match="not empty"):
        write_beir(benchmark, tmp_path / "there")
    quoted = replace(benchmark, query_ids=['"q"', *benchmark.query_ids[1:]])
    for write in (write_beir, write_beir_subsets):
        with pytest.raises(BenchmarkError, match="begins with a quotation mark"):
            write(quoted, tmp_path / "new")
    assert not (tmp_path / "new").exists()
