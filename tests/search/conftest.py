import pytest

from isogloss.search import IndexWriter, Passage, Searcher
from isogloss.search.folder import IndexSettings
from tests.search.encoders import WordsEncoder

TEXTS = {
    "en": [
        "water is wet",
        "fire is hot",
        "the sun is a star",
        "gold is heavy",
        "the moon is cold",
        "trees are green",
    ],
    "de": ["Wasser ist nass", "Feuer ist heiß", "die Sonne ist ein Stern", "Gold ist schwer"],
    "zh": ["水是湿的", "火是热的"],
}


def passages(texts=TEXTS):
    return [
        Passage(f"{language}-{number}", text, language, metadata={"number": number, "topic": ["a", language]})
        for language, those in texts.items()
        for number, text in enumerate(those)
    ]


def placed(those):
    return [(f"given:{number}", one) for number, one in enumerate(those, start=1)]


def settings(**changes):
    given = {
        "model": "words",
        "identity": {},
        "dimension": 0,
        "backend": "exact",
        "uri": "",
        "collection": "",
        "words": True,
    }
    return IndexSettings(**{**given, **changes})


def make_index(folder, those=None, encoder=None, **changes):
    encoder = encoder or WordsEncoder()
    with IndexWriter.create(folder, encoder, settings(**changes)) as writer:
        writer.update(placed(passages() if those is None else those), encoder)
    return encoder


@pytest.fixture
def index(tmp_path):
    make_index(tmp_path / "index")
    return tmp_path / "index"


@pytest.fixture
def searcher(index):
    with Searcher(index, WordsEncoder()) as searcher:
        yield searcher
