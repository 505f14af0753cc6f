"""Exports against the models they were made of, and what is refused."""

from __future__ import annotations

import importlib.util
import json
import shutil

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize
from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding, Transformer

from isogloss.cli import main
from isogloss.encoding.encoder import SentenceTransformerEncoder
from isogloss.encoding.opening import open_encoder
from isogloss.errors import ModelError, OutputError, RecipeError
from isogloss.export import graph as graph_module
from isogloss.export import onnx as export_module
from isogloss.export.checking import Probe, sample_probe
from isogloss.export.onnx import export_onnx
from tests.conftest import tiny_tokenizer, write_records
from tests.encoding.test_token_budget import random_texts

pytestmark = [
    pytest.mark.openvino,
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in ("onnx", "openvino")),
        reason="needs the extra export",
    ),
]

TEXTS = [*random_texts(30, 4), "", "gold " * 200]


@pytest.fixture(autouse=True)
def _few_texts_to_compare(monkeypatch):
    texts = sample_probe().texts[::10]
    monkeypatch.setattr(export_module, "sample_probe", lambda: Probe(texts))


def lowest_cosine(one, other, texts=TEXTS, **options):
    """Of both sides' vectors."""
    found = []
    for side in ("query", "passage"):
        vectors = [encoder.encode(texts, side, **options) for encoder in (one, other)]
        assert vectors[0].shape == vectors[1].shape
        found.append(np.einsum("td,td->t", *vectors).min())
    return min(found)


def saved(folder, kind, pooling="mean", *more, **arguments):
    torch.manual_seed(1)
    modules = [Transformer(str(kind)), Pooling(32, pooling_mode=pooling), *more]
    model = SentenceTransformer(
        modules=modules, device="cpu", prompts={"query": "q: ", "document": "p: "}, **arguments
    )
    model.save(str(folder))
    return folder


@pytest.mark.parametrize(("kind", "pooling"), [("tiny_bert", "cls"), ("tiny_xlm_roberta", "mean")])
def test_an_export_gives_the_models_vectors(kind, pooling, request, tmp_path):
    folder = saved(tmp_path / "model", request.getfixturevalue(kind), pooling, Dense(32, 12), Normalize())
    record = export_onnx(folder, tmp_path / "out", quantize="int8")
    encoder, original = open_encoder(tmp_path / "out"), open_encoder(folder, device="cpu")
    described = encoder.describe()
    assert described == {**original.describe(), "name": str(tmp_path / "out"), "precision": "int8"}
    assert (described["query_prompt"], described["passage_prompt"]) == ("q: ", "p: ")
    assert lowest_cosine(encoder, original) > 0.99
    assert record["cosine"]["float32"]["lowest"] > 0.99999
    assert 0.99 < record["cosine"]["int8"]["lowest"] <= record["cosine"]["int8"]["mean"] < 1
    assert record["bytes"]["int8"] < record["bytes"]["float32"]
    assert record == json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))
    assert record["check"] is None
    # The transformer's weights are in the graph alone.
    assert [path.parent.name for path in (tmp_path / "out").rglob("*.safetensors")] == ["2_Dense"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "out"]
    assert sorted(path.name for path in (tmp_path / "out" / "onnx").iterdir()) == ["model.onnx"]


def test_float32_and_the_lengths_of_the_original(tiny_bert, tmp_path):
    """A plain Hugging Face folder; texts are cut where the original cuts them."""
    export_onnx(tiny_bert, tmp_path / "out")
    original = SentenceTransformerEncoder.load(tiny_bert, device="cpu")
    encoder = open_encoder(tmp_path / "out")
    assert encoder.describe()["precision"] == "float32"
    assert encoder.describe()["max_length"] == original.describe()["max_length"]
    assert lowest_cosine(encoder, original) > 0.99999
    # A text's vector does not depend on those beside it.
    assert lowest_cosine(encoder, open_encoder(tmp_path / "out", token_budget=1)) > 0.99999


def test_vectors_in_int8_do_not_depend_on_the_texts_beside_them(tiny_xlm_roberta, tmp_path):
    export_onnx(tiny_xlm_roberta, tmp_path / "out", quantize="int8")
    alone = open_encoder(tmp_path / "out", token_budget=1)
    assert lowest_cosine(open_encoder(tmp_path / "out", token_budget=4096), alone) > 0.99999


@pytest.mark.skipif(importlib.util.find_spec("onnxruntime") is None, reason="needs onnxruntime")
@pytest.mark.parametrize("quantize", [None, "int8"])
def test_onnx_runtime_gives_the_same(tiny_bert, tmp_path, quantize):
    import onnxruntime

    export_onnx(tiny_bert, tmp_path / "out", quantize=quantize)
    session = onnxruntime.InferenceSession(
        str(tmp_path / "out" / "onnx" / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    model = SentenceTransformer(str(tiny_bert), device="cpu")
    for texts in (["gold"], ["wasser feuer erde", "x", ""]):
        features = model[0].preprocess(texts)
        inputs = {one.name: features[one.name].numpy() for one in session.get_inputs()}
        (tokens,) = session.run(["last_hidden_state"], inputs)
        with torch.inference_mode():
            expected = model[0](features)["token_embeddings"].numpy()
        real = inputs["attention_mask"].astype(bool)
        found = [vectors / np.linalg.norm(vectors, axis=-1, keepdims=True) for vectors in (tokens, expected)]
        assert np.einsum("btd,btd->bt", *found)[real].min() > (0.99 if quantize else 0.99999)


def test_weights_too_large_for_one_file(tiny_bert, tmp_path, monkeypatch):
    monkeypatch.setattr(graph_module, "LARGEST_FILE", 40_000)
    record = export_onnx(tiny_bert, tmp_path / "out")
    assert sorted(record["sha256"]) == ["model.onnx", "model.onnx_data"]
    assert record["bytes"]["float32"] > 60_000
    original = SentenceTransformerEncoder.load(tiny_bert, device="cpu")
    assert lowest_cosine(open_encoder(tmp_path / "out"), original) > 0.99999
    record = export_onnx(tiny_bert, tmp_path / "smaller", quantize="int8")
    assert sorted(record["sha256"]) == ["model.onnx"]


@pytest.mark.parametrize("method", ["centre", "shift", "project"])
def test_a_cure_is_exported_with_its_model(tiny_bert, tmp_path, method, monkeypatch):
    corpus = write_records(tmp_path / "corpus.jsonl", items=12)
    for command in (
        f"debias {tiny_bert} --method {method} --fit {corpus} --query-prompt q: --output cured",
        f"export cured --check {corpus} --output out",
    ):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SystemExit) as stopped:
            main(command.split())
        assert not stopped.value.code
    shutil.move(tmp_path / "out", tmp_path / "elsewhere")
    encoder, original = open_encoder(tmp_path / "elsewhere"), open_encoder(tmp_path / "cured", device="cpu")
    assert lowest_cosine(encoder, original, languages=["de"] * len(TEXTS)) > 0.9999
    described = encoder.describe()
    assert described["debias"] == original.describe()["debias"]
    assert described["query_prompt"] == "q:"
    record = json.loads((tmp_path / "elsewhere" / "export.json").read_text(encoding="utf-8"))
    assert (tmp_path / "elsewhere" / record["graph"]).is_file()
    assert record["check"]["original"]["map"] == pytest.approx(record["check"]["float32"]["map"], abs=1e-3)
    assert f"{method}" in (tmp_path / "elsewhere" / "README.md").read_text(encoding="utf-8")
    if method != "project":
        # Nobody takes it for a cured model without isogloss.
        assert not (tmp_path / "elsewhere" / "modules.json").exists()


def test_what_training_met_is_still_known(tiny_bert, tmp_path):
    from isogloss.cli.trained import trained_from

    folder = saved(tmp_path / "model", tiny_bert)
    (folder / "README.md").write_text("---\nlanguage:\n- de\n- en\ntrained_pairs:\n- de->en\n---\n# Model\n")
    export_onnx(folder, tmp_path / "out")
    assert trained_from(str(tmp_path / "out"), None, None).pairs == {("de", "en")}
    assert "## ONNX export" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_an_export_that_differs_is_not_kept(tiny_bert, tmp_path, monkeypatch, capsys):
    write = graph_module.write_graph

    def other_weights(transformer, *arguments):
        with torch.no_grad():
            transformer.model.encoder.layer[1].output.dense.weight.mul_(3)
        write(transformer, *arguments)

    monkeypatch.setattr(export_module, "write_graph", other_weights)
    with pytest.raises(SystemExit) as stopped:
        main(["export", str(tiny_bert), "--output", str(tmp_path / "out")])
    assert stopped.value.code == 2
    assert "the export's vectors are not the model's: cosine 0." in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_vectors_that_are_no_numbers_are_refused(tiny_bert, tmp_path, monkeypatch):
    model = SentenceTransformer(str(tiny_bert), device="cpu")
    model[0].model.encoder.layer[0].output.dense.bias.data[0] = float("nan")
    model.save(str(tmp_path / "model"))
    with pytest.raises(ModelError, match="cosine nan"):
        export_onnx(tmp_path / "model", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_exported(tiny_bert, tmp_path):
    export_onnx(tiny_bert, tmp_path / "out")
    with pytest.raises(OutputError, match="not empty"):
        export_onnx(tiny_bert, tmp_path / "out")
    with pytest.raises(RecipeError, match="--quantize int4: there is int8"):
        export_onnx(tiny_bert, tmp_path / "new", quantize="int4")
    for model in (tmp_path / "out", "openai:model@http://127.0.0.1:9/v1"):
        with pytest.raises(ModelError, match="endpoint, stored vectors or an ONNX export already"):
            export_onnx(model, tmp_path / "new")
    static = SentenceTransformer(modules=[StaticEmbedding(tiny_tokenizer(), embedding_dim=8)], device="cpu")
    static.save(str(tmp_path / "static"))
    with pytest.raises(ModelError, match="exporting takes a model that begins with a transformer"):
        export_onnx(tmp_path / "static", tmp_path / "new")
    with pytest.raises(ModelError, match="no such model folder"):
        export_onnx(tmp_path / "none", tmp_path / "new")
    assert not (tmp_path / "new").exists()


class Own(Normalize):
    """A module that no export has."""


def test_a_module_that_an_export_cannot_have(tiny_bert, tmp_path, monkeypatch):
    encoder = SentenceTransformerEncoder.load(tiny_bert, device="cpu")
    encoder.model.append(Own())
    monkeypatch.setattr(export_module, "open_encoder", lambda model: encoder)
    with pytest.raises(ModelError, match="a module Own after the transformer; an export may have Dense"):
        export_onnx(tiny_bert, tmp_path / "out")


def test_without_onnx_the_extra_is_named(tiny_bert, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(ModelError, match=r"exporting needs onnx .*pip install 'isogloss\[export\]'"):
        export_onnx(tiny_bert, tmp_path / "out")
    assert not (tmp_path / "out").exists()
