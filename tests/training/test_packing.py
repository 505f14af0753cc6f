import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Normalize

from isogloss.encoding.micro_batches import embed_at_once
from isogloss.training.packing import embedding_of, packable, side_by_side, unread_features

TEXTS = ["a", "wasser und feuer", "水火 水火", "ein langer satz. " * 3, "b c"]


@pytest.fixture(params=["tiny_bert", "tiny_xlm_roberta"])
def model(request):
    return SentenceTransformer(str(request.getfixturevalue(request.param)), device="cpu").eval()


@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "lasttoken", "weightedmean"])
@pytest.mark.parametrize("prompt", [None, "query: "])
def test_vectors_equal_the_padded_ones_with_every_pooling(model, pooling, prompt):
    model[1].pooling_mode = pooling
    model[1].include_prompt = False
    model.append(Dense(in_features=model.get_embedding_dimension(), out_features=5))
    model.append(Normalize())
    features = model.preprocess(TEXTS, prompt=prompt)
    with torch.no_grad():
        padded = embed_at_once(model, dict(features))
        packed = embedding_of(model)(model, dict(features))
    torch.testing.assert_close(packed, padded, rtol=1e-5, atol=1e-5)


def test_a_prompt_s_length_is_read_where_pooling_leaves_prompts_out(model):
    assert unread_features(model) == {"prompt_length"}
    model[1].include_prompt = False
    assert unread_features(model) == frozenset()


def test_the_model_attends_as_before_afterwards(model):
    usual = model[0].model.config._attn_implementation
    features = model.preprocess(TEXTS)
    before = embed_at_once(model, dict(features))
    embedding_of(model)(model, dict(features))
    assert model[0].model.config._attn_implementation == usual
    assert torch.equal(embed_at_once(model, dict(features)), before)
    with pytest.raises(IndexError):
        embedding_of(model)(model, {**features, "input_ids": features["input_ids"] + 10**6})
    assert model[0].model.config._attn_implementation == usual


def test_models_that_cannot_are_embedded_padded(model):
    assert packable(model)
    model[0].model.gradient_checkpointing_enable()
    assert embedding_of(model) is embed_at_once
    model[0].model.gradient_checkpointing_disable()
    model[0].model.config.model_type = "something-new"
    assert embedding_of(model) is embed_at_once
    assert embedding_of(torch.nn.Linear(2, 2)) is embed_at_once


def test_a_text_without_tokens_is_embedded_padded(model):
    features = model.preprocess(["a b", "c"])
    features["attention_mask"][1] = 0
    packed = embedding_of(model)(model, dict(features))
    assert torch.equal(packed, embed_at_once(model, dict(features)))


def test_sides_are_joined_where_they_differ_in_texts_alone(model):
    queries, passages = model.preprocess(TEXTS[:2]), model.preprocess(TEXTS)
    together = side_by_side([queries, passages])
    assert together["attention_mask"].sum() == sum(
        side["attention_mask"].sum() for side in (queries, passages)
    )
    assert together["input_ids"].shape == (7, passages["input_ids"].shape[1])
    assert side_by_side([{**queries, "prompt_length": 1}, {**passages, "prompt_length": 2}]) is None
    both = [{**queries, "prompt_length": 1}, {**passages, "prompt_length": 2}]
    together = side_by_side(both, frozenset({"prompt_length"}))
    assert together["input_ids"].shape == (7, passages["input_ids"].shape[1])
    assert "prompt_length" not in together
    assert side_by_side([queries, {**passages, "task": "passage"}]) is None
    assert side_by_side([{"vectors": torch.ones(2)}, {"vectors": torch.ones(2)}]) is None
