import pytest

from isogloss.search import Searcher
from tests.serving.making import WordsEncoder, client, make_index, running

pytest.importorskip("fastapi", reason="needs isogloss[serve]")


@pytest.fixture(scope="session")
def index(tmp_path_factory):
    return make_index(tmp_path_factory.mktemp("serving") / "secret-place" / "index")


@pytest.fixture
def searcher(index):
    with Searcher(index, WordsEncoder()) as searcher:
        yield searcher


@pytest.fixture(scope="module")
def server(index):
    """A server with the defaults, for tests that do not mind each other."""
    with Searcher(index, WordsEncoder()) as searcher, running(searcher) as server:
        yield server


@pytest.fixture
def http(server):
    with client(server) as http:
        yield http
