"""Documents into passages: whole paragraphs, as many as fit, and long ones at the ends of sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import regex

LONGEST_PASSAGE = 600
"""Characters; about what models trained on sentences and paragraphs were shown."""
# The full stop of most scripts ends a sentence where white space follows; that of Chinese and Japanese anywhere.
_SENTENCE_END = regex.compile(r"(?<=[.!?…؟۔।॥։።]['\"”’»)\]]*)\s+|(?<=[。！？]['\"”’」』）]*)")


class Block(NamedTuple):
    """A paragraph, list item or the like, and the headings over it."""

    text: str
    title: str | None


def split_blocks(blocks: Iterable[Block], longest: int = LONGEST_PASSAGE) -> Iterator[Block]:
    """Join neighbouring blocks under one title into passages of `longest` characters at most.

    A block that is longer is split between sentences; a sentence that is longer, at white space, and a word that is
    longer, anywhere.
    """
    held: list[str] = []
    title: str | None = None
    length = 0
    for block in blocks:
        pieces = [block.text] if len(block.text) <= longest else list(_pieces(block.text, longest))
        for piece in pieces:
            if held and (block.title != title or length + 1 + len(piece) > longest):
                yield Block("\n".join(held), title)
                held, length = [], 0
            title = block.title
            held.append(piece)
            length += len(piece) + (len(held) > 1)
    if held:
        yield Block("\n".join(held), title)


def paragraphs(text: str) -> Iterator[str]:
    """Split plain text at empty lines; lines within a paragraph are joined."""
    for part in regex.split(r"\n[^\S\n]*(?:\n[^\S\n]*)+", text.replace("\r\n", "\n").replace("\r", "\n")):
        if joined := " ".join(part.split()):
            yield joined


def _pieces(text: str, longest: int) -> Iterator[str]:
    held = ""
    for sentence in _SENTENCE_END.split(text):
        for part in [sentence] if len(sentence) <= longest else _words(sentence, longest):
            if held and len(held) + 1 + len(part) > longest:
                yield held
                held = ""
            held = f"{held} {part}" if held else part
    if held:
        yield held


def _words(sentence: str, longest: int) -> Iterator[str]:
    while len(sentence) > longest:
        space = sentence.rfind(" ", 1, longest + 1)
        at = space if space > 0 else longest
        yield sentence[:at].strip()
        sentence = sentence[at:].strip()
    if sentence:
        yield sentence
