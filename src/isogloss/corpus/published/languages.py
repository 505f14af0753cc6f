"""Which language a file of a published form is in: its own words for it, or what the user says."""

from __future__ import annotations

import re
from pathlib import Path

from isogloss.corpus.languages import is_language, standard_language
from isogloss.corpus.published.reading import ReadOptions
from isogloss.errors import CorpusError

NAMES = {
    "arabic": "ar",
    "bengali": "bn",
    "chinese": "zh",
    "dutch": "nl",
    "english": "en",
    "finnish": "fi",
    "french": "fr",
    "german": "de",
    "hindi": "hi",
    "indonesian": "id",
    "italian": "it",
    "japanese": "ja",
    "korean": "ko",
    "persian": "fa",
    "portuguese": "pt",
    "russian": "ru",
    "spanish": "es",
    "swahili": "sw",
    "telugu": "te",
    "thai": "th",
    "vietnamese": "vi",
    "yoruba": "yo",
}
"""The names by which mMARCO, Mr. TyDi and TyDi QA call languages."""

_WORDS = re.compile(r"[a-z]+")


def named_language(text: str) -> str | None:
    """The language whose English name stands in a text."""
    return next((NAMES[word] for word in _WORDS.findall(text.lower()) if word in NAMES), None)


def coded_language(code: str | None) -> str | None:
    """The standard form of a code, None where it is none."""
    return standard_language(code) if code and is_language(code) else None


def chosen_language(
    options: ReadOptions, where: Path, told: str | None, usual: str | None = None
) -> str | None:
    """The language to read a file in, None where it is not to be read.

    Args:
        options: with the languages that the user names.
        where: the file.
        told: the language that the file tells.
        usual: the one of the form, where files tell none and the user names none.

    Raises:
        CorpusError: no one tells it.
    """
    if told is not None:
        return told if not options.languages or told in options.languages else None
    if len(options.languages) == 1:
        return options.languages[0]
    if options.languages or usual is None:
        raise CorpusError(
            f"{where}: does not tell its language; say it with one --language, such as --language en"
        )
    return usual
