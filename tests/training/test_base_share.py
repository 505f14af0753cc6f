"""A share of the base: the weighted mean, and back to the trained weights bit for bit."""

import pytest
import torch
from torch import nn

from isogloss.training.base_share import BaseShare


def model():
    torch.manual_seed(0)
    made = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 2))
    made[0].weight.requires_grad_(False)
    return made


def moved(share):
    made = model()
    base_share = BaseShare(made, share)
    base = {name: value.clone() for name, value in made.state_dict().items()}
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(torch.randn_like(weight))
    return made, base_share, base


@pytest.mark.parametrize("share", [0.0, 0.25, 0.9])
def test_trained_weights_are_mixed_with_the_base(share):
    made, base_share, base = moved(share)
    trained = {name: value.clone() for name, value in made.state_dict().items()}
    with base_share.mixed(made):
        for name, value in made.state_dict().items():
            own = share if not name.startswith("0.") else 0.0  # frozen weights are the base's anyway
            torch.testing.assert_close(value, own * base[name] + (1 - own) * trained[name])
    for name, value in made.state_dict().items():
        assert torch.equal(value, trained[name])


def test_trained_weights_come_back_after_an_error():
    made, base_share, _ = moved(0.5)
    trained = {name: value.clone() for name, value in made.state_dict().items()}
    with pytest.raises(KeyError), base_share.mixed(made):
        raise KeyError
    assert all(torch.equal(value, trained[name]) for name, value in made.state_dict().items())


def test_without_a_share_nothing_is_copied():
    made, base_share, _ = moved(0.0)
    assert not base_share.weights
    base_share.mix(made)
