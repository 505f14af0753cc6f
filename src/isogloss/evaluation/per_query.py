"""Per-query values as a Parquet table, for significance tests and for looking at single queries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from isogloss.evaluation.evaluation import Evaluation
from isogloss.evaluation.measures import BIAS_DEFINITIONS
from isogloss.evaluation.settings import MEASURES, SETTINGS, SettingScores
from isogloss.files import finished_file

_BIAS = tuple(definition.key for definition in BIAS_DEFINITIONS if definition.per_query)
_RANKS = ("rank_distance", "max@r")

PER_QUERY_SCHEMA = pa.schema(
    [
        pa.field("query_id", pa.string(), nullable=False),
        pa.field("parallel_id", pa.string()),
        pa.field("query_language", pa.string(), nullable=False),
        pa.field("setting", pa.string(), nullable=False),
        pa.field("candidate_language", pa.string()),
        *(pa.field(measure, pa.float64(), nullable=False) for measure in MEASURES),
        *(pa.field(key, pa.int64() if key in _RANKS else pa.float64()) for key in _BIAS),
    ]
)
"""One row a query and setting, in cross one a query and candidate language.

`candidate_language` is null in multi. The columns of quality hold the query's own value: `map` its average precision,
`mrr` its reciprocal rank. The measures of language bias are there on multi rows of queries that have them, and null
elsewhere. `parallel_id` is null where the benchmark has none.
"""


def per_query_table(evaluation: Evaluation) -> pa.Table:
    """The per-query values of all settings, as `PER_QUERY_SCHEMA`: mono, cross, multi, by query."""
    return pa.concat_tables(
        [_setting_table(evaluation, evaluation.settings[setting]) for setting in SETTINGS]
    )


def write_per_query(evaluation: Evaluation, path: Path) -> None:
    """Write `per_query_table` as Parquet, whole or not at all; a file at `path` is replaced.

    Raises:
        OutputError: the file cannot be written.
    """
    with finished_file(path) as temporary:
        pq.write_table(per_query_table(evaluation), temporary)


def _setting_table(evaluation: Evaluation, scores: SettingScores) -> pa.Table:
    pool = evaluation.pool
    languages = np.array(pool.languages, dtype=object)
    candidate_language: NDArray[np.object_] = languages[scores.candidate_language]
    candidate_language[scores.candidate_language < 0] = None
    parallel_ids = evaluation.parallel_ids
    positions = scores.query.tolist()
    columns: dict[str, Any] = {
        "query_id": [pool.query_ids[query] for query in positions],
        "parallel_id": [parallel_ids[query] if parallel_ids else None for query in positions],
        "query_language": languages[pool.query_language[scores.query]],
        "setting": [scores.setting] * len(positions),
        "candidate_language": candidate_language,
        **{measure: scores.values[measure] for measure in MEASURES},
        **{key: _bias_column(evaluation, scores, key) for key in _BIAS},
    }
    return pa.table(columns, schema=PER_QUERY_SCHEMA)


def _bias_column(evaluation: Evaluation, scores: SettingScores, key: str) -> pa.Array:
    values = np.zeros(len(evaluation.pool.query_ids), dtype=np.int64 if key in _RANKS else np.float64)
    absent = np.ones(len(values), dtype=np.bool_)
    if scores.setting == "multi" and key in evaluation.language_bias:
        bias = evaluation.language_bias[key]
        values[bias.query] = bias.values
        absent[bias.query] = False
    return pa.array(values[scores.query], mask=absent[scores.query])
