import pytest
import torch

from isogloss.encoding.encoder import SentenceTransformerEncoder
from isogloss.encoding.precision import PRECISIONS, bfloat16_pays, check_precision
from isogloss.errors import RecipeError


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("device", [None, "cpu"])
def test_known_precisions(precision, device):
    assert check_precision(precision, device) == precision


def test_an_unknown_precision(tiny_bert):
    with pytest.raises(RecipeError, match="'int4' is none of float32, bfloat16, int8"):
        check_precision("int4", None)
    with pytest.raises(RecipeError, match="float16"):
        SentenceTransformerEncoder.load(tiny_bert, precision="float16")


def test_int8_on_another_device_than_the_processor():
    with pytest.raises(RecipeError, match="int8 runs on the processor, not on cuda:0"):
        check_precision("int8", "cuda:0")


@pytest.mark.parametrize(("amx", "pays"), [(True, True), (False, False)])
def test_bfloat16_pays_on_processors_with_amx_alone(amx, pays, monkeypatch):
    capabilities = {"avx512_bf16": True, "amx_bf16": amx}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert bfloat16_pays(torch.device("cpu")) is pays


def test_a_torch_that_cannot_tell_is_taken_for_a_no(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert bfloat16_pays(torch.device("cpu")) is False
