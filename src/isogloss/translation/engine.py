"""What translates: sentences in, translations out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from isogloss.errors import IsoglossError

PROBE = "1"
"""A text that any engine takes, of whatever language: where it fails as well, it was not a sentence's fault."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A sentence has no translation that will do.

    Attributes:
        reason: why, in a few words.
        text: what came of it, if anything.
    """

    reason: str
    text: str | None = None


class Engine(Protocol):
    """A machine translation system.

    Attributes:
        name: what to call it in messages.
        batch_size: sentences to hand over at once.
        batch_characters: characters to hand over at once, the longest sentence counting for all of its batch.
        at_once: calls of `translate` from different threads at one time.
        tokens: tokens read and written so far, for engines that bill them.
    """

    name: str
    batch_size: int
    batch_characters: int
    at_once: int
    tokens: tuple[int, int] | None

    def identity(self) -> dict[str, Any]:
        """Say what translations depend on, checksums, versions, options: engines with one identity translate alike."""
        ...

    def refusal(self, source: str, target: str) -> str | None:
        """Say why there is no translating from one language to another; None where it can be done.

        Args:
            source: BCP-47 code of the language to translate from.
            target: BCP-47 code of the language to translate to.
        """
        ...

    def translate(self, sentences: Sequence[str], source: str, target: str) -> list[str | Failure]:
        """Translate sentences.

        Args:
            sentences: at least one, none of them empty, without line breaks.
            source: BCP-47 code.
            target: BCP-47 code.

        Returns:
            A translation or what is wrong, for each sentence.

        Raises:
            ModelError: nothing can be translated at all: later sentences would fare no better.
            EngineStopped: `stop` was called.
        """
        ...

    def stop(self) -> None:
        """End what is under way in other threads, and hold no more processes and connections."""
        ...


class EngineStopped(IsoglossError):  # noqa: N818 - nothing went wrong
    """The engine was told to stop."""
