import importlib.util
import json
import shutil

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from isogloss import evaluate_model, load_benchmark, open_encoder
from isogloss.cli import main
from isogloss.cli.trained import trained_from
from isogloss.encoding.debias.fitting import fit_on
from isogloss.encoding.encoder import SentenceTransformerEncoder
from isogloss.encoding.identity import passage_identity
from isogloss.errors import ModelError
from tests.conftest import write_records
from tests.encoding.embedding_server import serving


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
        found = encoder.encode(texts, side, languages=languages)
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
    said = encoder.encode(texts, "query", languages=["de", "en", "zh"])
    np.testing.assert_allclose(encoder.encode(texts, "query"), said, atol=1e-6)


def test_of_stored_vectors_the_cure_alone_is_saved(tiny_bert, corpus, tmp_path, monkeypatch):
    vectors = tmp_path / "vectors.parquet"
    with pytest.raises(SystemExit):
        main(["encode", str(tiny_bert), "--data", str(corpus), "--output", str(vectors)])
    benchmark = load_benchmark(str(corpus))
    monkeypatch.chdir(tmp_path)
    for method, more in (
        ("centre", []),
        ("shift", ["--reference", "en"]),
        ("project", ["--directions", "2"]),
    ):
        of_model = open_encoder(cured(tiny_bert, corpus, tmp_path / f"model-{method}", method, *more))
        folder = cured("vectors.parquet", corpus, tmp_path / f"vectors-{method}", method, *more)
        assert not list(folder.glob("**/*.safetensors"))
        monkeypatch.chdir("/")
        of_vectors = open_encoder(folder)
        monkeypatch.chdir(tmp_path)
        assert of_vectors.describe()["source"] == "vectors"
        for texts, languages, side in (
            (benchmark.query_texts, benchmark.query_languages, "query"),
            (benchmark.candidate_texts, benchmark.candidate_languages, "passage"),
        ):
            np.testing.assert_allclose(
                of_vectors.encode(texts, side, languages=languages),
                of_model.encode(texts, side, languages=languages),
                atol=2e-5,
            )


def test_of_an_endpoint_the_cure_alone_is_saved(corpus, tmp_path, monkeypatch):
    monkeypatch.setenv("ISOGLOSS_CACHE", str(tmp_path / "cache"))
    benchmark = load_benchmark(str(corpus))
    with serving() as server:
        name = f"openai:model@{server.url}"
        folder = cured(name, corpus, tmp_path / "cured", "centre", "--query-prompt", "q: ")
        base = open_encoder(name, query_prompt="q: ")
        cure, _ = fit_on(base, benchmark, "centre")
        expected = cure.apply(base.encode(benchmark.query_texts, "query"), benchmark.query_languages)
        encoder = open_encoder(folder)
        found = encoder.encode(benchmark.query_texts, "query", languages=benchmark.query_languages)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert encoder.describe()["query_prompt"] == "q: "


def test_results_say_what_was_fitted_on_and_which_languages_were_not(tiny_bert, corpus, tmp_path, capsys):
    other = write_records(tmp_path / "other.jsonl", items=12, first=50)
    folder = cured(tiny_bert, corpus, tmp_path / "cured", "shift", "--language", "de", "--language", "en")
    cures = {}
    for data in (corpus, other):
        arguments = [
            "evaluate",
            str(folder),
            "--data",
            str(data),
            "--output",
            str(tmp_path / f"of-{data.stem}"),
        ]
        with pytest.raises(SystemExit):
            main(arguments)
        cures[data.stem] = json.loads((tmp_path / f"of-{data.stem}" / "results.json").read_text())["model"][
            "debias"
        ]
        notes = capsys.readouterr().err
        assert "not fitted on hi, zh" in notes
        assert ("transductive" in notes) == (data == corpus)
    assert (cures["corpus"]["transductive"], cures["other"]["transductive"]) == (True, False)
    assert cures["other"]["not_fitted"] == ["hi", "zh"]
    assert cures["other"]["fitted_on"]["name"] == "corpus"


def test_no_cure_upon_a_cure(tiny_bert, corpus, tmp_path, capsys):
    folder = cured(tiny_bert, corpus, tmp_path / "cured", "project")
    with pytest.raises(SystemExit) as exit_:
        main(
            [
                "debias",
                str(folder),
                "--method",
                "centre",
                "--fit",
                str(corpus),
                "--output",
                str(tmp_path / "new"),
            ]
        )
    assert exit_.value.code == 2
    assert "has a cure already" in capsys.readouterr().err


def test_what_training_met_is_still_known_of_a_cured_model(tiny_bert, corpus, tmp_path):
    base = tmp_path / "trained"
    shutil.copytree(tiny_bert, base)
    (base / "README.md").write_text("---\nlanguage: [de, en]\n---\n", encoding="utf-8")
    (base / "recipe.toml").write_text(
        f'base = "{tiny_bert}"\ntrain = ["{corpus}"]\nplan = "x-y"\nsteps = 1\nbatch_size = 4\n',
        encoding="utf-8",
    )
    expected = trained_from(str(base), None, None)
    assert expected is not None
    found = trained_from(str(cured(base, corpus, tmp_path / "cured", "centre")), None, None)
    assert found.pairs == expected.pairs


@pytest.mark.parametrize("method", ["centre", "project"])
def test_passages_kept_on_disk_are_told_from_those_of_another_cure(tiny_bert, corpus, tmp_path, method):
    identities = [
        passage_identity(open_encoder(tiny_bert, device="cpu")),
        passage_identity(open_encoder(cured(tiny_bert, corpus, tmp_path / "one", method), device="cpu")),
    ]
    other = write_records(tmp_path / "other.jsonl", items=9)
    identities.append(
        passage_identity(open_encoder(cured(tiny_bert, other, tmp_path / "two", method), device="cpu"))
    )
    assert len(set(map(str, identities))) == 3
    shutil.move(tmp_path / "two", tmp_path / "elsewhere")
    assert passage_identity(open_encoder(tmp_path / "elsewhere", device="cpu")) == identities[2]


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
        (["--method", "shift", "--reference", "sw"], "sw is none of"),
        (["--method", "project", "--reference", "en"], "project has none"),
    ],
)
def test_bad_input_on_the_command_line(tiny_bert, corpus, tmp_path, capsys, arguments, message):
    before = sorted(tmp_path.iterdir())
    with pytest.raises(SystemExit) as exit_:
        main(["debias", str(tiny_bert), "--fit", str(corpus), "--output", str(tmp_path / "new"), *arguments])
    error = capsys.readouterr().err
    assert (exit_.value.code, message in error, "Traceback" in error) == (2, True, False), error
    assert sorted(tmp_path.iterdir()) == before
