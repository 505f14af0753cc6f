"""What may be wrong with a translation that can be seen without knowing the languages."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_WIDE = re.compile(r"[\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]")
_AGAIN_AND_AGAIN = re.compile(r"(.{1,12}?)\1{5}")
_LONGER = 4
_ALLOWANCE = 40
_WORDS_A_UNIT = 8
_CHARACTERS_A_UNIT = 12


def defect(sentence: str, translation: str) -> str | None:
    """Say what is wrong with a translation.

    Args:
        sentence: what was translated.
        translation: what came, without white space around it.

    Returns:
        `empty`; `control characters`; `broken characters`, U+FFFD; `repetition`: a few words, or characters, again and
        again where the sentence has nothing of the kind; `too long`: more than four times as long and 40 characters
        more, a Chinese, Japanese or Korean character counting as three; or None.
    """
    if not translation:
        return "empty"
    if _CONTROL.search(translation):
        return "control characters"
    if "\ufffd" in translation and "\ufffd" not in sentence:
        return "broken characters"
    if _repeats(sentence, translation):
        return "repetition"
    if _extent(translation) > _ALLOWANCE + _LONGER * _extent(sentence):
        return "too long"
    return None


def is_copy(sentence: str, translation: str) -> bool:
    """Whether a translation is the sentence itself; names and the like, under four words and 20 characters, may be."""
    if " ".join(sentence.split()).casefold() != " ".join(translation.split()).casefold():
        return False
    return len(sentence.split()) >= 4 or _extent(sentence) >= 20


def _repeats(sentence: str, translation: str) -> bool:
    """Whether a stretch of eight words is one phrase four times over, or of 24 characters six times; not so before."""
    words = translation.split()
    # Whatever stands there four times over leaves three quarters of its words without a new one.
    if len(words) - len(set(words)) >= 6:
        run = _longest_run(words, _WORDS_A_UNIT, 4)
        if run >= 8 and run > 2 * _longest_run(sentence.split(), _WORDS_A_UNIT, 2):
            return True
    if not _AGAIN_AND_AGAIN.search(translation):
        return False
    run = _longest_run(translation, _CHARACTERS_A_UNIT, 6)
    return run >= 24 and run > 2 * _longest_run(sentence, _CHARACTERS_A_UNIT, 2)


def _longest_run(units: Sequence[str], longest: int, repeats: int) -> int:
    """Units in the longest stretch that is one unit of at most `longest`, at least `repeats` times over."""
    best = 0
    for size in range(1, min(longest, len(units) // repeats) + 1):
        run = 0
        for number in range(size, len(units)):
            run = run + 1 if units[number] == units[number - size] else 0
            if run + size >= repeats * size:
                best = max(best, run + size)
    return best


def _extent(text: str) -> int:
    return len(text) + 2 * len(_WIDE.findall(text))
