"""The corpus with its mined negatives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from isogloss.corpus import ParallelCorpus, write_jsonl, write_parquet
from isogloss.corpus.stored_versions import StoredVersions
from isogloss.corpus.version_writing import FORMS, check_form
from isogloss.corpus.versions import SCHEMA
from isogloss.errors import OutputError
from isogloss.files import finished_file, refuse_existing, remove_leftovers
from isogloss.mining.candidates import candidate_text
from isogloss.mining.mining import Mined

_ROWS_AT_ONCE = 8192
_PLACE = SCHEMA.get_field_index("negatives")


def check_output(path: Path, report: Path | None, work: Path) -> None:
    """Refuse places where nothing can be written, before anything is done.

    Args:
        path: for the corpus: `.jsonl`, `.jsonl.gz`, `.parquet`, or a new folder.
        report: for the report, if one is wanted.
        work: for what comes in between.

    Raises:
        OutputError: the name says no form that is written, something is there already, a folder is not there to be
            written in, or two names are one.
    """
    places = [place for place in (path, report, work) if place is not None]
    if len({place.resolve() for place in places}) < len(places):
        raise OutputError(f"{path}: named twice; give --output, --report and --work names of their own")
    check_form(path)
    if report is not None:
        _refuse_file(report)
    if path.name.endswith(FORMS):
        _refuse_file(path)
    else:
        refuse_existing(path)


def _refuse_file(path: Path) -> None:
    if path.exists():
        raise OutputError(f"{path}: exists already; choose another name or remove it")
    refuse_existing(path)


def write_mined(mined: Mined, path: Path, work: Path) -> None:
    """Write the corpus with its mined negatives, in the form that the name says.

    Args:
        mined: the negatives.
        path: `.jsonl`, `.jsonl.gz`, `.parquet`, or a new folder.
        work: for a file that goes in between; texts are never all in memory.

    Raises:
        OutputError: it cannot be written.
    """
    between = work / "mined.arrow"
    for begun in (between, path):
        remove_leftovers(begun)
    try:
        with finished_file(between) as temporary:
            _write_versions(mined, temporary)
        corpus = mined.corpus
        with_negatives = ParallelCorpus(
            corpus.name,
            StoredVersions(between),
            corpus.languages,
            corpus.rows,
            availability=corpus.availability,
            item_groups=corpus.item_groups,
        )
        if path.name.endswith((".jsonl", ".jsonl.gz")):
            write_jsonl(with_negatives, path)
        elif path.suffix == ".parquet":
            write_parquet(with_negatives, path)
        else:
            with_negatives.save(path)
    finally:
        between.unlink(missing_ok=True)


def _write_versions(mined: Mined, path: Path) -> None:
    """All stored rows in their order, with other negatives."""
    version_of = np.full(len(mined.corpus.stored), -1, np.int64)
    version_of[mined.versions.row] = np.arange(len(mined.versions))
    negatives = np.full((len(mined.versions), mined.settings.count), -1, np.int64)
    for some, block in mined.read():
        negatives[some] = block.chosen.candidate
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, SCHEMA) as writer:
        start = 0
        for batch in mined.corpus.stored:
            for at in range(0, batch.num_rows, _ROWS_AT_ONCE):
                part = batch.slice(at, _ROWS_AT_ONCE)
                numbers = version_of[start + at : start + at + part.num_rows]
                lists = list(_lists(mined, part, numbers, negatives))
                writer.write_batch(
                    part.set_column(_PLACE, SCHEMA.field(_PLACE), pa.array(lists, SCHEMA.field(_PLACE).type))
                )
            start += batch.num_rows


def _lists(
    mined: Mined, part: pa.RecordBatch, numbers: NDArray[np.int64], negatives: NDArray[np.int64]
) -> Iterator[list[str]]:
    kept = part["negatives"].to_pylist() if mined.settings.existing == "keep" else [[]] * part.num_rows
    for number, existing in zip(numbers.tolist(), kept, strict=True):
        chosen = negatives[number].tolist() if number >= 0 else []
        yield existing + [
            candidate_text(mined.corpus, mined.candidates, candidate)
            for candidate in chosen
            if candidate >= 0
        ]
