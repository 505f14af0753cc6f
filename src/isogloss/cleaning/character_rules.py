"""Rules that look at the characters of one text: too short, few letters, another script, repetition, markup."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import langcodes
import numpy as np
from numpy.typing import NDArray

from isogloss.cleaning.characters import (
    KEPT,
    LETTER,
    SPACELESS,
    TextArray,
    character_tables,
    flags_of,
    raw_characters,
    scripts_of,
    sums,
)
from isogloss.cleaning.hashing import mixed, units, windows
from isogloss.cleaning.options import CleaningOptions

_MARKUP = re.compile(r"https?://\S+|www\.\S+|</?[A-Za-z!][^<>\n]{0,200}>|&#?\w{2,8};")
_PLAIN_SPACE = np.zeros(162, np.bool_)
_PLAIN_SPACE[[9, 10, 13, 32, 160]] = True
_RUN, _SPACELESS_RUN = 4, 12
# Fewer runs than this say nothing about repetition.
_FEWEST_RUNS = 10

_SCRIPT_NAMES = {
    "Jpan": ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"),
    "Kore": ("HANGUL", "CJK"),
    "Hans": ("CJK",), "Hant": ("CJK",), "Hani": ("CJK",),
    "Latn": ("LATIN",), "Cyrl": ("CYRILLIC",), "Arab": ("ARABIC",), "Grek": ("GREEK",), "Deva": ("DEVANAGARI",),
    "Hebr": ("HEBREW",), "Thai": ("THAI",), "Beng": ("BENGALI",), "Taml": ("TAMIL",), "Telu": ("TELUGU",),
    "Gujr": ("GUJARATI",), "Guru": ("GURMUKHI",), "Knda": ("KANNADA",), "Mlym": ("MALAYALAM",), "Orya": ("ORIYA",),
    "Sinh": ("SINHALA",), "Khmr": ("KHMER",), "Laoo": ("LAO",), "Mymr": ("MYANMAR",), "Geor": ("GEORGIAN",),
    "Armn": ("ARMENIAN",), "Ethi": ("ETHIOPIC",), "Tibt": ("TIBETAN",),
}  # fmt: skip
# Languages in use in two scripts, whatever their code says.
_BOTH = {
    "sr": ("LATIN", "CYRILLIC"), "bs": ("LATIN", "CYRILLIC"), "uz": ("LATIN", "CYRILLIC"),
    "kk": ("LATIN", "CYRILLIC", "ARABIC"), "az": ("LATIN", "CYRILLIC", "ARABIC"), "mn": ("CYRILLIC", "MONGOLIAN"),
    "ku": ("LATIN", "ARABIC"), "pa": ("GURMUKHI", "ARABIC"), "sd": ("ARABIC", "DEVANAGARI"),
    "tt": ("LATIN", "CYRILLIC"),
    "ms": ("LATIN", "ARABIC"), "ha": ("LATIN", "ARABIC"), "ug": ("ARABIC", "CYRILLIC", "LATIN"),
}  # fmt: skip


@dataclass(frozen=True)
class CharacterFigures:
    """What the rules look at, an entry a text.

    Attributes:
        letters: how many letters and marks, int64.
        kept: how many letters, marks and digits, int64.
        visible: how many characters that are no white space, int64.
        repeated: the longest row of one character, int64.
        repetition: share of runs of words that came before, float64.
        markup: share of the characters in addresses, tags and entities, float64.
    """

    letters: NDArray[np.int64]
    kept: NDArray[np.int64]
    visible: NDArray[np.int64]
    repeated: NDArray[np.int64]
    repetition: NDArray[np.float64]
    markup: NDArray[np.float64]


def character_figures(texts: Sequence[str], characters: TextArray) -> CharacterFigures:
    """Measure texts.

    Args:
        texts: the texts.
        characters: the same as `comparable_characters` gives them.
    """
    raw = raw_characters(texts)
    flags = flags_of(raw.values)
    return CharacterFigures(
        letters=sums((flags & LETTER) != 0, raw.starts),
        kept=sums((flags & KEPT) != 0, raw.starts),
        # What lies above the table is taken for its last entry.
        visible=sums(~_PLAIN_SPACE.take(raw.values, mode="clip"), raw.starts),
        repeated=_longest_rows(raw),
        repetition=_repetition(units(characters), characters),
        markup=np.array([_markup_share(text) for text in texts], np.float64),
    )


def script_shares(texts: Sequence[str], languages: Sequence[str]) -> NDArray[np.float64]:
    """The share of each text's letters that are of its language's scripts; 1 where either is not known."""
    raw = raw_characters(texts)
    scripts = scripts_of(raw.values)
    letters = sums(scripts != 0, raw.starts)
    shares = np.ones(len(texts))
    of_language = np.array(languages)
    for language in dict.fromkeys(languages):
        expected = _expected_scripts(language)
        if expected is None:
            continue
        mine = of_language == language
        fitting = sums(expected[scripts], raw.starts)
        judged = mine & (letters > 0)
        shares[judged] = fitting[judged] / letters[judged]
    return shares


def character_verdict(
    query: CharacterFigures,
    passage: CharacterFigures,
    scripts: NDArray[np.float64],
    options: CleaningOptions,
) -> dict[str, tuple[NDArray[np.bool_], NDArray[np.float64]]]:
    """Which records break which rule, and with which value, by the rules' names.

    Args:
        query: of the queries.
        passage: of the passages.
        scripts: the shares of letters in the language's scripts, the lower of query and passage.
        options: thresholds.
    """
    letters = np.minimum(*(one.letters / np.maximum(one.visible, 1) for one in (query, passage)))
    kept = np.minimum(query.kept, passage.kept)
    verdict = {
        "too-short": (kept < options.min_characters, kept.astype(np.float64)),
        "few-letters": (letters < options.min_letters, letters),
        "script": (scripts < options.min_script, scripts),
    }
    if options.max_repeated_characters is not None:
        repeated = np.maximum(query.repeated, passage.repeated)
        verdict["repeated-character"] = (
            repeated > options.max_repeated_characters,
            repeated.astype(np.float64),
        )
    if options.max_repetition is not None:
        repetition = np.maximum(query.repetition, passage.repetition)
        verdict["repetition"] = (repetition > options.max_repetition, repetition)
    if options.max_markup is not None:
        markup = np.maximum(query.markup, passage.markup)
        verdict["markup"] = (markup > options.max_markup, markup)
    return verdict


@lru_cache(maxsize=512)
def _expected_scripts(language: str) -> NDArray[np.bool_] | None:
    """Which numbers of scripts a language is written in, by the script that its code says or implies."""
    names = _BOTH.get(language) or _SCRIPT_NAMES.get(langcodes.Language.get(language).maximize().script or "")
    if names is None:
        return None
    return np.array([name in names for name in character_tables().names], np.bool_)


def _longest_rows(raw: TextArray) -> NDArray[np.int64]:
    longest = np.zeros(len(raw), np.int64)
    values = raw.values
    if not len(values):
        return longest
    new = np.ones(len(values), np.bool_)
    new[1:] = values[1:] != values[:-1]
    filled = raw.lengths > 0
    new[raw.starts[:-1][filled]] = True
    places = np.flatnonzero(new)
    rows = np.diff(np.append(places, len(values)))
    longest[filled] = np.maximum.reduceat(rows, np.searchsorted(places, raw.starts[:-1][filled]))
    return longest


def _repetition(words: TextArray, characters: TextArray) -> NDArray[np.float64]:
    alone = sums((flags_of(characters.values) & SPACELESS) != 0, characters.starts)
    spaceless = 2 * alone > words.lengths
    values = mixed(words.values)
    shares = np.zeros(len(words))
    owners = np.repeat(np.arange(len(words)), words.lengths)
    above = np.uint64(max(len(words).bit_length(), 1))
    left = np.uint64(64) - above
    for size, judged in ((_RUN, ~spaceless), (_SPACELESS_RUN, spaceless)):
        counts = np.maximum(words.lengths - size + 1, 0)
        judged = judged & (counts >= _FEWEST_RUNS)
        hashes = windows(values, size)
        of_run = owners[: len(hashes)]
        inside = judged[of_run] & (np.arange(len(hashes)) + size <= words.starts[1:][of_run])
        hashes, of_run = hashes[inside], of_run[inside]
        # The text in the upper bits, the run in those that are left: one sort brings the same ones together.
        keys = np.sort((of_run.astype(np.uint64) << left) | (hashes >> above))
        repeats = np.bincount(
            (keys[1:][keys[1:] == keys[:-1]] >> left).astype(np.int64), minlength=len(words)
        )
        shares[judged] = repeats[judged] / counts[judged]
    return shares


def _markup_share(text: str) -> float:
    if "<" not in text and "://" not in text and "&" not in text and "www." not in text:
        return 0.0
    return sum(found.end() - found.start() for found in _MARKUP.finditer(text)) / max(len(text), 1)
