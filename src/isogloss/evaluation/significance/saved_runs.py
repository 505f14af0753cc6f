"""Results that `isogloss evaluate --output` saved, read back side by side and held against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from isogloss.errors import DataError
from isogloss.evaluation.results import read_results
from isogloss.evaluation.settings import SETTINGS
from isogloss.evaluation.significance.clusters import Cell, Floats, PairedValues

KEYS = ("setting", "query_id", "candidate_language", "query_language", "parallel_id")
"""The columns that say what a row is of; the first three tell it from all others."""


@dataclass(frozen=True)
class SavedRuns:
    """Per-query values of several saved runs, in one order.

    Attributes:
        data: what `results.json` says of the data: name, checksum, languages, numbers.
        models: each run's model.
        paired: the values.
        left_out: measures that cannot be compared, and why: not every run has them, or not on the same queries.
        without_parallel_id: queries that have none, and are each a cluster of their own.
    """

    data: Mapping[str, Any]
    models: tuple[str, ...]
    paired: PairedValues
    left_out: Mapping[str, str]
    without_parallel_id: int


@dataclass(frozen=True, eq=False)
class _Saved:
    folder: Path
    results: dict[str, Any]
    table: pa.Table

    @property
    def measures(self) -> list[str]:
        return [
            field.name
            for field in self.table.schema
            if field.name not in KEYS
            and (pa.types.is_floating(field.type) or pa.types.is_integer(field.type))
            and self.table[field.name].null_count < len(self.table)
        ]


def read_saved_runs(folders: Sequence[Path], measures: Sequence[str] | None = None) -> SavedRuns:
    """Read runs on the same data and put their per-query values side by side.

    Args:
        folders: each holds a results.json and a per_query.parquet.
        measures: compare these alone; None takes all that every run has.

    Raises:
        DataError: a file is missing or broken; the runs are on different data, queries or query sets of a measure;
            they share no measure, or lack one that was asked for; a folder is given twice.
    """
    seen: dict[Path, Path] = {}
    for folder in folders:
        if (place := folder.resolve()) in seen:
            raise DataError(f"{folder}: given twice (also as {seen[place]}); a run can be compared only once")
        seen[place] = folder
    runs = [_read(folder) for folder in folders]
    first = runs[0]
    for run in runs[1:]:
        _same_data(first, run)
        _same_queries(first, run)
    chosen, left_out = _chosen_measures(runs, measures)
    values = {}
    for measure in chosen:
        of_runs = np.stack([_values(run, measure) for run in runs])
        if (reason := _other_queries(runs, of_runs)) is None:
            values[measure] = of_runs
        elif measures:
            raise DataError(f"{measure}: {reason}; only figures over the same queries can be compared")
        else:
            left_out[measure] = reason
    if not values:
        raise DataError("the runs share no measure; evaluate them with the same isogloss")
    cluster, clusters, without = _clusters(first.table)
    cell, cells = _cells(first.table)
    return SavedRuns(
        data=first.results["data"],
        models=tuple(_model(run.results["model"]) for run in runs),
        paired=PairedValues(cluster, clusters, cell, cells, values),
        left_out=left_out,
        without_parallel_id=without,
    )


def _read(folder: Path) -> _Saved:
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; give one that `isogloss evaluate --output` wrote")
    path = folder / "per_query.parquet"
    for needed in (folder / "results.json", path):
        if not needed.is_file():
            raise DataError(f"{needed}: is missing; write the folder with `isogloss evaluate --output`")
    results = read_results(folder / "results.json")
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: cannot be read: {error}; evaluate again") from error
    if missing := [name for name in KEYS if name not in table.column_names]:
        raise DataError(f"{path}: has no column {', '.join(missing)}; evaluate again")
    if len(table) == 0:
        raise DataError(f"{path}: holds no query; evaluate again")
    order = pc.sort_indices(table, [(name, "ascending") for name in KEYS[:3]])
    table = table.take(order).combine_chunks()
    keys = table.select(KEYS[:3])
    if len(keys) > 1 and (repeated := _equal_rows(keys.slice(0, len(keys) - 1), keys.slice(1))).any():
        row = keys.slice(int(np.flatnonzero(repeated)[0]), 1).to_pylist()[0]
        raise DataError(f"{path}: query {row['query_id']} is there twice in {row['setting']}; evaluate again")
    return _Saved(folder, results, table)


def _equal_rows(one: pa.Table, other: pa.Table) -> NDArray[np.bool_]:
    equal = np.ones(len(one), dtype=bool)
    for name in one.column_names:
        # Comparing null gives null: two nulls are equal, a null and a text are not.
        same = pc.equal(one[name], other[name])
        nulls = pc.and_(pc.is_null(one[name]), pc.is_null(other[name]))
        equal &= np.asarray(pc.or_kleene(pc.fill_null(same, False), nulls))
    return equal


def _same_data(first: _Saved, run: _Saved) -> None:
    ours, theirs = first.results["data"], run.results["data"]
    if ours.get("checksum") != theirs.get("checksum"):
        raise DataError(
            f"{run.folder}: on other data ({_data(theirs)}) than {first.folder} ({_data(ours)});"
            " evaluate both on the same"
        )


def _same_queries(first: _Saved, run: _Saved) -> None:
    ours, theirs = first.table.select(KEYS), run.table.select(KEYS)
    if len(ours) != len(theirs):
        raise DataError(
            f"{run.folder}: {len(theirs)} rows of queries and settings, but {first.folder} has {len(ours)};"
            " only runs on the same queries can be compared"
        )
    if not (equal := _equal_rows(ours, theirs)).all():
        at = int(np.flatnonzero(~equal)[0])
        raise DataError(
            f"{run.folder}: other queries than {first.folder}: {_row(theirs, at)} instead of {_row(ours, at)};"
            " only runs on the same queries can be compared"
        )


def _chosen_measures(
    runs: Sequence[_Saved], wanted: Sequence[str] | None
) -> tuple[list[str], dict[str, str]]:
    having = {name: [run for run in runs if name in run.measures] for one in runs for name in one.measures}
    everywhere = [name for name, found in having.items() if len(found) == len(runs)]
    if wanted:
        for name in wanted:
            if lacking := [str(run.folder) for run in runs if run not in having.get(name, [])]:
                known = ", ".join(everywhere) or "none"
                raise DataError(f"{', '.join(lacking)}: no measure {name!r}; measures of all runs: {known}")
        return list(dict.fromkeys(wanted)), {}
    return everywhere, {
        name: f"only in {', '.join(str(run.folder) for run in found)}"
        for name, found in having.items()
        if len(found) < len(runs)
    }


def _other_queries(runs: Sequence[_Saved], values: Floats) -> str | None:
    for run, one in zip(runs[1:], values[1:], strict=True):
        if differing := np.count_nonzero(np.isfinite(one) != np.isfinite(values[0])):
            return f"measured on other queries in {run.folder} than in {runs[0].folder} ({differing} differ)"
    return None


def _clusters(table: pa.Table) -> tuple[NDArray[np.int64], int, int]:
    """Number the parallel ids; a query without one is a cluster of its own."""
    ids, queries = table["parallel_id"], table["query_id"]
    # A prefix keeps a parallel id and a query id of the same text apart.
    named = pc.if_else(
        pc.is_null(ids),
        pc.binary_join_element_wise("q", queries, ""),
        pc.binary_join_element_wise("p", ids, ""),
    )
    encoded = named.combine_chunks().dictionary_encode()
    without = pc.count_distinct(queries.filter(pc.is_null(ids))).as_py()
    return encoded.indices.to_numpy().astype(np.int64), len(encoded.dictionary), without


def _cells(table: pa.Table) -> tuple[NDArray[np.int64], tuple[Cell, ...]]:
    """Number the cells: settings in their usual order, then by language."""
    parts = [table[name].to_pylist() for name in ("setting", "query_language", "candidate_language")]
    rows = list(zip(*parts, strict=True))

    def place(cell: tuple[str, str, str | None]) -> tuple[int, str, str, str]:
        known = SETTINGS.index(cell[0]) if cell[0] in SETTINGS else len(SETTINGS)
        return known, cell[0], cell[1], cell[2] or ""

    cells = sorted(set(rows), key=place)
    numbers = {cell: number for number, cell in enumerate(cells)}
    return np.array([numbers[row] for row in rows], dtype=np.int64), tuple(Cell(*cell) for cell in cells)


def _values(run: _Saved, measure: str) -> Floats:
    column = run.table[measure].combine_chunks()
    values: Floats = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    bad = ~np.isfinite(values) & ~np.asarray(column.is_null())
    if bad.any():
        query = run.table["query_id"][int(np.flatnonzero(bad)[0])]
        raise DataError(
            f"{run.folder / 'per_query.parquet'}: {measure} of query {query} is not a finite number; evaluate again"
        )
    return values


def _model(model: object) -> str:
    if isinstance(model, Mapping):
        return str(model.get("name", "unnamed"))
    return "unnamed" if model is None else str(model)


def _data(data: Mapping[str, Any]) -> str:
    return f"{data.get('name')}, {data.get('queries')} queries, checksum {str(data.get('checksum'))[:12]}"


def _row(table: pa.Table, at: int) -> str:
    row = table.slice(at, 1).to_pylist()[0]
    into = f" -> {row['candidate_language']}" if row["candidate_language"] else ""
    parallel = f", parallel id {row['parallel_id']}" if row["parallel_id"] else ""
    return f"{row['query_id']} ({row['setting']}, {row['query_language']}{into}{parallel})"
