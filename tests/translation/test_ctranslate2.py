"""Models converted to CTranslate2 translate as the originals do."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

import pytest

from isogloss.errors import ModelError
from isogloss.translation.engine import Failure
from tests.translation.tiny_models import SENTENCES

# Imported in the tests alone, so that collecting them loads no second thread pool beside torch's.
pytestmark = pytest.mark.skipif(find_spec("ctranslate2") is None, reason="needs the extra ctranslate2")

ENGLISH = SENTENCES["en"]


def engine(folder, tokenizer=None, **options):
    from isogloss.translation.engines.ctranslate2 import CTranslate2Engine

    usual = {"codes": {}, "beam_size": 2, "device": "cpu", "batch_size": 8}
    return CTranslate2Engine(
        str(folder), tokenizer=None if tokenizer is None else str(tokenizer), **{**usual, **options}
    )


@pytest.fixture(scope="session")
def converted(tmp_path_factory):
    import ctranslate2

    def convert(folder):
        made = tmp_path_factory.mktemp("converted") / folder.name
        ctranslate2.converters.TransformersConverter(str(folder)).convert(str(made))
        return made

    return convert


@pytest.mark.parametrize("kind", ["marian", "nllb"])
def test_translations_are_those_of_the_original(kind, request, converted, monkeypatch):
    original = request.getfixturevalue(kind)
    model = engine(converted(original), original)
    for target in ("de", "es"):
        assert model.refusal("en", target) is None
        results = model.translate([*ENGLISH, "the dog runs fast. " * 30], "en", target)
        assert results[:-1] == SENTENCES[target]
        assert isinstance(results[-1], Failure)
        assert results[-1].reason.endswith("tokens, it takes 64")
    assert model.refusal("en", "rm") is not None
    monkeypatch.setattr("isogloss.translation.engines.tokenizing.room", lambda longest, positions: 3)
    assert model.translate(ENGLISH[:1], "en", "de")[0].reason == "cut off"


def test_the_tokenizer_may_lie_in_the_folder(marian_german, converted):
    folder = converted(marian_german)
    with pytest.raises(ModelError, match="--tokenizer MODEL"):
        engine(folder)
    for path in marian_german.iterdir():
        if path.name not in ("config.json", "model.safetensors", "generation_config.json"):
            shutil.copy(path, folder)
    model = engine(folder)
    assert model.translate(ENGLISH, "en", "de") == SENTENCES["de"]
    assert model.refusal("en", "es") == "the model translates to deu, not es"
    assert model.identity() == engine(folder, marian_german).identity()
    assert model.identity() != engine(folder, beam_size=1).identity()


def test_a_folder_that_is_none_says_how_to_make_one(tmp_path):
    with pytest.raises(ModelError, match=r"no model\.bin.*ct2-transformers-converter"):
        engine(tmp_path)
