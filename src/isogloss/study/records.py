"""A study without its models: what its report is made from, small enough to publish."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from isogloss.errors import DataError
from isogloss.evaluation.significance.saved_runs import KEYS
from isogloss.files import finished_file, finished_folder
from isogloss.study.running import RECORD

_WHOLE = (RECORD, "results.json", "study.toml")
_PER_QUERY = "per_query.parquet"


def copy_records(study: Path, target: Path, measures: Sequence[str]) -> tuple[int, int]:
    """Copy records and measurements of a study, per-query values of some measures alone.

    Args:
        study: the study's folder.
        target: a new folder.
        measures: whose per-query values are kept; `isogloss study report` reads them from the copy.

    Returns:
        How many runs are finished, and how many measurements there are.

    Raises:
        DataError: per-query values cannot be read.
        OutputError: the copy cannot be written.
    """
    runs = measurements = 0
    with finished_folder(target) as folder:
        for path in sorted(study.rglob("*")):
            inside = path.relative_to(study)
            if not path.is_file() or any(part.startswith(".") for part in inside.parts):
                continue
            if path.name in _WHOLE:
                (folder / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, folder / inside)
                runs += path.name == RECORD
            elif path.name == _PER_QUERY:
                _copy_values(path, folder / inside, measures)
                measurements += 1
    return runs, measurements


def _copy_values(path: Path, target: Path, measures: Sequence[str]) -> None:
    try:
        table = pq.read_table(path, columns=[*KEYS, *measures])
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot read per-query values: {error}") from error
    with finished_file(target) as temporary:
        # One group of rows: a dictionary of ids each would be most of the file.
        pq.write_table(
            table, temporary, compression="zstd", compression_level=19, row_group_size=max(1, len(table))
        )
