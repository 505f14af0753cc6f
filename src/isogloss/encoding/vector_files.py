"""Texts to be encoded elsewhere, and the vectors that come back.

    NAME.parquet             columns `text`, `vector` (a list of numbers), optionally `side` (query or passage)
    NAME.npy                 vectors, (n, d), in the order of the texts in NAME.jsonl or NAME.parquet beside it: `text`,
                             optionally `side`, as `write_texts` writes them
    a folder                 any number of these

A vector without a side serves queries and passages alike.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from isogloss.corpus import RetrievalBenchmark
from isogloss.encoding.encoder import Side
from isogloss.errors import ModelError, OutputError
from isogloss.files import finished_file

SIDES: tuple[Side, ...] = get_args(Side)

_ROWS_AT_ONCE = 8192


@dataclass(frozen=True)
class VectorFile:
    """The vectors of one file.

    Attributes:
        path: the file.
        sha256: of the file, in hexadecimal.
        texts: n texts.
        sides: for each text the side it is on, None for both.
        vectors: (n, d) float32, as they were.
    """

    path: Path
    sha256: str
    texts: list[str]
    sides: list[Side | None]
    vectors: NDArray[np.float32]


def distinct_texts(benchmark: RetrievalBenchmark) -> list[tuple[Side, str]]:
    """Each distinct query, then each distinct candidate of a benchmark, in order of first appearance."""
    return [
        *(("query", text) for text in dict.fromkeys(benchmark.query_texts)),
        *(("passage", text) for text in dict.fromkeys(benchmark.candidate_texts)),
    ]


def write_texts(texts: Sequence[tuple[Side, str]], path: Path) -> None:
    """Write texts for encoding them elsewhere, with the columns `side` and `text`.

    Args:
        texts: as `distinct_texts` gives them.
        path: ends in .parquet or .jsonl.

    Raises:
        OutputError: it ends in anything else, exists, or cannot be written.
    """
    check_new(path, (".parquet", ".jsonl"))
    with finished_file(path, overwrite=False) as temporary:
        if path.suffix == ".parquet":
            sides, words = zip(*texts, strict=True)
            pq.write_table(pa.table({"side": list(sides), "text": list(words)}), temporary)
        else:
            lines = [json.dumps({"side": side, "text": text}, ensure_ascii=False) for side, text in texts]
            temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def write_vectors(
    texts: Sequence[tuple[Side, str]], vectors: Sequence[NDArray[np.float32]], path: Path
) -> None:
    """Write texts and their vectors, with the columns `side`, `text` and `vector`.

    Args:
        texts: n texts.
        vectors: parts of shape (., d), n rows in all, in the order of the texts.
        path: ends in .parquet.

    Raises:
        OutputError: as `write_texts`.
    """
    check_new(path, (".parquet",))
    kind = pa.list_(pa.float32(), vectors[0].shape[1])
    schema = pa.schema({"side": pa.string(), "text": pa.string(), "vector": kind})
    with finished_file(path, overwrite=False) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        first = 0
        for part in vectors:
            sides, words = zip(*texts[first : first + len(part)], strict=True)
            numbers = pa.FixedSizeListArray.from_arrays(pa.array(part.ravel()), type=kind)
            writer.write_table(pa.table([pa.array(sides), pa.array(words), numbers], schema=schema))
            first += len(part)


def check_new(path: Path, suffixes: tuple[str, ...]) -> None:
    """Check a file's name before the work for it begins.

    Raises:
        OutputError: it ends in none of the suffixes, or exists.
    """
    if path.suffix not in suffixes:
        raise OutputError(f"{path}: written is {' or '.join(suffixes)}; choose such a name")
    if path.exists():
        raise OutputError(f"{path}: exists already; choose another name or remove it")


def is_vector_file(path: Path) -> bool:
    """Tell whether a path is named as a file of vectors is."""
    return path.suffix in (".npy", ".parquet")


def find_vector_files(path: Path) -> list[Path]:
    """Find a file of vectors, or those of a folder, in order of their names.

    Raises:
        ModelError: there is none.
    """
    if not path.exists():
        raise ModelError(f"{path}: no such file or folder of vectors")
    if not path.is_dir():
        if not is_vector_file(path):
            raise ModelError(f"{path}: vectors are read from .npy and .parquet files, or a folder of them")
        return [path]
    files = sorted(one for one in path.iterdir() if is_vector_file(one))
    # Beside NAME.npy, NAME.parquet holds its texts.
    found = [one for one in files if one.suffix == ".npy" or one.with_suffix(".npy") not in files]
    if not found:
        raise ModelError(f"{path}: the folder holds no .npy or .parquet file, so no vectors")
    return found


def read_vector_file(path: Path) -> VectorFile:
    """Read one file of vectors.

    Raises:
        ModelError: it cannot be read, or is not of the form above; says the row, counted from 1.
    """
    try:
        texts, sides, vectors = _read_npy(path) if path.suffix == ".npy" else _read_parquet(path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, pa.ArrowException) as error:
        raise ModelError(f"{path}: the vectors cannot be read: {error}") from error
    return VectorFile(
        path, digest, texts, [_side(side, path, row) for row, side in enumerate(sides)], vectors
    )


_Columns = tuple[list[str], list[object], NDArray[np.float32]]


def _read_npy(path: Path) -> _Columns:
    try:
        vectors = np.load(path, allow_pickle=False)
    except ValueError as error:
        raise ModelError(f"{path}: not a NumPy array of numbers: {error}") from error
    if not isinstance(vectors, np.ndarray) or vectors.ndim != 2 or not _numeric(vectors.dtype):
        raise ModelError(f"{path}: vectors are numbers in rows of equal length, shape (texts, dimension)")
    beside = [path.with_suffix(suffix) for suffix in (".jsonl", ".parquet")]
    there = [one for one in beside if one.is_file()]
    if len(there) != 1:
        raise ModelError(
            f"{path}: the texts of its rows should be in {beside[0].name} or {beside[1].name} beside it, and"
            f" {'both' if there else 'neither'} is there; `isogloss data texts` writes them"
        )
    texts, sides = _read_jsonl(there[0]) if there[0].suffix == ".jsonl" else _read_text_columns(there[0])
    if len(texts) != len(vectors):
        raise ModelError(f"{path}: {len(vectors)} vectors, but {len(texts)} texts in {there[0].name}")
    return texts, sides, vectors.astype(np.float32)


def _read_jsonl(path: Path) -> tuple[list[str], list[object]]:
    texts, sides = [], []
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                record = json.loads(line)
                if not isinstance(record, dict) or not isinstance(record.get("text"), str):
                    raise ModelError(f"{path}: line {number}: no object with a `text`")
                texts.append(record["text"])
                sides.append(record.get("side"))
    except ValueError as error:
        raise ModelError(f"{path}: line {len(texts) + 1}: no JSON in UTF-8: {error}") from error
    return texts, sides


def _read_text_columns(path: Path) -> tuple[list[str], list[object]]:
    texts: list[str] = []
    sides: list[object] = []
    for batch in _batches(path, ("text",)):
        _add_texts(batch, path, texts, sides)
    return texts, sides


def _read_parquet(path: Path) -> _Columns:
    texts: list[str] = []
    sides: list[object] = []
    parts: list[NDArray[np.float32]] = []
    for batch in _batches(path, ("text", "vector")):
        parts.append(_vectors(batch.column("vector"), path, len(texts), parts[0].shape[1] if parts else None))
        _add_texts(batch, path, texts, sides)
    if not parts:
        raise ModelError(f"{path}: the file has no rows")
    return texts, sides, np.concatenate(parts)


def _batches(path: Path, needed: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        there = file.schema_arrow.names
        if missing := [name for name in needed if name not in there]:
            raise ModelError(
                f"{path}: there is no column {' and no column '.join(missing)}; it has {', '.join(there)}"
            )
        columns = [*needed, *(["side"] if "side" in there else [])]
        yield from file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=columns)


def _add_texts(batch: pa.RecordBatch, path: Path, texts: list[str], sides: list[object]) -> None:
    column = batch.column("text")
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise ModelError(f"{path}: the column text holds {column.type}, not texts")
    if column.null_count:
        raise ModelError(f"{path}: row {len(texts) + 1 + _first(pc.is_null(column))}: there is no text")
    texts += column.to_pylist()
    sides += batch.column("side").to_pylist() if "side" in batch.schema.names else [None] * batch.num_rows


def _vectors(column: pa.Array, path: Path, before: int, dimension: int | None) -> NDArray[np.float32]:
    """A column of lists as float32, (n, d)."""
    kind = column.type
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not is_list or not (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)):
        raise ModelError(f"{path}: the column vector holds {kind}, not lists of numbers")
    if column.null_count:
        raise ModelError(f"{path}: row {before + 1 + _first(pc.is_null(column))}: there is no vector")
    lengths = np.asarray(pc.list_value_length(column))
    dimension = int(lengths[0]) if dimension is None else dimension
    if not dimension:
        raise ModelError(f"{path}: row {before + 1}: the vector is empty")
    if (other := lengths != dimension).any():
        row = int(np.argmax(other))
        raise ModelError(
            f"{path}: row {before + 1 + row}: a vector of {lengths[row]} numbers, where the first has {dimension}"
        )
    values = pc.list_flatten(column)
    if values.null_count:
        row = _first(pc.is_null(values)) // dimension
        raise ModelError(f"{path}: row {before + 1 + row}: a number of the vector is missing")
    numbers = np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float32)
    return numbers.reshape(-1, dimension)


def _first(flags: pa.Array) -> int:
    return int(np.argmax(np.asarray(flags)))


def _numeric(dtype: np.dtype[np.generic]) -> bool:
    return bool(np.issubdtype(dtype, np.floating) or np.issubdtype(dtype, np.integer))


def _side(side: object, path: Path, row: int) -> Side | None:
    known = next((one for one in SIDES if one == side), None)
    if side is not None and known is None:
        raise ModelError(f"{path}: row {row + 1}: the side {side!r} is neither query nor passage")
    return known
