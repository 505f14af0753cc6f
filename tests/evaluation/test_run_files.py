import doctest
import gzip
from dataclasses import replace
from itertools import pairwise

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from isogloss.errors import EvaluationError
from isogloss.evaluation import SETTINGS, evaluate_vectors, falling, run_files, write_qrels, write_runs
from tests.evaluation.benchmarks import integer_vectors, random_benchmark, slow_ranking

MEASURES = {
    "map": ir_measures.AP,
    "recall@1": ir_measures.R @ 1,
    "recall@10": ir_measures.R @ 10,
    "ndcg@10": ir_measures.nDCG @ 10,
    "mrr": ir_measures.RR,
    "success@1": ir_measures.Success @ 1,
    "success@10": ir_measures.Success @ 10,
}


def paths_in(folder, ending):
    return {setting: folder / f"{setting}.{ending}" for setting in SETTINGS}


def vectors(kind, seed, rows):
    if kind == "many ties":
        return integer_vectors(seed, rows, 3)
    if kind == "all tied":
        return np.ones((rows, 5), dtype=np.float32)
    if kind == "all tied at zero":
        return np.zeros((rows, 5), dtype=np.float32)
    drawn = np.random.default_rng(seed).standard_normal((rows, 24)).astype(np.float32)
    drawn[rows // 2 :] = drawn[: rows - rows // 2]
    return drawn


@pytest.mark.parametrize("kind", ["many ties", "all tied", "all tied at zero", "repeated texts"])
def test_an_independent_library_agrees_on_the_files(tmp_path, kind):
    benchmark = random_benchmark(7, queries=40, candidates=120, relevant=300)
    given = (benchmark, vectors(kind, 8, 40), vectors(kind, 9, 120))
    evaluation = evaluate_vectors(*given)
    runs, qrels = paths_in(tmp_path, "run.gz"), paths_in(tmp_path, "qrels")
    write_runs(*given, runs, depth=None)
    write_qrels(benchmark, qrels)
    compared = 0
    for setting in SETTINGS:
        judged = list(ir_measures.read_trec_qrels(str(qrels[setting])))
        with gzip.open(runs[setting], "rt") as file:
            run = list(ir_measures.read_trec_run(file.read()))
        theirs = {}
        for metric in ir_measures.iter_calc(list(MEASURES.values()), judged, run):
            theirs[metric.query_id, str(metric.measure)] = metric.value
        scores = evaluation.settings[setting]
        ours = {}
        for row, (query, language) in enumerate(
            zip(scores.query.tolist(), scores.candidate_language.tolist(), strict=True)
        ):
            name = benchmark.query_ids[query]
            if setting == "cross":
                name += "@" + benchmark.languages[language]
            for measure, metric in MEASURES.items():
                ours[name, str(metric)] = scores.values[measure][row]
        assert ours == pytest.approx(theirs, abs=1e-6)
        compared += len(ours)
    assert compared > 300


def test_lines_are_the_sorted_lists_cut_at_the_depth(tmp_path):
    benchmark = random_benchmark(17, queries=10, candidates=30, relevant=40)
    queries, candidates = integer_vectors(18, 10), integer_vectors(19, 30)
    runs = paths_in(tmp_path, "run")
    write_runs(benchmark, queries, candidates, runs, depth=5, tag="mine", block_bytes=1)
    scores = queries @ candidates.T
    languages_of = {}
    for query, candidate in benchmark.qrels.tolist():
        languages_of.setdefault(query, set()).add(benchmark.candidate_languages[candidate])
    expected = {"mono": [], "cross": [], "multi": []}
    for query, languages in languages_of.items():
        name, own = benchmark.query_ids[query], benchmark.query_languages[query]
        lists = [("multi", name, None)]
        for language in languages:
            lists.append(
                ("mono", name, own) if language == own else ("cross", f"{name}@{language}", language)
            )
        for setting, title, language in lists:
            for rank, candidate in enumerate(slow_ranking(benchmark, scores[query], language)[:5], start=1):
                expected[setting].append((title, "Q0", benchmark.candidate_ids[candidate], str(rank), "mine"))
    for setting, path in runs.items():
        lines = [line.split(" ") for line in path.read_text().splitlines()]
        assert sorted((*line[:4], line[5]) for line in lines) == sorted(expected[setting])
        for line, following in pairwise(lines):
            if line[0] == following[0]:
                assert np.float32(line[4]) > np.float32(following[4])


def test_only_the_wanted_settings_and_the_same_bytes_again(tmp_path):
    benchmark = random_benchmark(27)
    given = (benchmark, integer_vectors(1, 12), integer_vectors(2, 20))
    write_runs(*given, {"multi": tmp_path / "a.run.gz"})
    write_runs(*given, {"multi": tmp_path / "b.run.gz"}, block_bytes=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.run.gz", "b.run.gz"]
    assert (tmp_path / "a.run.gz").read_bytes() == (tmp_path / "b.run.gz").read_bytes()


def test_an_interrupted_run_leaves_nothing(tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    given = (random_benchmark(28), integer_vectors(1, 12), integer_vectors(2, 20))
    with pytest.raises(KeyboardInterrupt):
        write_runs(*given, paths_in(tmp_path, "run.gz"), progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"query_ids": ["q 1", *(f"q{n}" for n in range(11))]}, {}, "query id 'q 1' is empty or holds white"),
        ({"candidate_ids": ["", *(f"c{n}" for n in range(19))]}, {}, "candidate id '' is empty"),
        ({}, {"tag": "my run"}, "run tag 'my run'"),
        ({}, {"depth": 0}, "depth 0"),
    ],
)
def test_what_trec_files_cannot_hold(tmp_path, change, options, message):
    benchmark = replace(random_benchmark(29), **change)
    given = (benchmark, integer_vectors(1, 12), integer_vectors(2, 20))
    with pytest.raises(EvaluationError, match=message):
        write_runs(*given, paths_in(tmp_path, "run"), **options)
    if change:
        with pytest.raises(EvaluationError, match=message):
            write_qrels(benchmark, paths_in(tmp_path, "qrels"))
    assert list(tmp_path.iterdir()) == []


def test_unknown_or_no_settings(tmp_path):
    benchmark = random_benchmark(30)
    with pytest.raises(EvaluationError, match="no setting 'bilingual'"):
        write_qrels(benchmark, {"bilingual": tmp_path / "x"})
    with pytest.raises(EvaluationError, match="at least one of mono, cross, multi"):
        write_qrels(benchmark, {})


TINY = float(np.finfo(np.float32).tiny)
any_scores = arrays(
    np.float32,
    st.integers(0, 30),
    elements=st.one_of(
        st.sampled_from([0.0, -0.0, 1.0, 0.5, TINY, -TINY]),
        st.floats(-2, 2, width=32),
    ),
).map(lambda drawn: -np.sort(-drawn))


def slow_falling(scores):
    lowered = []
    for score in scores:
        value = np.float32(0) if abs(score) < TINY else score
        while lowered and (value >= lowered[-1] or 0 < abs(value) < TINY):
            value = np.nextafter(min(value, lowered[-1]), np.float32(-np.inf))
            if 0 < value < TINY:
                value = np.float32(0)
            elif -TINY < value < 0:
                value = np.float32(-TINY)
        lowered.append(value)
    return lowered


@settings(deadline=None)
@given(any_scores)
def test_falling_equals_the_slow_twin_and_survives_nine_digits(scores):
    lowered = falling(scores)
    assert lowered.dtype == np.float32
    assert lowered.tolist() == [float(value) for value in slow_falling(scores)]
    read = np.array([f"{score:.9g}" for score in lowered.tolist()], dtype=np.float32)
    assert (read == lowered).all()
    assert (np.diff(read.astype(np.float64)) < 0).all()
    assert not ((read != 0) & (np.abs(read) < TINY)).any()


def test_scores_that_cannot_be_lowered():
    lowest = -np.finfo(np.float32).max
    with pytest.raises(EvaluationError, match="too low to be told apart"):
        falling(np.full(2, lowest, dtype=np.float32))


def test_examples():
    failed, tried = doctest.testmod(run_files)
    assert tried
    assert not failed
