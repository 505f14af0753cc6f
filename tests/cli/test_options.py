"""What several commands share."""

import pytest

from isogloss.encoding import opening
from isogloss.errors import ModelError

LENGTHS = {"max_length": 32, "precision": "bfloat16", "device": "cpu"}
PROMPTS = {"query_prompt": "q: ", "passage_prompt": "p: "}
BUDGET = {"token_budget": 512}


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["audit", "m"], {**PROMPTS, **LENGTHS}),
        (["encode", "m", "--data", "sample:dev", "--output", "v.parquet"], {**PROMPTS, **LENGTHS, **BUDGET}),
        (["evaluate", "m", "--data", "sample:dev"], {**PROMPTS, **LENGTHS, **BUDGET}),
        (["index", "m", "sample:dev", "--output", "i"], {**PROMPTS, **LENGTHS, **BUDGET}),
        (
            ["data", "mine", "sample:dev", "--model", "m", "--output", "c.jsonl"],
            {**PROMPTS, **LENGTHS, **BUDGET},
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_model_is_opened_with_all_options_of_the_command(run, words, options, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    opened = []

    def open_encoder(model, **given):
        opened.append((model, given))
        raise ModelError("opened")

    monkeypatch.setattr(opening, "open_encoder", open_encoder)
    given = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
    code, _, error = run(*words, *given)
    assert (code, opened) == (2, [("m", options)]), error
    assert error == "error: opened\n"
