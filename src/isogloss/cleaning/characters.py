"""Many texts at once as arrays of characters, in the form in which texts are compared."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

CHARACTERS = 0x33480
"""The last assigned ideograph lies below; what is above counts as no letter."""

# As many characters at once as the caches of a processor hold the arrays of.
_AT_ONCE = 1 << 18
_NEWLINE, _SPACE = 10, 32

KEPT = np.uint8(1)
"""A letter, mark or digit: what is compared; anything else only parts words."""
LETTER = np.uint8(2)
"""A letter or a mark on one."""
SPACELESS = np.uint8(4)
"""Of a script that is written without spaces between words: each character is a unit."""
DENSE = np.uint8(8)
"""Of a script with a syllable or a word in a character."""

_SPACELESS = {"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN"}
_DENSE = {"CJK", "HIRAGANA", "KATAKANA", "HANGUL"}


@dataclass(frozen=True)
class CharacterTables:
    """What each character is.

    Attributes:
        flags: `KEPT`, `LETTER`, `SPACELESS` and `DENSE`, uint8 of shape (characters,).
        scripts: the number of a letter's script in `names`, 0 for what is no letter, uint8 of shape (characters,).
        names: the first word of the characters' Unicode names: LATIN, CYRILLIC, CJK.
    """

    flags: NDArray[np.uint8]
    scripts: NDArray[np.uint8]
    names: tuple[str, ...]


@lru_cache(maxsize=1)
def character_tables() -> CharacterTables:
    """The tables, made at the first call in about a tenth of a second."""
    flags = np.zeros(CHARACTERS, np.uint8)
    scripts = np.zeros(CHARACTERS, np.uint8)
    numbers: dict[str, int] = {}
    for code in range(CHARACTERS - 1):
        character = chr(code)
        kind = unicodedata.category(character)[0]
        if kind not in "LMN":
            continue
        flags[code] = KEPT
        if kind == "N":
            continue
        flags[code] |= LETTER
        name = unicodedata.name(character, "").partition(" ")[0]
        if kind == "L" and len(numbers) < 255:
            scripts[code] = numbers.setdefault(name, len(numbers) + 1)
        flags[code] |= (SPACELESS if name in _SPACELESS else 0) | (DENSE if name in _DENSE else 0)
    return CharacterTables(flags, scripts, ("", *numbers))


def flags_of(codes: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """The flags of characters, of the shape of `codes`."""
    return character_tables().flags.take(codes, mode="clip")


def scripts_of(codes: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """The numbers of the scripts of characters, of the shape of `codes`."""
    return character_tables().scripts.take(codes, mode="clip")


@dataclass(frozen=True)
class TextArray:
    """Values of many texts one after the other: characters, words or hashes.

    Attributes:
        values: those of all texts, shape (values,).
        starts: where each text's begin, and the end of the last, int64 of shape (texts + 1,).
    """

    values: NDArray[np.unsignedinteger]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        """The number of texts."""
        return len(self.starts) - 1

    def __getitem__(self, number: int) -> NDArray[np.unsignedinteger]:
        """The values of one text."""
        return self.values[self.starts[number] : self.starts[number + 1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many values each text has, int64 of shape (texts,)."""
        return np.diff(self.starts)


def raw_characters(texts: Sequence[str]) -> TextArray:
    """The characters of texts as they are, uint32."""
    joined = "".join(texts).encode("utf-32-le", "surrogatepass")
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    return TextArray(np.frombuffer(joined, "<u4"), starts_of(lengths))


def comparable_characters(texts: Sequence[str]) -> TextArray:
    """The characters of texts in the form in which they are compared, uint32.

    That is Unicode NFKC without letter case, in which everything but letters, marks and digits is one space between
    words, and nothing between characters of scripts without spaces.
    """
    parts, start, size = [], 0, 0
    for number, text in enumerate(texts):
        size += len(text) + 1
        if size > _AT_ONCE:
            parts.append(_comparable(texts[start : number + 1]))
            start, size = number + 1, 0
    if start < len(texts):
        parts.append(_comparable(texts[start:]))
    if not parts:
        return TextArray(np.empty(0, np.uint32), np.zeros(1, np.int64))
    if len(parts) == 1:
        return parts[0]
    lengths = np.concatenate([part.lengths for part in parts])
    return TextArray(np.concatenate([part.values for part in parts]), starts_of(lengths))


@lru_cache(maxsize=1)
def _invisible() -> re.Pattern[str]:
    """What is not seen and parts no words: soft hyphens, joiners, direction marks (Unicode category Cf)."""
    invisible = (chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Cf")
    return re.compile(f"[{re.escape(''.join(invisible))}]")


def _comparable(texts: Sequence[str]) -> TextArray:
    joined = "\n".join([text.replace("\n", " ") for text in texts]) + "\n"
    if not joined.isascii():
        joined = unicodedata.normalize("NFKC", _invisible().sub("", joined))
    codes = np.frombuffer(joined.casefold().encode("utf-32-le", "surrogatepass"), "<u4")
    flags = flags_of(codes)
    kept = (flags & KEPT) != 0
    ends = codes == _NEWLINE
    # Of a run of separators the first stays, as a space; at the beginning of a text none does.
    after_kept = np.empty_like(kept)
    after_kept[0] = False
    after_kept[1:] = kept[:-1]
    staying = kept | ends | after_kept
    codes = np.where(kept, codes, np.where(ends, _NEWLINE, _SPACE)).astype(np.uint32)[staying]
    spaceless = ((flags & SPACELESS) != 0)[staying]
    spaces = codes == _SPACE
    needless = np.zeros_like(spaces)
    needless[:-1] = spaces[:-1] & ((codes[1:] == _NEWLINE) | spaceless[1:])
    needless[1:] |= spaces[1:] & spaceless[:-1]
    codes = codes[~needless]
    ends = codes == _NEWLINE
    places = np.flatnonzero(ends)
    lengths = np.diff(places, prepend=-1) - 1
    return TextArray(codes[~ends], starts_of(lengths))


def starts_of(lengths: NDArray[np.integer]) -> NDArray[np.int64]:
    """Where pieces of these lengths begin one after the other, and the end of the last."""
    starts = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts


def sums(values: NDArray[np.generic], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The sum of each text's values, int64 of shape (texts,); 0 for a text without any.

    Args:
        values: those of all texts one after the other, truth values or numbers.
        starts: as in `TextArray`.
    """
    totals = np.zeros(len(starts) - 1, np.int64)
    filled = np.flatnonzero(np.diff(starts))
    if len(filled):
        totals[filled] = np.add.reduceat(values, starts[filled], dtype=np.int64)
    return totals
