import pytest
import torch
from torch import nn

from isogloss.training.dropout import QuickDropout, dropout_mask, quick_dropout

FLOAT = torch.empty(0)


@pytest.mark.parametrize("probability", [1e-9, 0.1, 0.5, 0.9, 1 - 1e-9])
@pytest.mark.parametrize("shape", [(0,), (1,), (3, 5), (7, 11, 13)])
def test_a_mask_has_the_shape_and_scales_what_is_kept(shape, probability):
    mask = dropout_mask(shape, probability, torch.empty(0, dtype=torch.float64))
    assert mask.shape == shape
    assert mask.dtype == torch.float64
    for value in mask.unique().tolist():
        assert value == 0 or 1 / value == pytest.approx(1 - probability, abs=2**-16)


def test_values_are_kept_as_often_as_said_and_independently_of_their_neighbours():
    torch.manual_seed(3)
    n, kept = 1_000_000, 1 - round(0.1 * 2**16) / 2**16
    kept_ones = dropout_mask((n,), 0.1, FLOAT) > 0
    deviation = (kept * (1 - kept) / n) ** 0.5
    assert abs(kept_ones.float().mean().item() - kept) < 5 * deviation
    # Four neighbours come from one draw of 64 bits.
    values = kept_ones.float() - kept
    for lag in (1, 2, 3, 4):
        assert abs((values[lag:] * values[:-lag]).mean().item()) < 5 * kept * (1 - kept) / n**0.5


def test_what_is_kept_is_scaled_and_gradients_pass_the_same_mask():
    torch.manual_seed(0)
    layer = QuickDropout(0.25)
    x = torch.ones(1000, dtype=torch.float64, requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert y.unique().tolist() == pytest.approx([0.0, 4 / 3])
    assert torch.equal(x.grad, y)


def test_a_seed_gives_the_same_draws():
    layer = QuickDropout(0.5)
    x = torch.ones(100)
    torch.manual_seed(5)
    first = layer(x)
    torch.manual_seed(5)
    assert torch.equal(layer(x), first)


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_none_and_all_are_as_in_torch(probability):
    x = torch.ones(10)
    assert torch.equal(QuickDropout(probability)(x), nn.Dropout(probability)(x))
    assert torch.equal(QuickDropout(0.5).eval()(x), x)


def test_layers_are_quick_inside_the_context_alone():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.1))
    names = list(model.state_dict())
    with quick_dropout(model):
        assert type(model[1]) is QuickDropout
        assert list(model.state_dict()) == names
    assert type(model[1]) is nn.Dropout
