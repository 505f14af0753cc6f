"""A text's sentences and what stands between them, so that they can be put together again in another language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from isogloss.errors import RecipeError

_LINE_BREAK = re.compile(r"(\s*[\n\r\x0b\x0c\x85\u2028\u2029]\s*)")
_LIST_MARK = re.compile(r"(?:[-*+•‣▪●○·–—]|\d{1,3}[.)])\s+")
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.)\S+|[^\s@]+@[^\s@]+\.[a-z]+", re.IGNORECASE)
_UNSPACED = frozenset(("zh", "ja", "yue", "wuu", "nan", "hak", "gan", "hsn", "cmn", "lzh"))
"""Written without a space between sentences."""


class Sentences(NamedTuple):
    """A text in parts.

    Attributes:
        texts: the sentences, without white space around them; each has a letter.
        between: what stands before, between and after them, one more than there are sentences; put together in turn,
            they are the text.
    """

    texts: tuple[str, ...]
    between: tuple[str, ...]


def split_sentences(text: str, language: str) -> Sentences:
    """Split a text into sentences.

    Lines are split each by itself: a sentence never runs over the end of a line. What has no letter (numbers, rules),
    web and mail addresses that stand alone, and marks of list items are no sentences, but stand between them.

    Args:
        text: any text.
        language: its BCP-47 code; abbreviations differ from language to language.

    Raises:
        RecipeError: the package that knows where sentences end is not installed.
    """
    try:
        from sentencex import segment
    except ImportError as error:
        raise RecipeError(
            "translation needs the package sentencex: pip install 'isogloss[translate]'"
        ) from error
    code = language.split("-")[0]
    texts: list[str] = []
    between = [""]
    for number, line in enumerate(_LINE_BREAK.split(text)):
        if number % 2:
            between[-1] += line
            continue
        if mark := _LIST_MARK.match(line):
            between[-1] += mark[0]
            line = line[mark.end() :]
        parts = segment(code, line)
        for part in parts if "".join(parts) == line else [line]:
            sentence = part.strip()
            if not is_translatable(sentence):
                between[-1] += part
                continue
            start = part.index(sentence)
            between[-1] += part[:start]
            texts.append(sentence)
            between.append(part[start + len(sentence) :])
    return Sentences(tuple(texts), tuple(between))


def join_sentences(sentences: Sequence[str], between: Sequence[str], source: str, target: str) -> str:
    """Put translated sentences together.

    What stood between the sentences stands there again. Only a single space goes where the target is written without
    one (Chinese, Japanese), and comes where the source is.

    Args:
        sentences: the translations, in the order of `Sentences.texts`.
        between: `Sentences.between`.
        source: the language translated from.
        target: the language translated to.
    """
    left, come = " ", " "
    if is_unspaced(source) == is_unspaced(target):
        left = come = ""
    elif is_unspaced(target):
        come = ""
    else:
        left = ""
    parts = [between[0]]
    for number, (sentence, after) in enumerate(zip(sentences, between[1:], strict=True), start=1):
        parts.append(sentence)
        if number < len(sentences) and after == left:
            after = come
        parts.append(after)
    return "".join(parts)


def is_unspaced(language: str) -> bool:
    """Whether a language is written without spaces between sentences."""
    return language.split("-")[0] in _UNSPACED


def is_translatable(sentence: str) -> bool:
    """Whether there is anything to translate: a letter, in something that is no web or mail address."""
    return any(map(str.isalpha, sentence)) and not _ADDRESS.fullmatch(sentence)
