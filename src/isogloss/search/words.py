"""Words for BM25: stems in the languages that have a stemmer, pairs of characters where a script writes no spaces."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import regex

from isogloss.errors import ModelError

# Scripts without spaces between words; pairs of characters find there about what a dictionary would, and need none.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー々"
_WRITTEN = r"\p{L}\p{M}\p{N}_"
_TOKEN = regex.compile(rf"[{_UNSPACED}]+|[{_WRITTEN}--{_UNSPACED}]+", regex.V1)
_IS_UNSPACED = regex.compile(rf"[{_UNSPACED}]", regex.V1)
# Marks of vowels, which most writers of Arabic and Hebrew leave out.
_POINTS = regex.compile(r"[\u0591-\u05c7\u064b-\u065f\u0670\u0640]")
_STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish", "fr": "french",
    "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian",
    "lt": "lithuanian", "ne": "nepali", "nl": "dutch", "no": "norwegian", "nb": "norwegian", "nn": "norwegian",
    "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish",
    "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
LONGEST_WORD = 64
"""Characters; what is longer is no word that anyone asks for."""


def words_of(text: str, language: str) -> list[str]:
    """Split a text into the words that BM25 counts.

    Args:
        text: any text.
        language: its language; one without a stemmer keeps its words as they are written.

    Returns:
        The words in order, without regard to letter case and Unicode form.

    Raises:
        ModelError: the stemmers are not installed.
    """
    stem = _stemmer(language.split("-")[0])
    return [word for token in _tokens(text) for word in _of_token(token, stem)]


def question_words(text: str, languages: Iterable[str]) -> list[str]:
    """List the words that a question asks for in passages of several languages: each word's stem in each of them.

    Args:
        text: the question.
        languages: the languages of the passages, and the question's own.

    Returns:
        Distinct words, in order of first appearance.

    Raises:
        ModelError: the stemmers are not installed.
    """
    stemmers = {one: _stemmer(one) for one in sorted({language.split("-")[0] for language in languages})}
    found: dict[str, None] = {}
    for token in _tokens(text):
        for stem in stemmers.values():
            for word in _of_token(token, stem):
                found[word] = None
    return list(found)


def _tokens(text: str) -> list[str]:
    plain = _POINTS.sub("", unicodedata.normalize("NFKC", text)).casefold()
    return [
        token for token in _TOKEN.findall(plain) if len(token) <= LONGEST_WORD or _IS_UNSPACED.match(token)
    ]


def _of_token(token: str, stem: Any) -> list[str]:
    if _IS_UNSPACED.match(token):
        return [token[at : at + 2] for at in range(len(token) - 1)] or [token]
    return [token if stem is None else str(stem.stemWord(token)) or token]


@lru_cache(maxsize=64)
def _stemmer(language: str) -> Any:
    try:
        import Stemmer
    except ImportError as error:
        raise ModelError(
            "search by words needs stemmers: pip install 'isogloss[search]', or leave it out with --no-words"
        ) from error
    name = _STEMMERS.get(language)
    return Stemmer.Stemmer(name) if name in Stemmer.algorithms() else None
