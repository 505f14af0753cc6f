"""The sentence of a text that holds a place in it, by punctuation: good enough to be a passage, and no more."""

from __future__ import annotations

import re

# A sentence ends with its mark and what closes around it; scripts without spaces need none after it.
_END = re.compile(r"(?:[.!?…؟।॥۔]+[\"'”’»)\]]*(?=\s)|[。！？]+[」』”’）]*|\n+)")
_NO_END = re.compile(
    r"(?:\b\w|\b(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|No|Nr|ca|cf|etc|z\.B|d\.h|bzw|Inc|Ltd|Co|Gen|Col|Lt|Sen|Rep|Gov))\.$"
)


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Where the sentences of a text start and end, without the white space around them."""
    spans: list[tuple[int, int]] = []
    start = 0
    for end in _END.finditer(text):
        following = text[end.end() : end.end() + 8].lstrip()[:1]
        before = text[max(start, end.start() - 6) : end.end()]
        if end[0] == "." and (following.islower() or _NO_END.search(before)):
            continue
        _append(spans, text, start, end.end())
        start = end.end()
    _append(spans, text, start, len(text))
    return spans


def sentence_at(text: str, place: int) -> tuple[str, list[str]] | None:
    """The sentence that holds a character, and the others of the text, the nearest first; None where there is none."""
    spans = sentence_spans(text)
    number = next((at for at, (start, end) in enumerate(spans) if start <= place < end), None)
    if number is None:
        return None
    nearest = sorted(range(len(spans)), key=lambda other: (abs(other - number), other))
    texts = [text[slice(*spans[other])] for other in nearest]
    return texts[0], texts[1:]


def _append(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    sentence = text[start:end]
    if sentence.strip():
        start += len(sentence) - len(sentence.lstrip())
        spans.append((start, start + len(sentence.strip())))
