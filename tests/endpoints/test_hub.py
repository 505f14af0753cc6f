import socket
import threading
import time

import pytest
from huggingface_hub import constants

from isogloss.endpoints import hub
from isogloss.endpoints.hub import hub_is_reachable, only_here


@pytest.fixture(autouse=True)
def on_line(monkeypatch):
    """The hub's client is not told to stay off-line, and no proxy is set."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server():
    """The address of something on this machine that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def nobody(server):
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    return f"127.0.0.1:{port}"


def test_a_hub_that_takes_connections(server, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", f"http://{server}")
    assert hub_is_reachable()
    assert not only_here("some/model")


def test_a_hub_that_is_not_there(nobody, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", f"http://{nobody}")
    assert not hub_is_reachable()
    assert only_here("some/model")


def test_the_proxy_is_asked_where_there_is_one(server, nobody, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", f"https://{nobody}")
    monkeypatch.setenv("https_proxy", f"http://{server}")
    assert hub_is_reachable()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert not hub_is_reachable()


def test_nobody_is_asked_where_the_hub_is_switched_off_or_the_model_is_a_folder(
    server, monkeypatch, tmp_path
):
    monkeypatch.setattr(constants, "ENDPOINT", f"http://{server}")

    def refuse(*_, **__):
        raise AssertionError("a connection was made")

    monkeypatch.setattr(hub, "threading", refuse)
    assert only_here(tmp_path)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert only_here("some/model")


def test_an_address_that_is_looked_up_for_ever(monkeypatch):
    waiting = threading.Event()
    monkeypatch.setattr(hub, "SECONDS", 0.2)

    def look_up(*_, **__):
        waiting.wait(60)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", look_up)
    began = time.perf_counter()
    assert not hub_is_reachable()
    assert time.perf_counter() - began < 5
    waiting.set()
