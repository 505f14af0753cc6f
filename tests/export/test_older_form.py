"""Folders that sentence-transformers before version 6 reads: here version 6 reads them too."""

import json

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

from isogloss.export.older_form import write_older_form

OLD_KEYS = {
    "word_embedding_dimension",
    "include_prompt",
    *(
        f"pooling_mode_{mode}"
        for mode in (
            "cls_token max_tokens mean_tokens mean_sqrt_len_tokens weightedmean_tokens lasttoken".split()
        )
    ),
}


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("mode", ["cls", "mean", "max", "lasttoken", ("cls", "mean")])
def test_the_vectors_stay_the_same(tiny_bert, tmp_path, mode):
    torch.manual_seed(1)
    pooling = Pooling(32, pooling_mode=mode, include_prompt=False)
    size = pooling.get_embedding_dimension()
    model = SentenceTransformer(
        modules=[Transformer(str(tiny_bert)), pooling, Dense(size, 8), Normalize()], device="cpu"
    )
    model.save(str(tmp_path / "m"))
    texts = ["gold feuer", "was ist das?", ""]
    expected = model.encode(texts, prompt="p: ")
    write_older_form(tmp_path / "m", 40)
    found = SentenceTransformer(str(tmp_path / "m"), device="cpu")
    assert found.max_seq_length == 40
    np.testing.assert_allclose(found.encode(texts, prompt="p: "), expected, atol=1e-6)
    settings = read(tmp_path / "m" / "1_Pooling" / "config.json")
    assert set(settings) == OLD_KEYS
    assert sum(settings[key] for key in OLD_KEYS if key.startswith("pooling_mode")) == (
        1 if isinstance(mode, str) else 2
    )
    assert set(read(tmp_path / "m" / "2_Dense" / "config.json")) == {
        "in_features", "out_features", "bias", "activation_function",
    }  # fmt: skip
    assert [one["type"] for one in read(tmp_path / "m" / "modules.json")] == [
        f"sentence_transformers.models.{kind}" for kind in ("Transformer", "Pooling", "Dense", "Normalize")
    ]


def test_what_the_older_form_cannot_say_is_kept(tiny_bert, tmp_path):
    pooling = Pooling(32, pooling_mode=("mean", "cls"))
    model = SentenceTransformer(modules=[Transformer(str(tiny_bert)), pooling], device="cpu")
    model.save(str(tmp_path / "m"))
    write_older_form(tmp_path / "m", None)
    assert read(tmp_path / "m" / "1_Pooling" / "config.json")["pooling_mode"] == ["mean", "cls"]
    found = SentenceTransformer(str(tmp_path / "m"), device="cpu")
    np.testing.assert_allclose(found.encode(["gold"]), model.encode(["gold"]), atol=1e-6)
