import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from isogloss import __version__
from isogloss.errors import DataError, EvaluationError, OutputError
from isogloss.evaluation import (
    BIAS_DEFINITIONS,
    PER_QUERY_SCHEMA,
    RESULTS_FORMAT,
    evaluate_vectors,
    read_results,
    results_of,
    write_per_query,
    write_results,
)
from tests.evaluation.benchmarks import integer_vectors, random_benchmark


@pytest.fixture
def evaluation():
    return evaluate_vectors(random_benchmark(3), integer_vectors(4, 12), integer_vectors(5, 20))


@pytest.fixture
def written(tmp_path, evaluation):
    path = tmp_path / "results.json"
    write_results(results_of(evaluation, model="base"), path)
    return path


def test_what_is_in_the_results(evaluation):
    results = results_of(
        evaluation, model={"name": "base"}, versions={"torch": "2"}, seconds={"encoding": 2.5}
    )
    assert list(results) == [
        "format",
        "model",
        "data",
        "settings",
        "language_bias",
        "language_shares",
        "counts",
        "versions",
        "seconds",
    ]
    assert results["model"] == {"name": "base"}
    assert results["data"] == {
        "name": "small",
        "checksum": "0" * 64,
        "languages": ["ar", "de", "en"],
        "queries": 12,
        "candidates": 20,
        "relevant": len(evaluation.pool.qrels),
    }
    assert list(results["settings"]) == ["mono", "cross", "multi"]
    for setting, measures in results["settings"].items():
        assert list(measures) == [
            "map", "recall@1", "recall@10", "ndcg@10", "mrr", "success@1", "success@10",
        ]  # fmt: skip
        parts = ["mean", "by_language", "by_pair"] if setting == "cross" else ["mean", "by_language"]
        assert all(list(summary) == parts for summary in measures.values())
    assert results["versions"]["isogloss"] == __version__
    assert set(results["versions"]) == {"isogloss", "python", "numpy", "torch"}
    assert results["seconds"] == {
        "encoding": 2.5,
        "ranking": evaluation.seconds,
        "second pass": evaluation.second_seconds,
        "total": 2.5 + evaluation.seconds + evaluation.second_seconds,
    }
    assert list(results["language_bias"]) == [definition.key for definition in BIAS_DEFINITIONS]
    assert results["language_shares"]["depth"] == 10


def test_written_and_read_back(written, evaluation):
    assert read_results(written) == results_of(evaluation, model="base")
    assert [path.name for path in written.parent.iterdir()] == ["results.json"]


def test_what_json_cannot_hold_leaves_the_old_file(written):
    before = written.read_bytes()
    for bad in (float("nan"), float("inf"), {1, 2}):
        with pytest.raises(EvaluationError, match="JSON cannot hold"):
            write_results({"format": 1, "bad": bad}, written)
    assert written.read_bytes() == before
    assert len(list(written.parent.iterdir())) == 1


def test_a_path_that_cannot_be_written(tmp_path, evaluation):
    (tmp_path / "results.json").mkdir()
    with pytest.raises(OutputError, match=r"results\.json: cannot write"):
        write_results(results_of(evaluation), tmp_path / "results.json")


def broken(results, keys, value):
    part = results
    for key in keys[:-1]:
        part = part[key]
    if value is None:
        del part[keys[-1]]
    else:
        part[keys[-1]] = value
    return results


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (("format",), None, 'has no "format"'),
        (("format",), 3, "format 3, but this isogloss reads 1 to 2"),
        (("language_shares",), None, "lack language_shares"),
        (("language_bias", "score_gap"), None, r"lack language_bias\.score_gap"),
        (("versions",), None, "lack versions"),
        (("settings", "multi"), None, r"lack settings\.multi;"),
        (("settings", "cross", "map", "by_pair"), None, r"lack settings\.cross\.map\.by_pair"),
        (("settings", "mono", "recall@1", "mean"), "high", r"settings\.mono\.recall@1\.mean is 'high'"),
        (("settings", "mono", "map", "by_language"), {"en": None}, r"mono\.map\.by_language does not hold"),
        (("language_bias", "rank_distance"), 3, r"lack language_bias\.rank_distance\.mean"),
    ],
)
def test_broken_results_are_refused(written, keys, value, message):
    written.write_text(json.dumps(broken(json.loads(written.read_text()), keys, value)))
    with pytest.raises(DataError, match=message):
        read_results(written)


def test_results_of_the_first_format_are_read(written):
    """As isogloss wrote them when it had three measures of quality and one of bias."""
    results = json.loads(written.read_text())
    first = ("map", "recall@1", "recall@10")
    old = {
        **results,
        "format": 1,
        "settings": {
            setting: {measure: summaries[measure] for measure in first}
            for setting, summaries in results["settings"].items()
        },
        "language_bias": {"rank_distance": results["language_bias"]["rank_distance"]},
    }
    del old["language_shares"]
    written.write_text(json.dumps(old))
    read = read_results(written)
    assert read["format"] == RESULTS_FORMAT
    assert read["settings"]["cross"]["map"] == results["settings"]["cross"]["map"]
    assert read["settings"]["cross"]["mrr"] == {"mean": None, "by_language": {}, "by_pair": {}}
    assert read["settings"]["multi"]["ndcg@10"] == {"mean": None, "by_language": {}}
    assert read["language_bias"]["rank_distance"] == results["language_bias"]["rank_distance"]
    assert read["language_bias"]["max@r"] == {"mean": None, "by_language": {}}
    assert read["language_shares"] is None
    del old["settings"]["mono"]["map"]
    written.write_text(json.dumps(old))
    with pytest.raises(DataError, match=r"lack settings\.mono\.map"):
        read_results(written)


def test_without_the_second_pass_its_measures_are_null(tmp_path):
    evaluation = evaluate_vectors(
        random_benchmark(3), integer_vectors(4, 12), integer_vectors(5, 20), second=False
    )
    write_results(results_of(evaluation), tmp_path / "results.json")
    results = read_results(tmp_path / "results.json")
    assert results["language_shares"] is None
    assert "second pass" not in results["seconds"]
    for definition in BIAS_DEFINITIONS:
        absent = results["language_bias"][definition.key]["mean"] is None
        assert absent == definition.second_pass
    write_per_query(evaluation, tmp_path / "t.parquet")
    table = pq.read_table(tmp_path / "t.parquet")
    assert table.schema.equals(PER_QUERY_SCHEMA)
    assert table["own_preference"].null_count == len(table)
    assert table["max@r"].null_count < len(table)


def test_files_that_are_no_results(tmp_path, written):
    with pytest.raises(DataError, match="No such file"):
        read_results(tmp_path / "none.json")
    whole = written.read_text()
    for text in (whole[:200], "[]", "", '{"format": NaN}'):
        written.write_text(text)
        with pytest.raises(DataError, match="not a results file"):
            read_results(written)
    written.write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="not a results file"):
        read_results(written)


def test_per_query_table(tmp_path, evaluation):
    path = tmp_path / "per_query.parquet"
    write_per_query(evaluation, path)
    table = pq.read_table(path)
    assert table.schema.equals(PER_QUERY_SCHEMA)
    rows = table.to_pylist()
    assert len(rows) == sum(len(scores.query) for scores in evaluation.settings.values())
    distances = dict(
        zip(evaluation.rank_distance.query.tolist(), evaluation.rank_distance.values.tolist(), strict=True)
    )
    assert distances
    assert len(distances) < len(evaluation.settings["multi"].query)
    for row in rows:
        query = evaluation.pool.query_ids.index(row["query_id"])
        assert row["parallel_id"] == f"item{query % 3}"
        language = evaluation.pool.languages[evaluation.pool.query_language[query]]
        assert row["query_language"] == language
        if row["setting"] == "multi":
            assert row["candidate_language"] is None
            assert row["rank_distance"] == distances.get(query)
            for key, bias in evaluation.language_bias.items():
                at = np.flatnonzero(bias.query == query)
                assert row[key] == (bias.values[at[0]] if len(at) else None)
        else:
            assert (row["candidate_language"] == language) == (row["setting"] == "mono")
            assert all(row[key] is None for key in evaluation.language_bias)
    for setting, scores in evaluation.settings.items():
        for measure, values in scores.values.items():
            assert [row[measure] for row in rows if row["setting"] == setting] == values.tolist()


def test_per_query_table_without_parallel_ids_or_cross(tmp_path):
    benchmark = replace(random_benchmark(3, languages=("en",)), query_parallel_ids=None)
    write_per_query(
        evaluate_vectors(benchmark, integer_vectors(4, 12), integer_vectors(5, 20)), tmp_path / "t.parquet"
    )
    table = pq.read_table(tmp_path / "t.parquet")
    assert table.schema.equals(PER_QUERY_SCHEMA)
    assert table["parallel_id"].null_count == len(table)
    assert set(table["setting"].to_pylist()) == {"mono", "multi"}
    assert isinstance(table, pa.Table)


def test_results_of_a_large_corpus_are_told_apart(tmp_path):
    path = tmp_path / "results.json"
    path.write_text('{"format": "collections 1"}', encoding="utf-8")
    with pytest.raises(DataError, match="of a large corpus"):
        read_results(path)
