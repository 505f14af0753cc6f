import importlib.util
import sys

import numpy as np
import pytest

from isogloss.cleaning.language_rule import Judgement, LanguageDetector
from isogloss.corpus import read_corpus
from isogloss.encoding import language_detection
from isogloss.errors import RecipeError

needs_detector = pytest.mark.skipif(
    importlib.util.find_spec("py3langid") is None, reason="needs the extra detect"
)

ENGLISH = "The river carries heavy boats down to the sea, and the old clocks tell people the time."
GERMAN = "Der Fluss trägt schwere Boote hinab zum Meer, und die alten Uhren sagen den Menschen die Zeit."


def judge(query, passage, language, **options):
    detector = LanguageDetector(options.get("confidence", 0.8), options.get("least", 40))
    letters = [np.array([sum(map(str.isalpha, text))]) for text in (query, passage)]
    return detector.judge([query], [passage], [language], *letters)[0]


@needs_detector
@pytest.mark.parametrize(
    ("query", "passage", "language", "found"),
    [
        (ENGLISH, ENGLISH, "en", None),
        (GERMAN, GERMAN, "en", "de"),
        (GERMAN, GERMAN, "de-CH", None),
        ("Was?", GERMAN, "en", "de"),
        ("Was?", "Boote.", "en", None),
        # The letters of both suffice.
        ("Warum trägt der Fluss die Boote?", "Weil das Wasser sie trägt.", "en", "de"),
        # Nobody knows Klingon.
        (GERMAN, GERMAN, "tlh", None),
    ],
)
def test_worked_cases(query, passage, language, found):
    judgement = judge(query, passage, language)
    assert judgement.language == found
    assert judgement == Judgement() if found is None else judgement.agreed and judgement.probability >= 0.8


@needs_detector
def test_query_and_passage_that_disagree():
    assert not judge(ENGLISH, GERMAN, "en").agreed
    assert judge(ENGLISH, GERMAN, "en").language == "de"
    assert judge(GERMAN, ENGLISH, "en") == Judgement("de", judge(GERMAN, ENGLISH, "en").probability, False)


@needs_detector
def test_languages_that_look_alike_are_left_alone():
    czech = "Řeka nese těžké lodě k moři a staré hodiny říkají lidem, kolik je hodin."
    assert judge(czech, czech, "en").language == "cs"
    assert judge(czech, czech, "sk").language is None


@needs_detector
def test_the_sample_is_in_the_languages_that_it_says():
    versions = list(read_corpus("sample:train").versions())[::5]
    for version in versions:
        assert judge(version.query, version.passage, version.language).language is None


def test_without_the_detector(monkeypatch):
    monkeypatch.setitem(sys.modules, "py3langid.langid", None)
    language_detection._identifier.cache_clear()
    with pytest.raises(RecipeError, match=r"isogloss\[detect\].*--mismatched keep"):
        LanguageDetector(0.8, 40)
