"""The mean of models is the mean of their weights."""

import pytest
import torch
from safetensors.torch import load_file

from isogloss import make_recipe, train
from isogloss.encoding.loading import load_sentence_transformer
from isogloss.errors import ModelError, OutputError, RecipeError
from isogloss.training.averaging import average_models
from isogloss.training.trained_on import trained_pairs
from tests.conftest import make_tiny_model, write_records


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_bert):
    folder = tmp_path_factory.mktemp("trained")
    corpus = write_records(folder / "c.jsonl", items=12, languages=("de", "en"))
    for plan in ("x-x-mono", "x-y"):
        values = {"base": str(tiny_bert), "train": [str(corpus)], "plan": plan, "steps": 3, "batch_size": 4}
        train(make_recipe({**values, "learning_rate": 1e-2, "device": "cpu"}), folder / plan)
    return folder


def weights(folder):
    return load_file(folder / "model.safetensors")


@pytest.mark.parametrize("shares", [None, [0.3, 0.7], [-0.5, 1.5]])
def test_every_weight_is_the_weighted_mean(trained, tmp_path, shares):
    average_models([str(trained / "x-x-mono"), str(trained / "x-y")], tmp_path / "mean", shares)
    one, other, mean = (weights(path) for path in (trained / "x-x-mono", trained / "x-y", tmp_path / "mean"))
    first, second = shares or (0.5, 0.5)
    assert mean.keys() == one.keys()
    moved = 0
    for name, value in mean.items():
        torch.testing.assert_close(value, first * one[name] + second * other[name], rtol=1e-6, atol=1e-7)
        moved += int(not torch.equal(one[name], other[name]))
    assert moved
    model = load_sentence_transformer(str(tmp_path / "mean"), device="cpu")
    assert model.encode("x").shape == (32,)
    assert set(trained_pairs(tmp_path / "mean").pairs) == {
        ("de", "de"), ("en", "en"), ("de", "en"), ("en", "de")
    }  # fmt: skip


def test_a_base_has_no_pairs(trained, tiny_bert, tmp_path):
    average_models([str(tiny_bert), str(trained / "x-y")], tmp_path / "mean")
    assert set(trained_pairs(tmp_path / "mean").pairs) == {("de", "en"), ("en", "de")}


def test_what_cannot_be_averaged_is_named(trained, tiny_bert, tmp_path):
    one, other = str(trained / "x-x-mono"), str(trained / "x-y")
    with pytest.raises(RecipeError, match="give two or more"):
        average_models([one], tmp_path / "mean")
    with pytest.raises(RecipeError, match="1 weights for 2 models"):
        average_models([one, other], tmp_path / "mean", [1.0])
    with pytest.raises(RecipeError, match=r"sum to 0\.9"):
        average_models([one, other], tmp_path / "mean", [0.5, 0.4])
    make_tiny_model(tmp_path / "roberta", "xlm-roberta")
    with pytest.raises(ModelError, match="another architecture"):
        average_models([str(tiny_bert), str(tmp_path / "roberta")], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()
    (tmp_path / "mean").mkdir()
    (tmp_path / "mean" / "file").touch()
    with pytest.raises(OutputError, match="not empty"):
        average_models([one, other], tmp_path / "mean")
