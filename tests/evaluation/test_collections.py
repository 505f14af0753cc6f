import gzip
import subprocess
import sys
from pathlib import Path

import ir_measures
import numpy as np
import pyarrow.parquet as pq
import pytest
from ir_measures import AP, RR, R, nDCG

from isogloss.corpus.collection import find_collections
from isogloss.corpus.judgements import read_qrels
from isogloss.corpus.passages import read_passages
from isogloss.errors import BenchmarkError, Interrupted, RecipeError
from isogloss.evaluation.collection_results import (
    collection_results,
    write_collection_per_query,
    write_collection_runs,
)
from isogloss.evaluation.collections import evaluate_collections
from tests.corpus.collection_making import make_beir, make_miracl, passage, write_lines, write_text

THEIRS = {"ndcg@10": nDCG @ 10, "recall@100": R @ 100, "map@100": AP @ 100, "mrr@10": RR @ 10}
IDENTITY = {"weights": "letters"}


class LetterEncoder:
    """Counts of letters, rounded so that many texts tie; queries and passages alike."""

    name = "letters"

    def __init__(self, stop_after=None):
        self.stop_after, self.passages = stop_after, 0

    def encode(self, texts, side, progress=None):
        if side == "passage":
            if self.stop_after is not None and self.passages >= self.stop_after:
                raise KeyboardInterrupt
            self.passages += len(texts)
        if progress is not None:
            progress(len(texts))
        return np.array([letters(text) for text in texts], dtype=np.float32)


def letters(text):
    return [min(text.count(letter), 3) for letter in "0123456789abcdefghijklmnopqrstuvwxyz"]


def evaluate(folder, work, encoder=None, **arguments):
    collections = find_collections(folder)
    return evaluate_collections(
        encoder or LetterEncoder(), collections, work, identity=IDENTITY, shard_passages=16, **arguments
    )


def slow_run(collection):
    """The whole ranking of every judged query, by sorting; and its first hundred with falling scores."""
    passages = list(read_passages(collection.passages))
    queries = dict(line.split("\t") for line in collection.queries.read_text().splitlines())
    run = {}
    for query in read_qrels(collection.qrels):
        scores = {one.id: float(np.dot(letters(queries[query]), letters(one.text))) for one in passages}
        order = sorted(scores, key=lambda one: (-scores[one], one))
        run[query] = {one: float(-place) for place, one in enumerate(order[:100])}
    return run


def test_an_independent_library_agrees_with_every_figure(tmp_path):
    # Over a hundred passages, so that some relevant ones are not among the first hundred.
    make_miracl(tmp_path / "data", passages=300, queries=40)
    scores = evaluate(tmp_path / "data", tmp_path / "work")
    results = collection_results(scores, name="data", model={"name": "letters"})
    means = {}
    for one in scores:
        theirs = {}
        judged = {
            query: passages
            for query, passages in read_qrels(one.collection.qrels).items()
            if any(grade > 0 for grade in passages.values())
        }
        for metric in ir_measures.iter_calc(list(THEIRS.values()), judged, slow_run(one.collection)):
            theirs[metric.query_id, metric.measure] = metric.value
        for name, measure in THEIRS.items():
            ours = dict(zip((query.id for query in one.queries), one.values[name], strict=True))
            expected = {query: value for (query, of), value in theirs.items() if of == measure}
            assert ours == pytest.approx(expected, abs=1e-9)
            means[one.collection.name, name] = np.mean(list(expected.values()))
    assert 0 < means["sw", "recall@100"] < 1
    for name in THEIRS:
        summary = results["settings"]["mono"][name]
        assert summary["by_language"] == pytest.approx({"sw": means["sw", name], "yo": means["yo", name]})
        assert summary["mean"] == pytest.approx((means["sw", name] + means["yo", name]) / 2)
    assert list(results["settings"]) == ["mono"]
    assert results["counts"]["mono"] == {"queries": 80, "by_language": {"sw": 40, "yo": 40}}
    assert results["data"]["candidates"] == 600
    assert results["data"]["lost"] == 0


def test_an_encoder_that_uses_languages_is_told_those_of_the_folders(tmp_path):
    class Told(LetterEncoder):
        uses_languages = True

        def encode(self, texts, side, progress=None, *, languages=None):
            told.append((side, len(texts), set(languages)))
            return super().encode(texts, side, progress)

    told = []
    make_miracl(tmp_path / "data", passages=20, queries=4)
    evaluate(tmp_path / "data", tmp_path / "work", Told())
    assert told == [
        *([("passage", 16, {"sw"}), ("passage", 4, {"sw"}), ("query", 4, {"sw"})]),
        *([("passage", 16, {"yo"}), ("passage", 4, {"yo"}), ("query", 4, {"yo"})]),
    ]
    # Where nothing tells a query's or a passage's language, none is said, for the encoder to detect them.
    make_beir(tmp_path / "beir", passages=20, queries=4)
    told = []

    class NotTold(LetterEncoder):
        uses_languages = True

        def encode(self, texts, side, progress=None, *, languages=None):
            told.append(languages)
            return super().encode(texts, side, progress)

    evaluate(tmp_path / "beir", tmp_path / "work-beir", NotTold())
    assert told == [None, None, None]


def test_the_run_file_gives_the_same_figures_elsewhere(tmp_path):
    make_miracl(tmp_path / "data", ("sw",), passages=300, queries=30)
    (one,) = evaluate(tmp_path / "data", tmp_path / "work", depth=150)
    write_collection_runs([one], tmp_path / "runs", depth=100)
    with gzip.open(tmp_path / "runs" / "sw.run.gz", "rt") as file:
        run = list(ir_measures.read_trec_run(file.read()))
    with gzip.open(tmp_path / "runs" / "sw.qrels.gz", "rt") as file:
        judged = list(ir_measures.read_trec_qrels(file.read()))
    assert len(run) == 30 * 100
    theirs = ir_measures.calc_aggregate(list(THEIRS.values()), judged, run)
    for name, measure in THEIRS.items():
        assert one.values[name].mean() == pytest.approx(theirs[measure], abs=1e-9)
    write_collection_per_query([one], tmp_path / "per_query.parquet")
    table = pq.read_table(tmp_path / "per_query.parquet")
    assert table.column_names == ["collection", "query_id", "query_language", "setting", *THEIRS]
    assert table["ndcg@10"].to_pylist() == one.values["ndcg@10"].tolist()


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_the_form_of_the_files_changes_no_figure(tmp_path, form):
    make_miracl(tmp_path / "miracl", ("sw",), passages=120)
    make_beir(tmp_path / "beir", passages=120, form=form, language="sw")
    (expected,) = evaluate(tmp_path / "miracl", tmp_path / "a")
    (found,) = evaluate(tmp_path / "beir", tmp_path / "b")
    assert found.settings == expected.settings == ["mono"] * 12
    assert found.languages == expected.languages
    for name in THEIRS:
        assert found.values[name].tolist() == expected.values[name].tolist()
    assert [one.ids for one in found.lists] == [one.ids for one in expected.lists]


def test_settings_follow_the_languages(tmp_path):
    make_beir(tmp_path, passages=40)
    (plain,) = evaluate(tmp_path, tmp_path / "plain")
    assert (set(plain.settings), set(plain.languages)) == ({"mono"}, {"und"})
    write_lines(tmp_path / "corpus.jsonl", [passage(number, "_id", language="en") for number in range(40)])
    write_lines(
        tmp_path / "queries.jsonl",
        [{"_id": f"q{n}", "text": f"what {n}", "language": ("en", "sw", "yo")[n % 3]} for n in range(12)],
    )
    scores = evaluate(tmp_path, tmp_path / "cross")
    results = collection_results(scores, name="x", model={})
    assert scores[0].settings == ["mono", "cross", "cross"] * 4
    cross = results["settings"]["cross"]["ndcg@10"]
    assert set(cross["by_pair"]) == {"sw->en", "yo->en"}
    assert cross["mean"] == pytest.approx(np.mean(list(cross["by_pair"].values())))
    assert results["counts"]["cross"]["by_pair"] == {"sw->en": 4, "yo->en": 4}
    records = [passage(number, "_id", language=("en", "sw")[number % 2]) for number in range(40)]
    write_lines(tmp_path / "corpus.jsonl", records)
    scores = evaluate(tmp_path, tmp_path / "multi")
    assert set(scores[0].settings) == {"multi"}
    results = collection_results(scores, name="x", model={})
    assert set(results["settings"]["multi"]["ndcg@10"]["by_language"]) == {"en", "sw", "yo"}
    assert results["data"]["languages"] == ["en", "sw", "yo"]


def test_stopped_and_resumed(tmp_path):
    make_miracl(tmp_path / "data", passages=100)
    undisturbed = evaluate(tmp_path / "data", tmp_path / "whole")
    stopped = LetterEncoder(stop_after=130)
    with pytest.raises(Interrupted, match="32 of 100 passages are encoded and kept"):
        evaluate(tmp_path / "data", tmp_path / "work", stopped)
    resumed = LetterEncoder()
    scores = evaluate(tmp_path / "data", tmp_path / "work", resumed)
    assert stopped.passages + resumed.passages == 200
    for one, other in zip(scores, undisturbed, strict=True):
        assert one.checksum == other.checksum
        assert [ranked.ids for ranked in one.lists] == [ranked.ids for ranked in other.lists]
    assert evaluate(tmp_path / "data", tmp_path / "work", LetterEncoder(stop_after=0))


def test_all_languages_are_looked_through_before_the_first_is_encoded(tmp_path):
    make_miracl(tmp_path / "data")
    (last,) = (tmp_path / "data" / "miracl" / "miracl-v1.0-yo" / "qrels").glob("*dev.tsv")
    last.write_text("q1\tQ0\n")
    encoder = LetterEncoder()
    with pytest.raises(BenchmarkError, match="2 columns"):
        evaluate(tmp_path / "data", tmp_path / "work", encoder)
    assert encoder.passages == 0


def test_vectors_of_other_files_or_models_are_refused(tmp_path):
    make_beir(tmp_path / "data")
    evaluate(tmp_path / "data", tmp_path / "work")
    with pytest.raises(RecipeError, match=r'model\.weights was "letters" and is now "words"'):
        evaluate_collections(
            LetterEncoder(),
            find_collections(tmp_path / "data"),
            tmp_path / "work",
            identity={"weights": "words"},
        )
    lines = (tmp_path / "data" / "corpus.jsonl").read_text().replace("fire", "five", 1)
    (tmp_path / "data" / "corpus.jsonl").write_text(lines)
    with pytest.raises(RecipeError, match="files was"):
        evaluate(tmp_path / "data", tmp_path / "work")


def test_queries_left_out_and_passages_lost(tmp_path):
    make_beir(tmp_path, passages=30, queries=4)
    write_text(
        tmp_path / "qrels" / "test.tsv",
        "q0\t0#0\t1\nq0\tgone\t1\nq1\t0#1\t0\nq2\t0#2\t-1\nq3\talso-gone\t1\n",
    )
    (one,) = evaluate(tmp_path, tmp_path / "work")
    assert [query.id for query in one.queries] == ["q0", "q3"]
    assert (one.left_out, one.relevant, one.lost) == (2, 3, 2)
    assert one.values["recall@100"].tolist() == [0.5, 0]
    write_text(tmp_path / "qrels" / "test.tsv", "q3\talso-gone\t1\n")
    with pytest.raises(
        BenchmarkError, match=r"none of the 1 relevant passages is in the corpus.*'also-gone'"
    ):
        evaluate(tmp_path, tmp_path / "work")
    write_text(tmp_path / "qrels" / "test.tsv", "q0\t0#0\t1\nunasked\t0#0\t1\n")
    with pytest.raises(BenchmarkError, match="1 of 2 judged queries, the first 'unasked', are not in"):
        evaluate(tmp_path, tmp_path / "work")


MEMORY_SCRIPT = """
import re, sys
from pathlib import Path
import numpy as np
from isogloss.corpus.collection import find_collections
from isogloss.evaluation.collections import evaluate_collections

class Quick:
    name = "quick"
    def encode(self, texts, side, progress=None):
        # From the bytes of the number in the text, spread by sines; no two passages alike.
        numbers = np.array([int(text.rsplit(" ", 1)[1].rstrip("?")) for text in texts])
        angles = numbers[:, None] * np.sqrt(np.arange(2, 258))
        if progress is not None:
            progress(len(texts))
        return (np.sin(angles) / np.sqrt(128)).astype(np.float32)

def anonymous():
    return int(re.search(r"RssAnon:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

peak = 0
def progress(stage, done, total):
    global peak
    peak = max(peak, anonymous())

warm = Quick().encode(["a 1"] * 300, "query")
warm @ warm.T
collections = find_collections(Path(sys.argv[1]))
before = anonymous()
work = Path(sys.argv[2])
(scores,) = evaluate_collections(
    Quick(), collections, work, identity={}, shard_passages=1024, progress=progress
)
print(peak - before, scores.survey.passages, scores.values["ndcg@10"].mean())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_stays_under_a_limit_that_neither_passages_nor_vectors_fit(tmp_path):
    # 60,000 passages: 93 MB of text and 61 MB of vectors, in files; the limit is 48 MB over the start.
    filler, passages, limit = "x" * 1500, 60_000, 48 * 2**20
    folder = tmp_path / "data" / "sw"
    for shard in range(3):
        numbers = range(shard * 20_000, (shard + 1) * 20_000)
        write_lines(
            folder / f"docs-{shard}.jsonl",
            ({"docid": f"d{number}", "title": "t", "text": f"{filler} {number}"} for number in numbers),
        )
    write_text(folder / "topics" / "dev.tsv", "".join(f"q{n}\twhat is {n * 500}?\n" for n in range(100)))
    write_text(folder / "qrels" / "dev.tsv", "".join(f"q{n}\tQ0\td{n * 500}\t1\n" for n in range(100)))
    script = subprocess.run(
        [sys.executable, "-c", MEMORY_SCRIPT, tmp_path / "data", tmp_path / "work"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2] / "src"), "OMP_NUM_THREADS": "1"},
    )
    growth, counted, ndcg = script.stdout.split()
    assert int(counted) == passages
    assert float(ndcg) == 1
    text = sum(path.stat().st_size for path in folder.glob("docs-*"))
    vectors = sum(path.stat().st_size for path in (tmp_path / "work" / "sw").glob("*.npy"))
    assert text > 1.8 * limit
    assert vectors > 1.2 * limit
    assert int(growth) < limit
