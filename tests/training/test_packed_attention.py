import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.training.packed_attention import Layout, packed_attention

HEADS, SIZE = 3, 4


def text_by_text(query, key, value, lengths, scale):
    """The slow twin: each text by itself."""
    out, start = [], 0
    for length in lengths:
        q, k, v = (tensor[start : start + length].transpose(0, 1) for tensor in (query, key, value))
        out.append(((q @ k.transpose(-1, -2) * scale).softmax(dim=-1) @ v).transpose(0, 1))
        start += length
    return torch.cat(out)


def tensors(lengths, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = (sum(lengths), HEADS, SIZE)
    return [
        torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_() for _ in range(3)
    ], torch.randn(shape, generator=generator, dtype=torch.float64)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=12), st.booleans())
def test_outputs_and_gradients_equal_texts_by_themselves(lengths, by_length):
    lengths = sorted(lengths, reverse=True) if by_length else lengths
    inputs, weight = tensors(lengths)
    results = []
    for attend in (
        lambda q, k, v: packed_attention(q, k, v, Layout.of(lengths, HEADS), 0.5),
        lambda q, k, v: text_by_text(q, k, v, lengths, 0.5),
    ):
        out = attend(*inputs)
        results.append([out, *torch.autograd.grad((out * weight).sum(), inputs)])
    for quick, slow in zip(*results, strict=True):
        torch.testing.assert_close(quick, slow)


@given(st.lists(st.integers(1, 200), min_size=1, max_size=40))
def test_buckets_hold_every_token_once_and_are_well_filled(lengths):
    layout = Layout.of(lengths, HEADS)
    buckets, tokens = layout.buckets, sum(lengths)
    assert [bucket.first for bucket in buckets] == [0, *(bucket.last for bucket in buckets[:-1])]
    assert buckets[-1].last == len(layout.tokens)
    held = torch.ones(len(layout.tokens), dtype=torch.bool)
    held[layout.padding] = False
    assert sorted(layout.tokens[held].tolist()) == list(range(tokens * HEADS))
    assert torch.equal(layout.tokens[layout.rows], torch.arange(tokens * HEADS))
    for bucket in buckets:
        full = held[bucket.first : bucket.last].double().mean()
        assert full >= 0.8
        assert (bucket.bias is None) == (full == 1)


def test_dropout_drops_weights_and_their_gradients_alike():
    lengths = [5, 4, 2]
    (query, key, value), _ = tensors(lengths)

    def attend(q, k, v):
        torch.manual_seed(7)
        return packed_attention(q, k, v, Layout.of(lengths, HEADS), 0.5, 0.3)

    assert not torch.allclose(
        attend(query, key, value), packed_attention(query, key, value, Layout.of(lengths, HEADS), 0.5)
    )
    assert torch.autograd.gradcheck(attend, (query, key, value))


def test_dropout_keeps_the_expected_output():
    lengths = [6, 5]
    (query, key, value), _ = tensors(lengths)
    torch.manual_seed(1)
    with torch.no_grad():
        many = torch.stack(
            [packed_attention(query, key, value, Layout.of(lengths, HEADS), 0.5, 0.2) for _ in range(4000)]
        )
        plain = packed_attention(query, key, value, Layout.of(lengths, HEADS), 0.5)
    error = many.std(dim=0) / len(many) ** 0.5
    assert ((many.mean(dim=0) - plain).abs() < 6 * error).all()


def test_half_precision_comes_back_as_it_went_in():
    lengths = [3, 3, 2]
    inputs = [tensor.detach().bfloat16().requires_grad_() for tensor in tensors(lengths)[0]]
    with torch.autocast("cpu", torch.bfloat16):
        out = packed_attention(*inputs, Layout.of(lengths, HEADS), 0.5, 0.1)
    assert out.dtype == torch.bfloat16
    out.float().sum().backward()
    assert all(tensor.grad.dtype == torch.bfloat16 for tensor in inputs)
    with pytest.raises(RuntimeError):
        torch.autograd.grad(
            torch.autograd.grad(out.float().sum(), inputs[0], create_graph=True)[0].sum(), inputs[0]
        )
