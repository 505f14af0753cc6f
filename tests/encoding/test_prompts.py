"""Which prompts a model gets."""

from __future__ import annotations

import pytest

from isogloss.encoding.prompts import Prompts, known_prompts, saved_prompts

E5 = Prompts("query: ", "passage: ")


@pytest.mark.parametrize(
    "name",
    [
        "multilingual-e5-small",
        "intfloat/multilingual-e5-small",
        "intfloat/multilingual-e5-large",
        "intfloat/e5-base-v2",
        "intfloat/e5-large-unsupervised",
        "/models/multilingual-e5-base",
    ],
)
def test_the_e5_family(name):
    assert known_prompts(name) == E5


@pytest.mark.parametrize(
    "name",
    [
        "intfloat/multilingual-e5-large-instruct",
        "intfloat/e5-mistral-7b-instruct",
        "FacebookAI/xlm-roberta-base",
        "someone/my-e5-small-finetuned",
        "someone/size5-small",
        "",
    ],
)
def test_other_models_get_none(name):
    assert known_prompts(name) == Prompts("", "")


@pytest.mark.parametrize(
    ("saved", "expected"),
    [
        ({"query": "query: ", "document": "passage: "}, E5),
        ({"query": "query: ", "passage": "passage: "}, E5),
        ({"query": "query: ", "corpus": "passage: "}, E5),
        ({"query": "query: ", "document": "", "passage": "passage: "}, E5),
        ({"document": "d ", "passage": "p ", "corpus": "c "}, Prompts("", "d ")),
        ({"query": "ask: "}, Prompts("ask: ", "")),
        ({"query": "", "document": ""}, None),
        ({"clustering": "cluster: "}, None),
        ({}, None),
    ],
)
def test_saved_prompts(saved, expected):
    assert saved_prompts(saved) == expected
