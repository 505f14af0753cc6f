"""8-bit weights against their float32 twins, and what is said where int8 cannot be had."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize
from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding, Transformer

from isogloss.cli import main
from isogloss.encoding import int8_transformer
from isogloss.encoding.encoder import SentenceTransformerEncoder
from isogloss.encoding.int8_transformer import convert_to_int8, import_openvino
from isogloss.encoding.int8_weights import quantised
from isogloss.errors import ModelError
from tests.conftest import tiny_tokenizer
from tests.encoding.test_token_budget import fast, random_texts

pytestmark = pytest.mark.openvino


@pytest.fixture
def openvino():
    try:
        return import_openvino()
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture(params=["tiny_bert", "tiny_xlm_roberta"])
def folder(request):
    return str(request.getfixturevalue(request.param))


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 10**6), st.sampled_from([0, 1]))
def test_a_matrix_is_rounded_to_within_half_a_step(rows, columns, seed, axis):
    draw = np.random.default_rng(seed)
    weights = (draw.standard_normal((rows, columns)) * 10.0 ** draw.integers(-4, 4)).astype(np.float32)
    weights[draw.random(weights.shape) < 0.2] = 0
    numbers, scales = quantised(weights, axis)
    assert numbers.dtype == np.int8
    assert scales.shape == ((rows, 1) if axis == 0 else (1, columns))
    for row in range(rows):
        for column in range(columns):
            scale = scales[row, 0] if axis == 0 else scales[0, column]
            assert abs(numbers[row, column] * scale - weights[row, column]) <= scale * 0.5001
    assert np.abs(numbers.astype(int)).max() <= 127


def test_a_row_of_zeros_stays_one():
    numbers, scales = quantised(np.zeros((2, 3), np.float32), 0)
    assert not numbers.any()
    assert scales.tolist() == [[1], [1]]


def with_rounded_weights(model):
    """The slow twin: the same model in torch, its matrices replaced by what their 8 bits stand for."""
    for module in model[0].model.modules():
        if isinstance(module, torch.nn.Linear | torch.nn.Embedding):
            numbers, scales = quantised(module.weight.detach().numpy(), 0)
            module.weight.data = torch.from_numpy(numbers * scales)
    return model


def test_8_bit_weights_compute_what_their_numbers_stand_for(folder, openvino, monkeypatch):
    monkeypatch.setattr(int8_transformer, "ACTIVATION_GROUP", 0)  # activations stay float32
    texts = random_texts(30, 1)
    model = SentenceTransformer(folder, device="cpu")
    exact = fast(model, texts)
    twin = fast(with_rounded_weights(SentenceTransformer(folder, device="cpu")), texts)
    convert_to_int8(model, "tiny")
    np.testing.assert_allclose(fast(model, texts), twin, atol=1e-4)
    assert np.abs(twin - exact).max() > 1e-3


def test_int8_is_near_float32_whatever_the_batch(folder, openvino):
    texts = random_texts(30, 2)
    exact = SentenceTransformerEncoder.load(folder, device="cpu").encode(texts, "query")
    encoder = SentenceTransformerEncoder.load(folder, precision="int8")
    vectors = encoder.encode(texts, "query")
    assert (vectors * exact).sum(axis=1).min() > 0.999
    for text, vector in zip(texts, vectors, strict=True):
        np.testing.assert_allclose(encoder.encode([text], "query")[0], vector, atol=1e-4)


def test_the_modules_after_the_transformer_stay(folder, openvino):
    torch.manual_seed(3)
    modules = [Transformer(folder), Pooling(32, pooling_mode="cls"), Dense(32, 12), Normalize()]
    model = SentenceTransformer(modules=modules, device="cpu")
    texts = random_texts(20, 3)
    exact = fast(model, texts, "p ", max_length=20)
    convert_to_int8(model, "tiny")
    assert (fast(model, texts, "p ", max_length=20) * exact).sum(axis=1).min() > 0.999


def test_nothing_is_reported_to_anyone(folder, openvino, tmp_path):
    script = (
        "import socket, sys\n"
        "def refuse(*_, **__): raise SystemExit('the network was asked for')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from isogloss.encoding.encoder import SentenceTransformerEncoder\n"
        f"SentenceTransformerEncoder.load({folder!r}, precision='int8').encode(['gold'], 'query')\n"
        "assert sys.modules.get('openvino_telemetry') is None\n"
    )
    environment = {**os.environ, "HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    result = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert not (tmp_path / "intel").exists()


def test_without_openvino_the_extra_is_named(folder, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ModelError, match=r"needs OpenVINO .*pip install 'isogloss\[int8\]'"):
        SentenceTransformerEncoder.load(folder, precision="int8")
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", folder, "--data", "sample:dev", "--precision", "int8"])
    assert stopped.value.code == 2
    assert "isogloss[int8]" in capsys.readouterr().err


def test_a_model_that_begins_with_no_transformer(openvino):
    static = StaticEmbedding(tiny_tokenizer().backend_tokenizer, embedding_dim=16)
    with pytest.raises(ModelError, match="begins with StaticEmbedding; use --precision float32"):
        convert_to_int8(SentenceTransformer(modules=[static], device="cpu"), "static")


def test_a_model_that_pools_all_layers(folder, openvino):
    model = SentenceTransformer(folder, device="cpu")
    model[0].config.output_hidden_states = True
    with pytest.raises(ModelError, match="pools its last hidden state alone"):
        convert_to_int8(model, "layers")


def test_a_trace_that_differs_from_the_model_is_refused(folder, openvino, monkeypatch):
    class ShapeForConstant(torch.nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model, self.config = model, model.config

        def forward(self, input_ids, attention_mask):
            output = self.model(input_ids=input_ids, attention_mask=attention_mask)
            output.last_hidden_state = output.last_hidden_state * float(input_ids.shape[0])
            return output

    model = SentenceTransformer(folder, device="cpu")
    model[0].model = ShapeForConstant(model[0].model)
    with pytest.raises(ModelError, match="cannot be converted to int8: the traced model's output differs"):
        convert_to_int8(model, "constant")
