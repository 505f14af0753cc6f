"""The normalisation of a SentencePiece tokenizer, from a map of single code points to texts.

The package ``tokenizers`` runs such a map where it comes as SentencePiece's precompiled character map. Its layout,
little-endian:

    u32 size of the trie in bytes; the trie; the replacement texts in UTF-8, each ended by a zero byte

The trie is the double array of darts-clone over the UTF-8 bytes of the keys, in units of 32 bits. A node at position p
has its base at p ^ offset; its child for byte b lies at base ^ b and carries b as its label; where a key ends at the
node, base holds a value, here the position of the replacement text.

    bits 0-7    label                    bit 8       a key ends here
    bit 9       offset counts in 256s    bits 10-30  offset
    bit 31      this unit is a value, in bits 0-30
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tokenizers.normalizers import Normalizer

_KEY_ENDS = 1 << 8
_OFFSET_SHIFT, _OFFSETS = 10, 1 << 21
_VALUE = 1 << 31
_BLOCK = 256
_SEARCHED = 4 * _BLOCK
_SEPARATOR = "\x01"

_Node = dict[int, "_Node | int"]
"""A trie in the open: children by byte, and under 0 the value of the key that ends here."""


def code_point_normaliser(replacements: Mapping[str, str]) -> Normalizer:
    """Make a normaliser that replaces each code point by itself, whatever stands around it.

    ``Precompiled`` looks a grapheme of under 6 bytes up as a whole and puts the replacement of its first character in
    place of all of it: of a replaced letter and an accent, the accent is lost. So U+0001 goes in between first; it ends
    every grapheme, and the map drops it again.

    Args:
        replacements: the text, maybe empty, that stands for a code point; keys are one character long.

    Returns:
        The normaliser. It drops U+0001, as SentencePiece's own rules do, and keeps U+0000.

    Raises:
        ValueError: as `build_charsmap`.
    """
    from tokenizers import Regex, normalizers

    charsmap = build_charsmap({**replacements, _SEPARATOR: ""})
    # The graphemes in question: a key of two bytes and a character of two or three, or three bytes and a mark of two;
    # and a carriage return with its line feed.
    short = "".join(rf"\x{{{ord(key):X}}}" for key in replacements if len(key.encode("utf-8")) == 2)
    after_short = rf"(?<=[\r{short}])(?=[\n\x{{80}}-\x{{FFFF}}])"
    before_short = r"(?<=[\x{800}-\x{FFFF}])(?=[\x{80}-\x{7FF}&&\p{M}])"
    return normalizers.Sequence(
        [
            normalizers.Replace(Regex(f"{after_short}|{before_short}"), _SEPARATOR),
            normalizers.Precompiled(charsmap),
        ]
    )


def build_charsmap(replacements: Mapping[str, str]) -> bytes:
    """Build a precompiled character map.

    Args:
        replacements: the text, maybe empty, that stands for a code point; keys are one character long.

    Returns:
        What `tokenizers.normalizers.Precompiled` takes.

    Raises:
        ValueError: a key is not a single character, or a key or replacement holds the zero character, which ends texts.
    """
    texts = bytearray()
    place_of: dict[str, int] = {}
    root: _Node = {}
    for key, replacement in replacements.items():
        if len(key) != 1 or "\0" in key + replacement:
            raise ValueError(f"no entry of a character map: {key!r} to {replacement!r}")
        if replacement not in place_of:
            place_of[replacement] = len(texts)
            texts += replacement.encode("utf-8") + b"\0"
        node = root
        for byte in key.encode("utf-8"):
            child = node.setdefault(byte, {})
            assert isinstance(child, dict)
            node = child
        node[0] = place_of[replacement]
    trie = np.array(_double_array(root), dtype="<u4").tobytes()
    return len(trie).to_bytes(4, "little") + trie + bytes(texts)


def _double_array(root: _Node) -> list[int]:
    """Lay a trie out as units: each node takes the first base, near the end, where all its children fit."""
    units: list[int | None] = [0, *[None] * (_BLOCK - 1)]
    bases = {0}
    pending = [(0, root)]
    while pending:
        position, node = pending.pop()
        # Gaps left further back are not worth a search that grows with the array.
        base = max(0, len(units) - _SEARCHED)
        # Two nodes never share a base: the label of a child would then not tell whose child it is.
        while base in bases or any(_unit_at(units, base ^ byte) is not None for byte in node):
            base += 1
        bases.add(base)
        offset = position ^ base
        if offset >= _OFFSETS:
            raise ValueError(f"a character map with {len(units)} units is too large")
        units[position] = (units[position] or 0) | offset << _OFFSET_SHIFT | (_KEY_ENDS if 0 in node else 0)
        for byte, child in node.items():
            if isinstance(child, int):
                units[base] = _VALUE | child
            else:
                units[base ^ byte] = byte
                pending.append((base ^ byte, child))
    # An unused unit is 0: no byte of a key is, so its label never matches.
    return [unit or 0 for unit in units]


def _unit_at(units: list[int | None], position: int) -> int | None:
    """Return the unit at a position, growing the array by whole blocks so that base ^ byte is always inside."""
    while position >= len(units):
        units.extend([None] * _BLOCK)
    return units[position]
