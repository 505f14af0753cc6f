import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer
from transformers import BertConfig, BertModel

from isogloss.encoding.micro_batches import split
from isogloss.training.activation_memory import (
    GIGABYTE,
    EncoderShape,
    activation_bytes,
    cached_token_budget,
    encoder_shape,
)

SHAPE = EncoderShape(layers=2, hidden=32, intermediate=64, heads=4)


def kept_bytes(model, inputs):
    """What autograd really keeps, weights apart: every storage once."""
    weights = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = model(**inputs).last_hidden_state
    assert output.requires_grad
    return sum(kept.values())


@pytest.mark.parametrize(("hidden", "intermediate", "heads"), [(64, 256, 4), (96, 192, 12)])
@pytest.mark.parametrize(("texts", "width"), [(16, 8), (4, 64), (1, 128)])
def test_the_estimate_is_near_what_autograd_keeps(hidden, intermediate, heads, texts, width):
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50,
        hidden_size=hidden,
        num_hidden_layers=6,
        num_attention_heads=heads,
        intermediate_size=intermediate,
        max_position_embeddings=128,
    )
    mask = torch.ones(texts, width, dtype=torch.long)
    mask[0, width // 2 :] = 0
    kept = kept_bytes(
        BertModel(config, add_pooling_layer=False).train(),
        {"input_ids": torch.randint(0, 50, (texts, width)), "attention_mask": mask},
    )
    estimate = activation_bytes(EncoderShape(6, hidden, intermediate, heads), texts, width)
    assert 0.95 <= estimate / kept <= 1.05


def test_by_hand():
    # Two layers of 3 x 5 tokens: 10 * 32 + 2 * 64 + 3 * 4 * 5 values of four bytes.
    assert activation_bytes(SHAPE, 3, 5) == 2 * 15 * 508 * 4


@pytest.mark.parametrize("kind", ["tiny_bert", "tiny_xlm_roberta"])
def test_the_shape_is_read_from_the_configuration(kind, request):
    model = SentenceTransformer(str(request.getfixturevalue(kind)), device="cpu")
    assert encoder_shape(model) == SHAPE


def test_the_names_of_other_configurations_are_understood():
    from transformers import DistilBertConfig

    class Model(torch.nn.Module):
        def __init__(self, config):
            super().__init__()
            self.transformers_model = torch.nn.Linear(1, 1)
            self.transformers_model.config = config

    config = DistilBertConfig(dim=48, n_layers=3, n_heads=6, hidden_dim=100)
    assert encoder_shape(Model(config)) == EncoderShape(3, 48, 4 * 48, 6)
    assert encoder_shape(Model(None)) is None
    assert encoder_shape(torch.nn.Linear(1, 1)) is None


def masked(lengths, width):
    return {"attention_mask": (torch.arange(width) < torch.tensor(lengths)[:, None]).long()}


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=12),
    st.lists(st.integers(1, 40), min_size=1, max_size=12),
    st.integers(1, 300),
    st.integers(1, 3_000_000),
)
def test_a_batch_is_cached_where_it_does_not_fit_in_pieces_that_do(queries, passages, tokens, budget):
    sides = [masked(queries, max(queries)), masked(passages, max(passages) + 3)]
    whole = sum(
        activation_bytes(SHAPE, part.texts, part.width)
        for side in sides
        for part in split(side["attention_mask"], tokens)
    )
    cached = cached_token_budget(SHAPE, sides, tokens, budget / GIGABYTE)
    assert (cached is None) == (whole <= budget)
    if cached is None:
        return
    assert 1 <= cached <= tokens
    longest = activation_bytes(SHAPE, 1, max(*queries, *passages))
    for side in sides:
        for part in split(side["attention_mask"], cached):
            assert activation_bytes(SHAPE, part.texts, part.width) <= max(budget, longest)


def test_texts_that_cannot_be_told_apart_are_never_cached():
    flat = {"input_ids": torch.arange(9), "offsets": torch.tensor([0, 4])}
    assert cached_token_budget(SHAPE, [flat, flat], 10, 1e-9) is None
    assert cached_token_budget(SHAPE, [masked([3, 4], 4), flat], 10, 1e-9) is None


def test_the_default_budget_holds_small_batches_of_a_small_encoder_and_no_large_ones():
    small = EncoderShape(layers=12, hidden=384, intermediate=1536, heads=12)
    generator = np.random.default_rng(0)

    def batch(size):
        return [masked(generator.integers(10, 30, size).tolist(), 30), masked([96] * size, 96)]

    assert cached_token_budget(small, batch(32), 512, 4.0) is None
    assert cached_token_budget(small, batch(1024), 512, 4.0) == 512
