from types import SimpleNamespace

import pytest
import torch

from isogloss.training.gradient_clipping import clip_sparse_gradients, with_dense_gradient


def gradients(sparse, scale):
    torch.manual_seed(0)
    words, layer = torch.nn.Embedding(6, 4, sparse=sparse), torch.nn.Linear(4, 3)
    unused = torch.nn.Parameter(torch.ones(2))
    for text in ([1, 2, 1], [5, 1]):
        (scale * layer(words(torch.tensor(text)))).square().sum().backward()
    return [words.weight, *layer.parameters(), unused]


@pytest.mark.parametrize("scale", [0.01, 3.0])
@pytest.mark.parametrize("norm_type", [2.0, float("inf")])
def test_the_norm_and_the_clipped_gradients_are_those_of_dense_gradients(scale, norm_type):
    accelerator = SimpleNamespace(clip_grad_norm_=torch.nn.utils.clip_grad_norm_)
    clip_sparse_gradients(accelerator)
    sparse, dense = gradients(True, scale), gradients(False, scale)
    expected = torch.nn.utils.clip_grad_norm_(dense, 1.0, norm_type)
    norm = accelerator.clip_grad_norm_((parameter for parameter in sparse), 1.0, norm_type=norm_type)
    torch.testing.assert_close(norm, expected)
    assert (norm > 1) == (scale > 1)
    assert sparse[0].grad.is_sparse
    for ours, theirs in zip(sparse[:-1], dense[:-1], strict=True):
        torch.testing.assert_close(ours.grad.to_dense(), theirs.grad)
    assert sparse[-1].grad is None


def test_a_dense_gradient_is_left_as_it_is():
    parameter = gradients(False, 1.0)[0]
    assert with_dense_gradient(parameter) is parameter
