import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from isogloss.errors import DataError
from isogloss.evaluation import evaluate_vectors, results_of, write_per_query, write_results
from isogloss.evaluation.significance import Settings, compare_runs, read_saved_runs
from tests.evaluation.benchmarks import integer_vectors, random_benchmark


def save(folder: Path, seed: int, **changes) -> Path:
    benchmark = replace(random_benchmark(3), **changes)
    evaluation = evaluate_vectors(benchmark, integer_vectors(seed, 12), integer_vectors(seed + 1, 20))
    folder.mkdir()
    write_results(results_of(evaluation, model={"name": f"model {seed}"}), folder / "results.json")
    write_per_query(evaluation, folder / "per_query.parquet")
    return folder


@pytest.fixture
def two(tmp_path):
    return [save(tmp_path / "a", 4), save(tmp_path / "b", 6)]


def change(folder: Path, edit) -> None:
    path = folder / "per_query.parquet"
    pq.write_table(edit(pq.read_table(path)), path)


def edit_column(name, edit):
    def edited(table):
        values = table[name].to_pylist()
        place = table.schema.get_field_index(name)
        field = pa.field(name, table.schema.field(name).type)
        return table.set_column(place, field, pa.array(edit(values), field.type))

    return edited


def test_values_side_by_side(two):
    saved = read_saved_runs(two)
    assert saved.models == ("model 4", "model 6")
    assert saved.data["name"] == "small"
    assert (saved.left_out, saved.without_parallel_id) == ({}, 0)
    paired = saved.paired
    assert set(paired.values) >= {"map", "recall@1", "recall@10", "rank_distance"}
    assert paired.clusters == 3
    assert [cell.setting for cell in paired.cells] == sorted(
        (cell.setting for cell in paired.cells), key=("mono", "cross", "multi").index
    )
    rows = pq.read_table(two[1] / "per_query.parquet").to_pylist()
    expected = sorted(
        (row["setting"], row["query_language"], row["candidate_language"] or "", row["map"]) for row in rows
    )
    found = sorted(
        (*paired.cells[cell][:2], paired.cells[cell][2] or "", value)
        for cell, value in zip(paired.cell, paired.values["map"][1].tolist(), strict=True)
    )
    assert found == expected


def test_the_figures_are_those_of_the_results(two):
    comparison = compare_runs(read_saved_runs(two).paired, [("a", [0]), ("b", [1])], Settings(100, 100))
    results = [json.loads((folder / "results.json").read_text()) for folder in two]
    seen = 0
    for row in comparison.rows:
        setting, measure, language, _ = row.figure
        for one, values in zip(results, (row.baseline_values, row.values), strict=True):
            part = one["settings"][setting].get(measure) or one["language_bias"][measure]
            assert values == pytest.approx(
                (part["mean"] if language is None else part["by_language"][language],)
            )
            seen += 1
    assert seen >= 2 * 10


def test_the_order_of_rows_does_not_matter(two):
    before = read_saved_runs(two).paired
    change(two[1], lambda table: table.take(np.random.default_rng(1).permutation(len(table))))
    after = read_saved_runs(two).paired
    for measure, values in before.values.items():
        np.testing.assert_array_equal(values, after.values[measure])


def test_queries_without_parallel_id_are_their_own_clusters(tmp_path):
    folders = [save(tmp_path / name, seed, query_parallel_ids=None) for name, seed in (("a", 4), ("b", 6))]
    saved = read_saved_runs(folders)
    queries = set(pq.read_table(folders[0] / "per_query.parquet")["query_id"].to_pylist())
    assert saved.paired.clusters == saved.without_parallel_id == len(queries)


def test_measures_chosen_and_left_out(two):
    assert list(read_saved_runs(two, ["rank_distance"]).paired.values) == ["rank_distance"]
    change(two[1], lambda table: table.drop_columns(["recall@1"]))
    saved = read_saved_runs(two)
    assert "recall@1" not in saved.paired.values
    assert saved.left_out == {"recall@1": f"only in {two[0]}"}
    with pytest.raises(DataError, match=r"b: no measure 'recall@1'; measures of all runs: map, recall@10"):
        read_saved_runs(two, ["recall@1"])
    with pytest.raises(DataError, match=r"a, .*b: no measure 'mapp'"):
        read_saved_runs(two, ["mapp"])


def test_a_measure_without_a_value_is_none(two):
    change(two[1], edit_column("rank_distance", lambda values: [None] * len(values)))
    assert read_saved_runs(two).left_out == {"rank_distance": f"only in {two[0]}"}


def test_a_measure_of_other_queries_is_left_out_or_refused(two):
    def without_one(values):
        first = next(number for number, value in enumerate(values) if value is not None)
        return [None if number == first else value for number, value in enumerate(values)]

    change(two[1], edit_column("rank_distance", without_one))
    saved = read_saved_runs(two)
    assert "measured on other queries" in saved.left_out["rank_distance"]
    assert "(1 differ)" in saved.left_out["rank_distance"]
    with pytest.raises(DataError, match="rank_distance: measured on other queries"):
        read_saved_runs(two, ["rank_distance"])


def test_runs_that_share_no_measure(two):
    change(two[1], lambda table: table.select(table.column_names[:5]))
    with pytest.raises(DataError, match="share no measure"):
        read_saved_runs(two)


def test_other_data(tmp_path):
    folders = [save(tmp_path / "a", 4), save(tmp_path / "b", 6, checksum="1" * 64)]
    with pytest.raises(DataError, match=r"b: on other data \(small, 12 queries, checksum 111111111111\)"):
        read_saved_runs(folders)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda table: table.slice(1), r"b: \d+ rows of queries and settings, but .*a has \d+"),
        (
            edit_column("query_id", lambda values: ["new" if value == "q3" else value for value in values]),
            r"b: other queries than .*a: .* instead of ",
        ),
        (
            edit_column("parallel_id", lambda values: ["item9", *values[1:]]),
            r"parallel id item9\) instead of q.*parallel id item",
        ),
        (lambda table: pa.concat_tables([table, table.slice(0, 1)]), "is there twice in mono"),
        (lambda table: table.slice(0, 0), "holds no query"),
        (lambda table: table.drop_columns(["parallel_id"]), "has no column parallel_id"),
        (
            edit_column("map", lambda values: [float("nan"), *values[1:]]),
            "map of query q.* is not a finite number",
        ),
    ],
)  # fmt: skip
def test_other_queries_and_broken_tables(two, edit, message):
    change(two[1], edit)
    with pytest.raises(DataError, match=message):
        read_saved_runs(two)


def test_missing_files(two, tmp_path):
    with pytest.raises(DataError, match="none: no such folder"):
        read_saved_runs([two[0], tmp_path / "none"])
    (two[1] / "per_query.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"per_query\.parquet: cannot be read"):
        read_saved_runs(two)
    (two[1] / "per_query.parquet").unlink()
    with pytest.raises(DataError, match=r"per_query\.parquet: is missing"):
        read_saved_runs(two)
    (two[1] / "results.json").unlink()
    with pytest.raises(DataError, match=r"results\.json: is missing"):
        read_saved_runs(two)


def test_a_run_given_twice(two, tmp_path):
    (tmp_path / "link").symlink_to(two[0])
    for again in (two[0], tmp_path / "link"):
        with pytest.raises(DataError, match="given twice"):
            read_saved_runs([*two, again])
