"""NLLB, M2M100 and Marian by transformers, with tiny models that have learnt a few sentences by heart."""

from __future__ import annotations

import shutil

import pytest
import torch

from isogloss.errors import ModelError
from isogloss.translation.engine import Failure
from isogloss.translation.engines.transformers import TransformersEngine
from tests.conftest import make_tiny_model
from tests.translation.tiny_models import SENTENCES

ENGLISH = SENTENCES["en"]


def engine(folder, **options):
    usual = {"codes": {}, "beam_size": 2, "device": "cpu", "batch_size": 8}
    return TransformersEngine(str(folder), **{**usual, **options})


@pytest.mark.parametrize("kind", ["marian", "m2m100", "nllb"])
def test_the_language_is_chosen_and_the_order_kept(kind, request):
    model = engine(request.getfixturevalue(kind))
    for target in ("de", "es"):
        assert model.refusal("en", target) is None
        assert model.translate(ENGLISH, "en", target) == SENTENCES[target]
        assert model.translate(ENGLISH[2:], "en-GB", target) == SENTENCES[target][2:]
    assert model.translate(ENGLISH[:1], "en", "de") == SENTENCES["de"][:1]


@pytest.mark.parametrize("kind", ["marian", "m2m100", "nllb"])
def test_a_sentence_that_is_too_long_fails_alone(kind, request):
    model = engine(request.getfixturevalue(kind))
    results = model.translate([ENGLISH[0], "the dog runs fast. " * 30, ENGLISH[1]], "en", "de")
    assert results[::2] == SENTENCES["de"][:2]
    assert isinstance(results[1], Failure)
    assert results[1].reason.startswith("too long for the engine:")
    assert results[1].reason.endswith("tokens, it takes 64")
    assert len(model.translate(["the dog runs fast. " * 30], "en", "de")) == 1


def test_a_translation_that_does_not_end_is_cut_off(nllb, monkeypatch):
    monkeypatch.setattr("isogloss.translation.engines.tokenizing.room", lambda longest, positions: 3)
    (result,) = engine(nllb).translate(ENGLISH[:1], "en", "de")
    assert result.reason == "cut off"
    assert SENTENCES["de"][0].startswith(result.text)


def test_marian_that_is_forced_to_end_is_cut_off_as_well(marian, monkeypatch):
    monkeypatch.setattr("isogloss.translation.engines.tokenizing.room", lambda longest, positions: 3)
    (result,) = engine(marian).translate(ENGLISH[:1], "en", "de")
    assert result.reason == "cut off"


def test_marian_of_one_pair_says_which(marian_german):
    model = engine(marian_german)
    assert model.refusal("en", "de") is None
    assert model.translate(ENGLISH, "en", "de") == SENTENCES["de"]
    assert model.refusal("en", "es") == "the model translates to deu, not es"
    assert model.refusal("fr", "de") == "the model translates from eng, not fr"


def test_languages_that_a_model_has_not(marian, m2m100, nllb):
    assert ">>deu<< >>spa<<; if one of them is it, give it: --code fr=" in engine(marian).refusal("en", "fr")
    assert engine(marian, codes={"ca": "spa"}).translate(ENGLISH, "en", "ca") == SENTENCES["es"]
    assert "no language rm (rm or roh)" in engine(m2m100).refusal("en", "rm")
    assert "no language rm (roh_Latn); if it has" in engine(nllb).refusal("en", "rm")
    assert engine(nllb, codes={"rm": "deu_Latn"}).translate(ENGLISH, "en", "rm") == SENTENCES["de"]


def test_the_identity_is_that_of_weights_and_search_not_of_the_folder(nllb, m2m100, tmp_path):
    shutil.copytree(nllb, tmp_path / "copy")
    first = engine(nllb).identity()
    assert engine(tmp_path / "copy", batch_size=3).identity() == first
    assert engine(nllb, beam_size=1).identity() != first
    assert engine(m2m100).identity()["weights"] != first["weights"]


def test_models_that_do_not_translate(tmp_path):
    with pytest.raises(ModelError, match="cannot be loaded"):
        engine(tmp_path / "nothing")
    with pytest.raises(ModelError, match="a model of kind bert; NLLB, M2M100 and OPUS-MT"):
        engine(make_tiny_model(tmp_path / "bert", "bert"))


def test_a_sentence_that_the_device_has_no_memory_for_fails_alone(nllb, monkeypatch):
    def generate(**_):
        raise torch.OutOfMemoryError

    model = engine(nllb)
    monkeypatch.setattr(model._model, "generate", generate)
    (failure,) = model.translate(ENGLISH[:1], "en", "de")
    assert failure.reason.startswith("engine: the device has no memory for ")
    with pytest.raises(ModelError, match="smaller --batch-size"):
        model.translate(ENGLISH[:2], "en", "de")


def test_a_device_that_is_not_there(nllb):
    with pytest.raises(ModelError, match="--device nonsense"):
        engine(nllb, device="nonsense")
