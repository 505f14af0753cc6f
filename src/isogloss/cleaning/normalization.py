"""Text normalisation: Unicode NFC, no control characters, orderly white space."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

# Marks of direction and order, soft hyphens and spaces of no width: invisible, and each makes another text of the same
# words. The joiners U+200C and U+200D stay: Hindi, Persian and emoji are spelled with them.
_INVISIBLE = "".join(map(chr, [0xAD, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2060, 0xFEFF]))
_INVISIBLE += "".join(map(chr, range(0x2066, 0x206A)))
_DROPPED = re.compile(rf"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f{_INVISIBLE}\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile(r"[^\S\n]+")
_AROUND_BREAKS = re.compile(r" ?\n ?")
_MANY_BREAKS = re.compile(r"\n{3,}")
_UNTIDY_SPACES = ("  ", " \n", "\n ", "\n\n\n")
_UNTIDY = re.compile(rf"[^\S \n]|{'|'.join(_UNTIDY_SPACES)}|{_DROPPED.pattern}")


def normal_text(text: str) -> str:
    """A text in Unicode NFC without control and invisible characters, with single spaces and at most one empty line.

    Halves of surrogate pairs, which cannot be written, are dropped.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if not _is_plain(text) and _UNTIDY.search(text):
        text = _DROPPED.sub("", _BREAKS.sub("\n", text))
        text = _AROUND_BREAKS.sub("\n", _SPACES.sub(" ", text))
        text = _MANY_BREAKS.sub("\n\n", text)
    return text.strip()


def _is_plain(text: str) -> bool:
    """Whether a text surely has nothing untidy, told without a search by pattern, which takes ten times as long."""
    if "  " in text:
        return False
    if "\n" in text:
        if any(spaces in text for spaces in _UNTIDY_SPACES):
            return False
        text = text.replace("\n", "")
    # Of what is dropped nothing is printable, and of white space only the space.
    return text.isprintable()


def normal_record(record: object) -> object:
    """A record with all its texts normalised, negatives that are left empty taken out; anything else as it is."""
    if not isinstance(record, Mapping):
        return record
    mended: dict[str, Any] = dict(record)
    for field in ("query", "passage", "title"):
        if isinstance(mended.get(field), str):
            mended[field] = normal_text(mended[field])
    if isinstance(negatives := mended.get("negatives"), (list, tuple)):
        texts = [normal_text(text) if isinstance(text, str) else text for text in negatives]
        mended["negatives"] = [text for text in texts if text != ""]
    return mended
