"""Vectors that were computed elsewhere: every form, and everything that may be wrong with it."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from isogloss.cli import main
from isogloss.corpus import load_benchmark
from isogloss.encoding.encoder import SentenceTransformerEncoder
from isogloss.encoding.opening import open_encoder
from isogloss.encoding.precomputed import PrecomputedEncoder
from isogloss.encoding.vector_files import distinct_texts, read_vector_file, write_texts
from isogloss.errors import ModelError, OutputError, RecipeError
from isogloss.evaluation import read_results

TEXTS = ["a", "b", "c\nd", "e"]
VECTORS = np.random.default_rng(5).standard_normal((4, 6)).astype(np.float32)
UNIT = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)


def parquet(path, texts=TEXTS, vectors=VECTORS, kind=pa.list_(pa.float32()), **columns):  # noqa: B008
    rows = [None if vector is None else list(vector) for vector in vectors]
    pq.write_table(pa.table({"text": texts, "vector": pa.array(rows, kind), **columns}), path)
    return path


def npy(path, texts=TEXTS, vectors=VECTORS, **columns):
    np.save(path, vectors)
    lines = [
        json.dumps({"text": text, **{name: values[row] for name, values in columns.items()}})
        for row, text in enumerate(texts)
    ]
    path.with_suffix(".jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.float32()),
        pa.list_(pa.float32(), 6),
        pa.large_list(pa.float64()),
        pa.list_(pa.float16()),
    ],
    ids=str,
)
def test_parquet(tmp_path, kind):
    vectors = VECTORS.astype(np.float16) if kind == pa.list_(pa.float16()) else VECTORS
    encoder = open_encoder(parquet(tmp_path / "v.parquet", vectors=vectors, kind=kind))
    found = encoder.encode(["c\nd", "a", "a"], "query")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, UNIT[[2, 0, 0]], atol=1e-3 if kind.value_type == "halffloat" else 1e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert encoder.encode([], "passage").shape == (0, 6)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8])
def test_an_array_with_its_texts_beside_it(tmp_path, dtype):
    vectors = (VECTORS * 30).astype(dtype)
    encoder = open_encoder(npy(tmp_path / "v.npy", vectors=vectors))
    twin = vectors.astype(np.float32)
    twin /= np.linalg.norm(twin, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.encode(TEXTS, "query"), twin, atol=1e-6)


def test_sides(tmp_path):
    path = parquet(tmp_path / "v.parquet", ["a", "a", "b", "a"], side=["query", "passage", None, None])
    encoder = PrecomputedEncoder(path)
    np.testing.assert_allclose(encoder.encode(["a", "b"], "query"), UNIT[[0, 2]], atol=1e-6)
    np.testing.assert_allclose(encoder.encode(["a", "b"], "passage"), UNIT[[1, 2]], atol=1e-6)


def test_a_folder_of_files(tmp_path):
    parquet(tmp_path / "1.parquet", TEXTS[:1], VECTORS[:1])
    npy(tmp_path / "2.npy", TEXTS[1:2], VECTORS[1:2])
    np.save(tmp_path / "3.npy", VECTORS[2:])
    pq.write_table(pa.table({"text": TEXTS[2:]}), tmp_path / "3.parquet")
    for model in (tmp_path, f"vectors:{tmp_path}"):
        encoder = open_encoder(model)
        np.testing.assert_allclose(encoder.encode(TEXTS, "query"), UNIT, atol=1e-6)
        described = encoder.describe()
        assert described["name"] == str(model)
        assert described["source"] == "vectors"
        assert described["dimension"] == 6
        assert [file["name"] for file in described["files"]] == ["1.parquet", "2.npy", "3.npy"]
        json.dumps(described)


def test_a_text_twice_with_one_vector(tmp_path):
    vectors = VECTORS[[0, 1, 0]] * np.array([[1], [1], [2]])
    vectors[2] += 1e-5
    encoder = PrecomputedEncoder(parquet(tmp_path / "v.parquet", ["a", "b", "a"], vectors))
    np.testing.assert_allclose(encoder.encode(["a"], "query"), UNIT[:1], atol=1e-4)


def test_missing_texts(tmp_path):
    encoder = PrecomputedEncoder(parquet(tmp_path / "v.parquet", side=["query"] * 4))
    with pytest.raises(ModelError, match=r"no vector for 2 of 3 query texts, the first 'x'; .*data texts"):
        encoder.encode(["a", "x", "y"], "query")
    with pytest.raises(ModelError, match="no vector for 1 of 1 passage texts, the first 'a'"):
        encoder.encode(["a"], "passage")


def changed(row, vector):
    rows = [list(one) for one in VECTORS]
    rows[row] = vector
    return rows


NAN, INFINITE = [1.0] * 5 + [float("nan")], [float("-inf")] + [1.0] * 5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"vectors": changed(2, NAN)}, r"v.parquet: row 3: the vector holds NaN or an infinity, .* 1 of 4"),
        ({"vectors": changed(1, INFINITE)}, "row 2: the vector holds NaN or an infinity"),
        ({"vectors": changed(3, [0.0] * 6)}, "row 4: the vector is all zeros, and so are 1 of 4"),
        ({"vectors": changed(2, [1.0] * 5)}, "row 3: a vector of 5 numbers, where the first has 6"),
        ({"vectors": changed(0, [])}, "row 1: the vector is empty"),
        ({"vectors": changed(1, [1.0] * 5 + [None])}, "row 2: a number of the vector is missing"),
        ({"vectors": changed(1, None)}, "row 2: there is no vector"),
        ({"texts": ["a", None, "b", "c"]}, "row 2: there is no text"),
        ({"texts": [1, 2, 3, 4]}, "the column text holds int64, not texts"),
        ({"texts": ["a", "b", "c", "b"]}, "row 4: another vector for 'b' than .*row 2"),
        (
            {"side": ["query", "passage", "document", None]},
            "row 3: the side 'document' is neither query nor passage",
        ),
        (
            {"vectors": [["1"]] * 4, "kind": pa.list_(pa.string())},
            "the column vector holds list.*not lists of numbers",
        ),
        ({"texts": [], "vectors": []}, "the file has no rows|holds null"),
    ],
)
def test_what_is_wrong_with_a_table(tmp_path, arguments, says):
    path = parquet(tmp_path / "v.parquet", **arguments)
    with pytest.raises(ModelError, match=says):
        PrecomputedEncoder(path)


def test_a_row_far_down(tmp_path):
    vectors = np.ones((20_000, 2), np.float32)
    vectors[17_000] = np.nan
    path = parquet(tmp_path / "v.parquet", [str(number) for number in range(20_000)], vectors)
    with pytest.raises(ModelError, match="row 17001: the vector holds NaN"):
        PrecomputedEncoder(path)


def test_other_files(tmp_path):
    def refused(path, says):
        with pytest.raises(ModelError, match=says):
            PrecomputedEncoder(path)

    refused(tmp_path / "none.npy", "no such file or folder")
    refused(tmp_path, "holds no .npy or .parquet file")
    (tmp_path / "v.txt").write_text("1 2")
    refused(tmp_path / "v.txt", "vectors are read from .npy and .parquet files")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no more")
    refused(tmp_path / "broken.parquet", "the vectors cannot be read")
    pq.write_table(pa.table({"id": [1]}), tmp_path / "other.parquet")
    refused(tmp_path / "other.parquet", "there is no column text and no column vector; it has id")
    path = tmp_path / "v.npy"
    np.save(path, VECTORS)
    refused(path, r"should be in v.jsonl or v.parquet beside it, and neither is there; `isogloss data texts`")
    npy(path, TEXTS[:3])
    refused(path, "4 vectors, but 3 texts in v.jsonl")
    path.with_suffix(".jsonl").write_text('{"text": "a"}\n{"side": "query"}\n')
    refused(path, "v.jsonl: line 2: no object with a `text`")
    path.with_suffix(".jsonl").write_text('{"text": "a"}\n{"te\n')
    refused(path, "v.jsonl: line 2: no JSON")
    for wrong in (VECTORS[0], VECTORS.astype(str), np.array([{}], dtype=object)):
        np.save(path, wrong)
        refused(path, "vectors are numbers in rows of equal length|not a NumPy array of numbers")
    path.write_bytes(b"nonsense")
    refused(path, "not a NumPy array of numbers")


def test_files_of_two_dimensions(tmp_path):
    parquet(tmp_path / "1.parquet")
    parquet(tmp_path / "2.parquet", vectors=VECTORS[:, :5])
    with pytest.raises(ModelError, match=r"vectors of 6 in .*1.parquet and 5 in .*2.parquet"):
        PrecomputedEncoder(tmp_path)


@pytest.mark.parametrize("option", ["query_prompt", "max_length", "device", "token_budget"])
def test_options_that_make_no_sense(tmp_path, option):
    value = {"query_prompt": "", "max_length": 5, "token_budget": 5, "device": "cpu"}[option]
    named = f"--{option.replace('_', '-')}"
    with pytest.raises(RecipeError, match=f"^{named}: not for vectors that are there already"):
        open_encoder(parquet(tmp_path / "v.parquet"), **{option: value})


def run(*arguments):
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    return stopped.value.code


@pytest.mark.parametrize("form", ["parquet", "npy"])
def test_texts_out_and_vectors_in_give_the_figures_of_the_model(tmp_path, tiny_bert, form):
    texts = tmp_path / ("texts.parquet" if form == "parquet" else "texts.jsonl")
    assert run("data", "texts", "sample:dev", texts) == 0
    # What a user does elsewhere.
    model = SentenceTransformerEncoder.load(tiny_bert, device="cpu")
    if form == "parquet":
        table = pq.read_table(texts)
        vectors = model.encode(table["text"].to_pylist(), "query")
        pq.write_table(table.append_column("vector", pa.array(list(vectors))), tmp_path / "vectors.parquet")
    else:
        lines = [json.loads(line) for line in texts.read_text(encoding="utf-8").splitlines()]
        np.save(tmp_path / "texts.npy", model.encode([line["text"] for line in lines], "query"))
    given = tmp_path / ("vectors.parquet" if form == "parquet" else "texts.npy")
    arguments = ("--data", "sample:dev", "--no-second-pass", "--output")
    assert run("evaluate", given, *arguments, tmp_path / "one") == 0
    assert run("evaluate", tiny_bert, *arguments, tmp_path / "two") == 0
    one, two = (read_results(tmp_path / name / "results.json") for name in ("one", "two"))
    for setting in ("mono", "cross", "multi"):
        mean = [results["settings"][setting]["map"]["mean"] for results in (one, two)]
        assert mean[0] == pytest.approx(mean[1], abs=1e-3)
    assert one["model"]["files"][0]["name"] == given.name


def test_encode_writes_vectors_that_give_the_same_figures(tmp_path, tiny_bert, corpus_file):
    options = ("--query-prompt", "was ist ", "--device", "cpu")
    vectors = tmp_path / "vectors.parquet"
    assert run("encode", tiny_bert, "--data", corpus_file, "--output", vectors, *options) == 0
    assert run("encode", tiny_bert, "--data", corpus_file, "--output", vectors, *options) == 2
    table = pq.read_table(vectors)
    assert table.column_names == ["side", "text", "vector"]
    assert len(table) == 320
    assert run("evaluate", vectors, "--data", corpus_file, "--output", tmp_path / "one") == 0
    assert run("evaluate", tiny_bert, "--data", corpus_file, "--output", tmp_path / "two", *options) == 0
    one, two = (read_results(tmp_path / name / "results.json") for name in ("one", "two"))
    # The vectors are brought to unit length once more, which may round their last digit.
    assert one["settings"]["multi"]["map"]["mean"] == pytest.approx(
        two["settings"]["multi"]["map"]["mean"], abs=1e-3
    )


def test_the_texts_of_a_benchmark(tmp_path, corpus_file, capsys):
    texts = distinct_texts(load_benchmark(str(corpus_file)))
    assert len(set(texts)) == len(texts) == 320
    for name in ("t.parquet", "t.jsonl"):
        write_texts(texts, tmp_path / name)
        with pytest.raises(OutputError, match="exists already"):
            write_texts(texts, tmp_path / name)
        np.save(tmp_path / "t.npy", np.ones((320, 2)))
        read = read_vector_file(tmp_path / "t.npy")
        assert list(zip(read.sides, read.texts, strict=True)) == texts
        (tmp_path / name).unlink()
    assert run("data", "texts", corpus_file, tmp_path / "t.csv") == 2
    assert "written is .parquet or .jsonl" in capsys.readouterr().err
