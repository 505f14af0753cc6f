"""What a model argument means, and that a model on this machine is loaded without a network."""

from __future__ import annotations

import json
import socket
import time

import pytest
from huggingface_hub import constants

from isogloss.encoding.loading import load_sentence_transformer, model_cache, prompts_of, resolve_model
from isogloss.encoding.prompts import Prompts
from isogloss.encoding.token_counts import token_counter
from isogloss.errors import ModelError


@pytest.fixture
def no_network(monkeypatch):
    """Any attempt to reach another machine fails the test; the hub's own offline switch is off."""
    for variable in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    attempts = []

    def refuse(*arguments, **_):
        attempts.append(arguments)
        raise OSError("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    yield
    assert not attempts


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("ISOGLOSS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


def test_a_model_folder(tiny_bert, monkeypatch):
    assert resolve_model(tiny_bert) == str(tiny_bert)
    monkeypatch.chdir(tiny_bert.parent)
    assert resolve_model(tiny_bert.name) == str(tiny_bert)
    assert resolve_model(f"./{tiny_bert.name}/") == str(tiny_bert)


def test_a_folder_in_the_home_folder(tiny_bert, monkeypatch):
    monkeypatch.setenv("HOME", str(tiny_bert.parent))
    assert resolve_model(f"~/{tiny_bert.name}") == str(tiny_bert)


def test_a_folder_that_is_no_model(tmp_path):
    (tmp_path / "notes.txt").write_text("no model")
    with pytest.raises(ModelError, match=r"holds no model \(none of modules\.json, config\.json"):
        resolve_model(tmp_path)


@pytest.mark.parametrize("name", ["/no/such/model", "./none", "../none", "~/none", "a/b/c", "a\\b"])
def test_a_missing_path(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ModelError, match="no such model folder"):
        resolve_model(name)


@pytest.mark.parametrize("name", ["", " "])
def test_an_empty_name_is_not_the_current_folder(name, tiny_bert, monkeypatch):
    monkeypatch.chdir(tiny_bert)
    with pytest.raises(ModelError, match="name is empty"):
        resolve_model(name)


def test_a_file(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"")
    with pytest.raises(ModelError, match="not a folder"):
        resolve_model(path)


@pytest.mark.parametrize("name", ["xlm-roberta-base", "intfloat/multilingual-e5-small"])
def test_a_hub_name_is_left_as_it_is(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert resolve_model(name) == name


def test_an_offline_model_that_was_not_made(cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="isogloss model fetch multilingual-e5-small"):
        resolve_model("multilingual-e5-small")


def test_an_offline_model_that_was_made(cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = cache / "multilingual-e5-small"
    folder.mkdir(parents=True)
    (folder / "modules.json").write_text("[]")
    assert resolve_model("multilingual-e5-small") == str(folder)


def test_where_the_cache_lies(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ISOGLOSS_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert model_cache() == tmp_path / "home" / ".cache" / "isogloss" / "models"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert model_cache() == tmp_path / "xdg" / "isogloss" / "models"
    monkeypatch.setenv("ISOGLOSS_CACHE", str(tmp_path / "own"))
    assert model_cache() == tmp_path / "own" / "models"


@pytest.mark.parametrize("kind", ["tiny_bert", "tiny_xlm_roberta"])
@pytest.mark.usefixtures("no_network")
def test_a_local_folder_needs_no_network(kind, request):
    model = load_sentence_transformer(request.getfixturevalue(kind), device="cpu")
    assert model.encode(["das ist gold"]).shape == (1, 32)


@pytest.mark.usefixtures("no_network")
def test_a_saved_sentence_transformer_needs_no_network(tiny_bert, tmp_path):
    load_sentence_transformer(tiny_bert, device="cpu").save(str(tmp_path / "saved"))
    model = load_sentence_transformer(tmp_path / "saved", device="cpu")
    assert model.encode(["das ist gold"]).shape == (1, 32)


@pytest.mark.usefixtures("no_network")
def test_a_folder_without_weights(tiny_bert, tmp_path):
    (tmp_path / "config.json").write_text((tiny_bert / "config.json").read_text())
    with pytest.raises(ModelError, match=r"cannot load the model: .*complete sentence-transformers"):
        load_sentence_transformer(tmp_path)


@pytest.mark.usefixtures("no_network")
def test_a_folder_with_a_broken_configuration(tmp_path):
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelError, match="cannot load the model"):
        load_sentence_transformer(tmp_path)


@pytest.mark.parametrize("load", [load_sentence_transformer, token_counter])
def test_a_mistyped_name_without_a_network_is_said_at_once(load, monkeypatch, tmp_path):
    import sentence_transformers  # noqa: F401 - not to be timed

    def refuse(*_, **__):
        raise OSError("no network")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    began = time.perf_counter()
    with pytest.raises(ModelError, match="multilingual-e5-smal: cannot load the") as caught:
        load("multilingual-e5-smal")
    assert time.perf_counter() - began < 10
    if load is load_sentence_transformer:
        assert "the hub, https://huggingface.co, is not reached: check the name or the network" in str(
            caught.value
        )


@pytest.fixture
def model_with_prompts(tiny_bert, tmp_path):
    """A saved model, loaded, whose configuration holds the given prompts."""

    def make(prompts: dict[str, str]):
        folder = tmp_path / "prompted"
        load_sentence_transformer(tiny_bert, device="cpu").save(str(folder))
        path = folder / "config_sentence_transformers.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "prompts": prompts}))
        return load_sentence_transformer(folder, device="cpu")

    return make


def test_prompts_saved_with_the_model_come_before_its_family(model_with_prompts):
    model = model_with_prompts({"query": "ask: ", "document": "say: "})
    assert prompts_of(model, "intfloat/e5-small") == Prompts("ask: ", "say: ")


def test_prompts_of_the_family(model_with_prompts):
    model = model_with_prompts({})
    assert prompts_of(model, "intfloat/e5-small") == Prompts("query: ", "passage: ")
    assert prompts_of(model, "another") == Prompts("", "")


def test_prompts_that_are_given_come_first_and_may_be_empty(model_with_prompts):
    model = model_with_prompts({"query": "ask: ", "document": "say: "})
    assert prompts_of(model, "m", query_prompt="", passage_prompt="p ") == Prompts("", "p ")
    assert prompts_of(model, "m", query_prompt="q ") == Prompts("q ", "say: ")
