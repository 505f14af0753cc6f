"""Encoding under a token budget against its slow twin, plain `SentenceTransformer.encode`."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize
from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding, Transformer

from isogloss.encoding import token_budget
from isogloss.encoding.token_budget import encode_texts
from tests.conftest import ALPHABET, tiny_tokenizer


def random_texts(count: int, seed: int, longest: int = 70) -> list[str]:
    """Of all lengths from none to more than the models take, some of them twice."""
    draw = random.Random(seed)
    letters = ALPHABET + "   "
    texts = ["".join(draw.choices(letters, k=draw.randrange(longest))) for _ in range(count)]
    return ["", *texts, *draw.sample(texts, count // 4)]


def plain(model, texts, prompt="", max_length=None, batch_size=32):
    limit = {} if max_length is None else {"processing_kwargs": {"text": {"max_length": max_length}}}
    return model.encode(texts, prompt=prompt, normalize_embeddings=True, batch_size=batch_size, **limit)


def fast(model, texts, prompt="", max_length=None, budget=128, progress=None):
    return encode_texts(
        model, texts, prompt=prompt, max_length=max_length, token_budget=budget, progress=progress
    )


@pytest.fixture(params=["tiny_bert", "tiny_xlm_roberta"])
def folder(request):
    return str(request.getfixturevalue(request.param))


@pytest.mark.parametrize("budget", [1, 17, 128, 100_000])
@pytest.mark.parametrize("prompt", ["", "frage "])
def test_equals_plain_encode(folder, budget, prompt):
    model = SentenceTransformer(folder, device="cpu")
    texts = random_texts(60, budget)
    vectors = fast(model, texts, prompt, budget=budget)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, plain(model, texts, prompt), atol=1e-5)


def test_equals_plain_encode_over_several_tokenised_chunks(folder, monkeypatch):
    monkeypatch.setattr(token_budget, "_TOKENISED_AT_ONCE", 7)
    model = SentenceTransformer(folder, device="cpu")
    texts = random_texts(40, 1)
    np.testing.assert_allclose(fast(model, texts), plain(model, texts), atol=1e-5)


@pytest.mark.parametrize("max_length", [4, 11, 64])
def test_equals_plain_encode_of_cut_texts(folder, max_length):
    model = SentenceTransformer(folder, device="cpu")
    texts = random_texts(30, 2)
    expected = plain(model, texts, "p ", max_length)
    np.testing.assert_allclose(fast(model, texts, "p ", max_length), expected, atol=1e-5)


def test_equals_plain_encode_with_padding_on_the_left(tiny_xlm_roberta):
    # BERT counts positions from the left edge: padded there, plain vectors depend on the batch themselves.
    model = SentenceTransformer(str(tiny_xlm_roberta), device="cpu")
    model.tokenizer.padding_side = "left"
    texts = random_texts(40, 3)
    np.testing.assert_allclose(fast(model, texts, "p "), plain(model, texts, "p "), atol=1e-5)


@pytest.mark.parametrize("pooling", ["cls", "mean", "max", "lasttoken", "mean_sqrt_len_tokens"])
def test_the_modules_after_the_transformer_are_the_models_own(folder, pooling):
    torch.manual_seed(1)
    modules = [Transformer(folder), Pooling(32, pooling_mode=pooling), Dense(32, 12), Normalize()]
    model = SentenceTransformer(modules=modules, device="cpu")
    texts = random_texts(30, 4)
    vectors = fast(model, texts)
    assert vectors.shape == (len(texts), 12)
    np.testing.assert_allclose(vectors, plain(model, texts), atol=1e-5)


def test_a_prompt_left_out_of_the_pooling(folder):
    model = SentenceTransformer(folder, device="cpu")
    model.set_pooling_include_prompt(False)
    texts = random_texts(30, 5)
    expected = plain(model, texts, "frage ")
    np.testing.assert_allclose(fast(model, texts, "frage "), expected, atol=1e-5)
    assert np.abs(expected - plain(model, texts)).max() > 1e-3


def test_vectors_cut_to_fewer_dimensions(folder):
    model = SentenceTransformer(folder, device="cpu", truncate_dim=8)
    texts = random_texts(20, 6)
    vectors = fast(model, texts)
    assert vectors.shape == (len(texts), 8)
    np.testing.assert_allclose(vectors, plain(model, texts), atol=1e-5)


def test_a_model_without_an_attention_mask_goes_through_plain_encode():
    torch.manual_seed(2)
    static = StaticEmbedding(tiny_tokenizer().backend_tokenizer, embedding_dim=16)
    model = SentenceTransformer(modules=[static], device="cpu")
    texts = [text + "a" for text in random_texts(90, 7)]
    done: list[int] = []
    vectors = fast(model, texts, "p ", progress=done.append)
    np.testing.assert_allclose(vectors, plain(model, texts, "p "), atol=1e-5)
    assert sum(done) == len(texts)


def test_dropout_is_off(folder):
    model = SentenceTransformer(folder, device="cpu").train()
    texts = random_texts(10, 8)
    np.testing.assert_array_equal(fast(model, texts), fast(model.train(), texts))


def test_no_texts(folder):
    vectors = fast(SentenceTransformer(folder, device="cpu"), [])
    assert vectors.shape == (0, 32)
    assert vectors.dtype == np.float32


def test_the_budget_is_kept_and_padding_saved(folder, monkeypatch):
    model = SentenceTransformer(folder, device="cpu")
    shapes: list[tuple[int, int]] = []
    forward = model.forward

    def watched(features, **options):
        shapes.append(tuple(features["attention_mask"].shape))
        return forward(features, **options)

    monkeypatch.setattr(model, "forward", watched)
    texts = random_texts(100, 9)
    plain(model, texts)
    padded = sum(texts * width for texts, width in shapes)
    shapes.clear()
    done: list[int] = []
    fast(model, texts, budget=200, progress=done.append)
    assert all(texts * width <= 200 for texts, width in shapes)
    assert [texts for texts, _ in shapes] == done
    assert sum(done) == len(texts)
    assert sum(texts * width for texts, width in shapes) < padded
