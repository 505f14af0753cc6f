import shutil

import pytest
import torch

from isogloss.encoding.debias.encoder import DebiasedEncoder
from isogloss.encoding.encoder import SentenceTransformerEncoder
from isogloss.encoding.identity import passage_identity


def identity(model, **options):
    return passage_identity(SentenceTransformerEncoder.load(model, device="cpu", **options))


def test_the_same_model_under_another_name(tmp_path, tiny_bert):
    shutil.copytree(tiny_bert, tmp_path / "elsewhere")
    assert identity(tiny_bert) == identity(tmp_path / "elsewhere")
    assert identity(tiny_bert)["precision"] == "float32"


def test_a_query_prompt_or_a_token_budget_changes_no_passage(tiny_bert):
    assert identity(tiny_bert) == identity(tiny_bert, query_prompt="query: ", token_budget=64)


@pytest.mark.parametrize("options", [{"passage_prompt": "passage: "}, {"max_length": 12}])
def test_what_changes_vectors_changes_the_identity(tiny_bert, options):
    assert identity(tiny_bert) != identity(tiny_bert, **options)


def test_weights_and_precision(tiny_bert, tiny_xlm_roberta):
    encoder = SentenceTransformerEncoder.load(tiny_bert, device="cpu")
    before = passage_identity(encoder)
    assert identity(tiny_xlm_roberta)["weights"] != before["weights"]
    with torch.no_grad():
        next(encoder.model.parameters()).view(-1)[5] += 1e-6
    assert passage_identity(encoder)["weights"] != before["weights"]
    narrow = SentenceTransformerEncoder.load(tiny_bert, device="cpu", precision="bfloat16")
    assert passage_identity(narrow) == {**before, "precision": "bfloat16"}


def test_a_cure_in_the_model_itself_is_told_by_the_weights(tiny_bert):
    base = SentenceTransformerEncoder.load(tiny_bert, device="cpu")
    cured = DebiasedEncoder(base, None, "anywhere", {"method": "project"})
    assert passage_identity(cured) == {**passage_identity(base), "cure": None}
