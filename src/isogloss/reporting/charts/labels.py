"""Texts in a picture: how long they are, how they are written, and where they collide least."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

FONT = 13.0
LINE = 15.0
_MIDDLE = 0.32  # from the middle of a line of text down to its baseline, in font sizes
_AFTER_MARK = 7.0
_CLEAR = 4.0  # between a mark's middle and a label above or below it
_MOST_NUDGES = 24  # by half a line each


class Box(NamedTuple):
    """A rectangle in the picture; y runs downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def shared(self, other: Box) -> float:
        """The area that two rectangles share."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return width * height if width > 0 and height > 0 else 0.0


def clean(text: str) -> str:
    """Escape a text for HTML and for XML: what XML cannot hold becomes a space or a replacement character."""
    kept = []
    for char in text:
        kind = unicodedata.category(char)
        if kind == "Cc":
            kept.append(" ")
        elif kind == "Cs" or char in "\ufffe\uffff":
            kept.append("\ufffd")
        else:
            kept.append(char)
    return escape("".join(kept))


def length(text: str) -> float:
    """How long a text is at most, roughly, in any sans-serif font: there is none to be asked."""
    return FONT * sum(map(_char_length, text))


def _char_length(char: str) -> float:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return 1.05
    if "\u0900" <= char <= "\u0dff" or char in "mwMW@%…—":  # the scripts of India are wide
        return 1.0
    if char in "iljtfrI.,:;'|!()[] -":
        return 0.4
    return 0.75 if char.isupper() else 0.62


def shortened(text: str, room: float) -> str:
    """Cut a text to a length, with an ellipsis where something is missing."""
    if length(text) <= room:
        return text
    kept, left = 0, room - length("…")
    for char in text:
        left -= length(char)
        if left < 0:
            break
        kept += 1
    return text[:kept].rstrip() + "…"


def written(
    text: str, x: float, y: float, anchor: str = "start", room: float | None = None, name: str = ""
) -> str:
    """A line of text as an SVG element, with the whole text as its tooltip where it had to be cut.

    Args:
        text: not yet escaped.
        x: the place of its left end, middle or right end.
        y: the place of its middle.
        anchor: "start": x is the left end, in every script; "middle"; "end": x is the right end.
        room: how long it may be; None: as long as it is.
        name: its class.
    """
    shown = text if room is None else shortened(text, room)
    direction = ""
    if _from_right(text):
        # What SVG calls the start of such a text is its right end.
        direction = ' direction="rtl"'
        anchor = {"start": "end", "end": "start"}.get(anchor, anchor)
    whole = "" if shown == text else f"<title>{clean(text)}</title>"
    kind = f' class="{name}"' if name else ""
    return (
        f'<text{kind} x="{x:.1f}" y="{y + _MIDDLE * FONT:.1f}" text-anchor="{anchor}"{direction}>'
        f"{clean(shown)}{whole}</text>"
    )


def _from_right(text: str) -> bool:
    """Whether the first letter with a direction is one of a script written from the right (as `dir="auto"`)."""
    kinds = (unicodedata.bidirectional(char) for char in text)
    return next((kind for kind in kinds if kind in ("L", "R", "AL")), "L") != "L"


def beside(x: float, y: float, size: float, frame: Box) -> list[Box]:
    """Where the label of a mark may stand: right, left, above or below, nudged up or down; the nearest first."""
    found = []
    for nudge in range(_MOST_NUDGES + 1):
        for shift in {-nudge * LINE / 2: 0, nudge * LINE / 2: 0}:
            top = min(max(y + shift - LINE / 2, frame.top), frame.bottom - LINE)
            lefts = [x + _AFTER_MARK, x - _AFTER_MARK - size]
            if not top - _CLEAR <= y <= top + LINE + _CLEAR:
                lefts.append(min(max(x - size / 2, frame.left), frame.right - size))
            for left in lefts:
                box = Box(left, top, left + size, top + LINE)
                if frame.left <= box.left and box.right <= frame.right:
                    found.append(box)
    return found


def least_taken(options: Sequence[Box], taken: Iterable[Box]) -> Box:
    """The option that shares the smallest area with what is already there; the first of equals."""
    there = list(taken)
    best, least = options[0], float("inf")
    for option in options:
        area = sum(option.shared(box) for box in there)
        if area < least:
            best, least = option, area
        if least == 0:
            break
    return best
