import pytest

from isogloss.search import Searcher
from tests.serving.making import WordsEncoder, make_index


@pytest.fixture(scope="session")
def searcher(tmp_path_factory):
    index = make_index(tmp_path_factory.mktemp("integrations") / "index")
    with Searcher(index, WordsEncoder()) as searcher:
        yield searcher
