"""ONNX exports against the torch models they were made of."""

from __future__ import annotations

import json
import shutil
import warnings

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

from isogloss.cli import main
from isogloss.encoding.encoder import SentenceTransformerEncoder
from isogloss.encoding.identity import passage_identity
from isogloss.encoding.int8_transformer import import_openvino
from isogloss.encoding.opening import open_encoder
from isogloss.errors import ModelError, RecipeError
from tests.encoding.test_token_budget import random_texts

pytestmark = pytest.mark.openvino

TEXTS = [*random_texts(40, 4), "", "gold " * 200]


@pytest.fixture(autouse=True)
def _openvino():
    try:
        import_openvino()
    except ModelError as error:
        pytest.skip(str(error))


class Graph(torch.nn.Module):
    """What is exported: token vectors, or the averaged ones as well."""

    def __init__(self, model, names, outputs):
        super().__init__()
        self.model, self.names, self.outputs = model, names, outputs

    def forward(self, *inputs):
        features = dict(zip(self.names, inputs, strict=True))
        tokens = self.model(**features).last_hidden_state
        mask = features["attention_mask"][:, :, None].float()
        averaged = (tokens * mask).sum(1) / mask.sum(1)
        found = {
            "last_hidden_state": tokens,
            "token_embeddings": tokens,
            "sentence_embedding": averaged,
            "x": tokens,
        }
        return tuple(found[name] for name in self.outputs)


def export(model, path, outputs=("last_hidden_state",), inputs=("input_ids", "attention_mask")):
    from torch.onnx._internal.torchscript_exporter import onnx_proto_utils

    transformer = model[0].model.float().eval()
    example = model.preprocess(["ab cd ef", "gh"])
    example["token_type_ids"] = torch.zeros_like(example["input_ids"])
    path.parent.mkdir(parents=True, exist_ok=True)
    axes = {name: {0: "texts", 1: "tokens"} for name in [*inputs, *outputs]}
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        # This step adds functions that the exporter lacks, none here; for it alone the package onnx would be needed.
        patch.setattr(onnx_proto_utils, "_add_onnxscript_fn", lambda content, _: content)
        torch.onnx.export(
            Graph(transformer, inputs, outputs),
            tuple(example[name] for name in inputs),
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=axes,
            dynamo=False,
            opset_version=17,
        )
    return path


def without_weights(folder):
    for path in folder.rglob("*.safetensors"):
        if path.parent == folder:
            path.unlink()


@pytest.fixture(params=["tiny_bert", "tiny_xlm_roberta"])
def folder(request, tmp_path):
    """A sentence-transformers folder with pooling, a dense layer and prompts, its export in onnx/."""
    torch.manual_seed(1)
    modules = [
        Transformer(str(request.getfixturevalue(request.param))),
        Pooling(32, pooling_mode="cls"),
        Dense(32, 12),
        Normalize(),
    ]
    model = SentenceTransformer(modules=modules, device="cpu", prompts={"query": "q: ", "document": "p: "})
    model.save(str(tmp_path / "model"))
    export(model, tmp_path / "model" / "onnx" / "model.onnx")
    return tmp_path / "model"


def same(one, other, **tolerance):
    for side in ("query", "passage"):
        vectors = one.encode(TEXTS, side)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(vectors, other.encode(TEXTS, side), **{"atol": 1e-5, **tolerance})


def test_a_sentence_transformers_folder(folder, tmp_path):
    expected = SentenceTransformerEncoder.load(folder, device="cpu")
    # With weights in it the folder is the torch model, unless the file is given.
    assert open_encoder(folder, device="cpu").describe()["dimension"] == 12
    same(open_encoder(folder / "onnx" / "model.onnx"), expected)
    shutil.copytree(folder, tmp_path / "bare")
    without_weights(tmp_path / "bare")
    encoder = open_encoder(tmp_path / "bare", token_budget=64)
    same(encoder, expected)
    assert encoder.describe() == {
        **expected.describe(),
        "name": str(tmp_path / "bare"),
    }
    assert encoder.encode([], "query").shape == (0, 12)


def test_lengths_and_prompts_of_the_user(folder):
    options = {"max_length": 9, "query_prompt": "frage ", "passage_prompt": ""}
    expected = SentenceTransformerEncoder.load(folder, device="cpu", **options)
    same(open_encoder(folder / "onnx" / "model.onnx", **options), expected)
    with pytest.raises(RecipeError, match=r"max_length: 900 tokens, but .* takes 64 at most"):
        open_encoder(folder / "onnx" / "model.onnx", max_length=900)


def test_pooling_that_leaves_the_prompt_out(folder, tmp_path):
    model = SentenceTransformer(str(folder), device="cpu")
    model[1] = Pooling(32, pooling_mode="mean", include_prompt=False)
    model.save(str(tmp_path / "other"))
    export(model, tmp_path / "other" / "onnx" / "model.onnx")
    same(
        open_encoder(tmp_path / "other" / "onnx" / "model.onnx"),
        SentenceTransformerEncoder.load(tmp_path / "other", device="cpu"),
    )


def plain_folder(tiny_bert, tmp_path, *, configured=True, **arguments):
    """A graph and a tokenizer, and nothing else."""
    model = SentenceTransformer(str(tiny_bert), device="cpu")
    export(model, tmp_path / "plain" / "model.onnx", **arguments)
    for name in ["tokenizer.json", "tokenizer_config.json"][: 1 + configured]:
        shutil.copy(tiny_bert / name, tmp_path / "plain" / name)
    return tmp_path / "plain", SentenceTransformerEncoder.load(tiny_bert, device="cpu", max_length=64)


@pytest.mark.parametrize("configured", [True, False])
@pytest.mark.parametrize(
    "outputs", [("last_hidden_state",), ("x",), ("token_embeddings", "sentence_embedding")]
)
def test_a_plain_folder_is_averaged(tiny_bert, tmp_path, configured, outputs):
    plain, expected = plain_folder(tiny_bert, tmp_path, configured=configured, outputs=outputs)
    same(open_encoder(plain, max_length=64), expected)


def test_an_export_that_pools(tiny_bert, tmp_path):
    plain, expected = plain_folder(tiny_bert, tmp_path, outputs=("sentence_embedding",))
    same(open_encoder(plain), expected)


def test_token_types_are_zeros(tiny_bert, tmp_path):
    inputs = ("input_ids", "attention_mask", "token_type_ids")
    plain, expected = plain_folder(tiny_bert, tmp_path, inputs=inputs)
    same(open_encoder(plain), expected)


def test_identity_tells_exports_apart(folder, tiny_bert, tmp_path):
    path = folder / "onnx" / "model.onnx"
    assert passage_identity(open_encoder(path)) == passage_identity(open_encoder(path, query_prompt="x"))
    plain, _ = plain_folder(tiny_bert, tmp_path)
    assert passage_identity(open_encoder(path))["weights"] != passage_identity(open_encoder(plain))["weights"]


def test_what_is_wrong_with_an_export(folder, tmp_path):
    path = folder / "onnx" / "model.onnx"
    with pytest.raises(RecipeError, match="--precision, --device: not for an ONNX export"):
        open_encoder(path, precision="bfloat16", device="cuda")
    modules = json.loads((folder / "modules.json").read_text())
    modules.append({"idx": 4, "name": "4", "path": "4_Own", "type": "own_package.Own"})
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ModelError, match=r"modules.json has 'own_package.Own' after the transformer"):
        open_encoder(path)
    (folder / "modules.json").unlink()
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    with pytest.raises(ModelError, match=r"cannot load the tokenizer: .*tokenizer.json should lie beside"):
        open_encoder(path)
    shutil.copy(path, folder / "onnx" / "model_q.onnx")
    path.rename(folder / "onnx" / "model_o.onnx")
    without_weights(folder)
    with pytest.raises(RecipeError, match=r"holds model_o.onnx, model_q.onnx: give the file of one"):
        open_encoder(folder)


def test_a_file_that_is_no_export(tiny_bert, tmp_path, capsys):
    plain, _ = plain_folder(tiny_bert, tmp_path)
    (plain / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match="OpenVINO cannot run this export"):
        open_encoder(plain)
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", str(plain), "--data", "sample:dev"])
    assert stopped.value.code == 2
    assert "OpenVINO cannot run" in capsys.readouterr().err


def test_without_openvino_the_extra_is_named(tiny_bert, tmp_path, monkeypatch):
    plain, _ = plain_folder(tiny_bert, tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "openvino", None)
    with pytest.raises(ModelError, match=r"an ONNX export needs OpenVINO .*pip install 'isogloss\[onnx\]'"):
        open_encoder(plain)
