"""Vectors of tiny random models: their order, length and prompts, and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from isogloss.encoding.encoder import SentenceTransformerEncoder, encode_distinct
from isogloss.errors import ModelError

TEXTS = [
    "gold",
    "was ist das wasser das feuer und die erde",
    "जल",
    "水火土木金日月",
    "gold",
    "this is the sun and the moon and the man",
    "big?",
    "x",
]


@pytest.fixture(scope="module", params=["tiny_bert", "tiny_xlm_roberta"])
def folder(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def load(folder):
    def load_encoder(**options):
        return SentenceTransformerEncoder.load(folder, device="cpu", **options)

    return load_encoder


def test_vectors_come_in_the_order_of_the_texts(load):
    encoder = load(token_budget=30)
    vectors = encoder.encode(TEXTS, "query")
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS), 32)
    for text, vector in zip(TEXTS, vectors, strict=True):
        np.testing.assert_allclose(encoder.encode([text], "query")[0], vector, atol=1e-6)
    distinct = vectors[[0, 1, 2, 3, 5, 6, 7]]
    assert np.all(distinct @ distinct.T - np.eye(7) < 0.9999)


def test_vectors_have_unit_length(load):
    np.testing.assert_allclose(np.linalg.norm(load().encode(TEXTS, "passage"), axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("token_budget", [1, 20, 100])
def test_the_token_budget_changes_nothing(load, token_budget):
    expected = load().encode(TEXTS, "query")
    np.testing.assert_allclose(load(token_budget=token_budget).encode(TEXTS, "query"), expected, atol=1e-6)


def test_prompts_are_put_before_the_texts(load):
    plain, prompted = load(), load(query_prompt="frage ", passage_prompt="antwort ")
    bare = plain.encode(TEXTS, "query")
    np.testing.assert_allclose(plain.encode(TEXTS, "passage"), bare, atol=1e-6)
    for side, prompt in (("query", "frage "), ("passage", "antwort ")):
        vectors = prompted.encode(TEXTS, side)
        assert np.abs(vectors - bare).max(axis=1).min() > 1e-3
        by_hand = plain.encode([prompt + text for text in TEXTS], side)
        np.testing.assert_allclose(vectors, by_hand, atol=1e-6)


def test_a_prompt_the_model_was_saved_with_is_not_put_before_the_other_side(load, tmp_path):
    encoder = load()
    encoder.model.prompts = {"query": "frage ", "document": ""}
    encoder.model.default_prompt_name = "query"
    encoder.model.save(str(tmp_path / "saved"))
    saved = SentenceTransformerEncoder.load(tmp_path / "saved", device="cpu")
    bare = load().encode(TEXTS, "query")
    np.testing.assert_allclose(saved.encode(TEXTS, "passage"), bare, atol=1e-6)
    assert np.abs(saved.encode(TEXTS, "query") - bare).max() > 1e-3


def test_max_length_cuts_and_counts_special_tokens(load):
    # The tiny tokenizer makes a token of each letter and one of the space before a word.
    long, short = "abcdefgh klmn", "abcdefgh"
    cut, whole = load(max_length=11), load()
    assert np.abs(whole.encode([long], "query") - whole.encode([short], "query")).max() > 1e-3
    np.testing.assert_allclose(cut.encode([long], "query"), whole.encode([short], "query"), atol=1e-6)
    np.testing.assert_allclose(cut.encode([short], "query"), whole.encode([short], "query"), atol=1e-6)


def test_a_text_longer_than_the_model_takes_is_cut(load):
    encoder = load()
    limit = encoder.model.max_seq_length
    long = "a" * 500
    np.testing.assert_allclose(
        encoder.encode([long], "query"), encoder.encode(["a" * (limit + 50)], "query"), atol=1e-6
    )


def test_no_texts(load):
    vectors = load().encode([], "query")
    assert vectors.shape == (0, 32)
    assert vectors.dtype == np.float32


def test_an_empty_text_has_a_vector(load):
    vectors = load().encode(["", "gold"], "passage")
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_progress_counts_every_text_once(load):
    done: list[int] = []
    load(token_budget=40).encode(TEXTS, "query", done.append)
    assert len(done) > 2
    assert sum(done) == len(TEXTS)


def test_a_model_that_fails_is_named(load, monkeypatch):
    encoder = load()

    def fail(*_, **__):
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(encoder.model, "forward", fail)
    with pytest.raises(ModelError, match=r"tiny-.*the model failed on 8 query texts: no such kernel"):
        encoder.encode(TEXTS, "query")


def test_a_model_that_runs_out_of_memory_says_what_helps(load, monkeypatch):
    encoder = load(token_budget=77)

    def fail(*_, **__):
        raise torch.OutOfMemoryError("2 GiB")

    monkeypatch.setattr(encoder.model, "forward", fail)
    with pytest.raises(
        ModelError, match="out of memory at 77 tokens a forward pass; give a smaller token budget"
    ):
        encoder.encode(TEXTS, "query")


def test_bfloat16_is_near_float32_and_comes_as_float32(load):
    exact, rounded = load().encode(TEXTS, "query"), load(precision="bfloat16").encode(TEXTS, "query")
    assert rounded.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rounded, axis=1), 1, atol=1e-6)
    assert 0 < np.abs(rounded - exact).max() < 0.05


class CountingEncoder:
    """Keeps what it was asked for; a vector holds the number of its text."""

    name = "counting"

    def __init__(self):
        self.asked: list[tuple[list[str], str]] = []

    def encode(self, texts, side, progress=None):
        self.asked.append((list(texts), side))
        if progress is not None:
            progress(len(texts))
        return np.arange(len(texts), dtype=np.float32)[:, None]


def test_each_distinct_text_is_encoded_once():
    encoder, done = CountingEncoder(), []
    vectors, rows = encode_distinct(encoder, ["b", "a", "b", "c", "a"], "passage", done.append)
    assert encoder.asked == [(["b", "a", "c"], "passage")]
    assert vectors.shape == (3, 1)
    assert rows.dtype == np.int64
    assert rows.tolist() == [0, 1, 0, 2, 1]
    assert done == [3]


def test_no_distinct_texts():
    vectors, rows = encode_distinct(CountingEncoder(), [], "query")
    assert vectors.shape == (0, 1)
    assert rows.shape == (0,)
    assert rows.dtype == np.int64


def test_distinct_texts_of_a_model(load):
    encoder = load()
    vectors, rows = encode_distinct(encoder, TEXTS, "query")
    assert len(vectors) == len(set(TEXTS))
    np.testing.assert_allclose(vectors[rows], encoder.encode(TEXTS, "query"), atol=1e-6)
