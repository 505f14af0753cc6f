"""The elements of a JSON array of any length, one after the other: no more than one of them is in memory."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

_CHUNK = 1 << 20
# An article of a question answering set is some hundred thousand characters; this is no array of records any more.
_LONGEST_ELEMENT = 1 << 28
_IN_NUMBERS = ("", *"0123456789.eE+-")
_SPACE = re.compile(r"[ \t\n\r]*")


class BadJsonError(ValueError):
    """The text is no JSON, or has no array where one is looked for.

    Attributes:
        line: the line, from 1.
    """

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def array_elements(read: Callable[[int], str], key: str | None = None) -> Iterator[tuple[int, object]]:
    """The elements of the array that a JSON text is, or that stands under a key of the object that it is.

    What stands under other keys is read over, and the text is checked to its end.

    Args:
        read: gives up to so many characters, and none at the end, like `read` of a text file.
        key: the key; None where the whole text is the array.

    Yields:
        The line on which an element begins, from 1, and the element.

    Raises:
        BadJsonError: the text is no JSON, or has no such array.
    """
    text = _Text(read)
    if key is None:
        text.take("[", "expected an array")
        yield from text.elements()
    else:
        text.take("{", f"expected an object with the key {key!r}")
        found = False
        if not text.skip("}"):
            while True:
                _, name = text.value()
                text.take(":", "expected ':'")
                if name == key:
                    text.take("[", f"expected an array under {key!r}")
                    yield from text.elements()
                    found = True
                else:
                    text.value()
                if not text.skip(","):
                    break
            text.take("}", "expected ',' or '}'")
        if not found:
            raise BadJsonError(text.line, f"there is no key {key!r}")
    if text.peek():
        raise BadJsonError(text.line, "more text after the end")


class _Text:
    """A window on the text, with the place that was read up to."""

    def __init__(self, read: Callable[[int], str]) -> None:
        self._read = read
        self._decoder = json.JSONDecoder()
        self._window = ""
        self._at = 0
        self._lines = 1
        self._ended = False

    @property
    def line(self) -> int:
        return self._lines + self._window.count("\n", 0, self._at)

    def peek(self) -> str:
        """The next character that is no white space, or none at the end."""
        while True:
            match = _SPACE.match(self._window, self._at)
            assert match is not None
            self._at = match.end()
            if self._at < len(self._window) or self._ended:
                return self._window[self._at : self._at + 1]
            self._more(_CHUNK)

    def skip(self, character: str) -> bool:
        """Whether a character comes next, which is then read."""
        if self.peek() != character:
            return False
        self._at += 1
        return True

    def take(self, character: str, otherwise: str) -> None:
        if not self.skip(character):
            raise self._error(otherwise if self.peek() else "the file ends too early; it looks cut off")

    def value(self) -> tuple[int, object]:
        """The next value and its line."""
        self.peek()
        line = self.line
        while True:
            try:
                value, end = self._decoder.raw_decode(self._window, self._at)
            except json.JSONDecodeError as error:
                # What is wrong far from the end of the window is not mended by more text; an open string may be.
                if error.pos < len(self._window) - 32 and not error.msg.startswith("Unterminated string"):
                    raise BadJsonError(
                        self._lines + self._window.count("\n", 0, error.pos), error.msg
                    ) from error
            except RecursionError as error:
                raise BadJsonError(line, "nested too deeply") from error
            else:
                # A number at the end of the window may go on: "1" and "1." may be the beginning of "1.5".
                if self._ended or self._window[end : end + 1] not in _IN_NUMBERS:
                    self._at = end
                    return line, value
            if self._ended:
                raise self._error("the file ends in the middle of a value; it looks cut off")
            size = len(self._window) - self._at
            if size > _LONGEST_ELEMENT:
                raise BadJsonError(
                    line, f"an element is longer than {_LONGEST_ELEMENT:,} characters, or does not end"
                )
            self._more(max(_CHUNK, size))

    def elements(self) -> Iterator[tuple[int, object]]:
        """The elements of an array whose bracket has been read, and the bracket that ends it."""
        if self.skip("]"):
            return
        while True:
            yield self.value()
            if not self.skip(","):
                break
        self.take("]", "expected ',' or ']'")

    def _more(self, characters: int) -> None:
        self._lines = self.line
        more = self._read(characters)
        self._window, self._at = self._window[self._at :] + more, 0
        self._ended = not more

    def _error(self, message: str) -> BadJsonError:
        return BadJsonError(self.line, message)
