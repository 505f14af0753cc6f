import importlib.util
import json

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from isogloss import evaluate_model, load_benchmark, open_encoder
from isogloss.cli import main
from isogloss.encoding.debias.fitting import fit_on
from isogloss.encoding.encoder import SentenceTransformerEncoder
from isogloss.errors import ModelError
from tests.conftest import write_records


@pytest.fixture
def corpus(tmp_path):
    return write_records(tmp_path / "corpus.jsonl", items=12)


def cured(base, corpus, output, method, *more):
    """What the command makes."""
    arguments = ["--method", method, "--fit", corpus, "--output", output, *more]
    with pytest.raises(SystemExit) as exit_:
        main(["debias", str(base), *map(str, arguments)])
    assert not exit_.value.code
    return output


@pytest.mark.parametrize("method", ["centre", "shift", "project"])
def test_a_folder_gives_the_vectors_of_the_cure(tiny_bert, corpus, tmp_path, method):
    folder = cured(tiny_bert, corpus, tmp_path / "cured", method, "--query-prompt", "q: ")
    base = SentenceTransformerEncoder.load(tiny_bert, query_prompt="q: ", device="cpu")
    benchmark = load_benchmark(str(corpus))
    cure, fitted_on = fit_on(base, benchmark, method)
    encoder = open_encoder(folder, device="cpu")
    for side, texts, languages in (
        ("query", benchmark.query_texts, benchmark.query_languages),
        ("passage", benchmark.candidate_texts, benchmark.candidate_languages),
    ):
        expected = cure.apply(base.encode(texts, side), languages)
        found = encoder.encode_in_languages(texts, languages, side)
        np.testing.assert_allclose(found, expected, atol=2e-5)
    described = encoder.describe()
    assert described["debias"]["fitted_on"] == fitted_on
    assert (described["name"], described["query_prompt"], described["debias"]["method"]) == (
        str(folder),
        "q: ",
        method,
    )
    assert method in (folder / "README.md").read_text(encoding="utf-8")
    # The whole evaluation says each text's language.
    evaluation, encoded = evaluate_model(encoder, benchmark)
    np.testing.assert_allclose(encoded.candidate_vectors[encoded.candidate_index], expected, atol=2e-5)
    assert evaluation.settings["multi"].summaries["map"].mean is not None


def test_project_is_a_plain_model_and_the_others_are_not_taken_for_one(tiny_bert, corpus, tmp_path):
    folder = cured(tiny_bert, corpus, tmp_path / "project", "project", "--directions", 2)
    plain = SentenceTransformer(str(folder), device="cpu")
    texts = ["was ist das?", "पानी"]
    np.testing.assert_allclose(
        plain.encode(texts), open_encoder(folder, device="cpu").encode(texts, "passage"), atol=1e-5
    )
    assert json.loads((folder / "debias.json").read_text())["directions"] == 2
    centred = cured(tiny_bert, corpus, tmp_path / "centre", "centre")
    with pytest.raises(Exception, match=r".*"):
        SentenceTransformer(str(centred), device="cpu", local_files_only=True)
    SentenceTransformer(str(centred / "base"), device="cpu")


def test_a_text_in_two_languages_is_two_texts(tiny_bert, corpus, tmp_path):
    encoder = open_encoder(cured(tiny_bert, corpus, tmp_path / "cured", "shift"), device="cpu")
    from isogloss.encoding.encoder import encode_distinct

    vectors, rows = encode_distinct(encoder, ["ja", "ja", "ja"], "query", languages=["de", "en", "de"])
    assert (len(vectors), rows.tolist()) == (2, [0, 1, 0])
    assert not np.allclose(vectors[0], vectors[1])
    plain = SentenceTransformerEncoder.load(tiny_bert, device="cpu")
    assert len(encode_distinct(plain, ["ja", "ja"], "query", languages=["de", "en"])[0]) == 1


@pytest.mark.skipif(importlib.util.find_spec("py3langid") is None, reason="needs the extra detect")
def test_languages_are_detected_where_nobody_says_them(tiny_bert, corpus, tmp_path):
    encoder = open_encoder(cured(tiny_bert, corpus, tmp_path / "cured", "shift"), device="cpu")
    texts = [
        "Wie viele Menschen wohnen in dieser Stadt?",
        "How many people live in this city?",
        "这座城市有多少人口？",
    ]
    said = encoder.encode_in_languages(texts, ["de", "en", "zh"], "query")
    np.testing.assert_allclose(encoder.encode(texts, "query"), said, atol=1e-6)


@pytest.mark.parametrize("damage", ["record", "means", "format"])
def test_a_broken_folder(tiny_bert, corpus, tmp_path, damage):
    folder = cured(tiny_bert, corpus, tmp_path / "cured", "centre")
    if damage == "means":
        np.save(folder / "debias-means.npy", np.zeros((2, 3)))
    else:
        (folder / "debias.json").write_text(
            "[]" if damage == "record" else '{"format": 9, "method": "centre"}'
        )
    with pytest.raises(ModelError, match="anew"):
        open_encoder(folder)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "rotate"], "give one of centre, shift, project"),
        (["--method", "centre", "--directions", "1"], "project alone"),
        (["--method", "project", "--directions", "9"], "1 to 3"),
        (["--method", "shift", "--language", "de"], "de alone"),
    ],
)
def test_bad_input_on_the_command_line(tiny_bert, corpus, tmp_path, capsys, arguments, message):
    before = sorted(tmp_path.iterdir())
    with pytest.raises(SystemExit) as exit_:
        main(["debias", str(tiny_bert), "--fit", str(corpus), "--output", str(tmp_path / "new"), *arguments])
    error = capsys.readouterr().err
    assert (exit_.value.code, message in error, "Traceback" in error) == (2, True, False), error
    assert sorted(tmp_path.iterdir()) == before
