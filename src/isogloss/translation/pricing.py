"""What a priced engine costs: so far, and about in the end."""

from __future__ import annotations

from dataclasses import dataclass

from isogloss.errors import RecipeError


@dataclass(frozen=True)
class Prices:
    """What is paid.

    Attributes:
        million_characters: for so many characters of sentences sent.
        million_read: for so many tokens that the engine reads.
        million_written: for so many tokens that the engine writes.
    """

    million_characters: float = 0.0
    million_read: float = 0.0
    million_written: float = 0.0

    def __bool__(self) -> bool:
        """Whether anything is paid."""
        return any((self.million_characters, self.million_read, self.million_written))

    def cost(self, characters: int, tokens: tuple[int, int] | None) -> float:
        """The cost of what was sent: characters of sentences; tokens read and written."""
        read, written = tokens or (0, 0)
        return (
            characters * self.million_characters + read * self.million_read + written * self.million_written
        ) / 1e6

    def expected(self, characters: int, done: int, tokens: tuple[int, int] | None) -> float | None:
        """The cost of all characters, once `done` of them are done; None where it cannot be known yet."""
        if not (self.million_read or self.million_written):
            return self.cost(characters, None)
        return self.cost(done, tokens) * characters / done if done else None


def parse_token_prices(text: str) -> tuple[float, float]:
    """Read `0.15,0.60` (tokens read, tokens written), or one price for both.

    Raises:
        RecipeError: it is anything else.
    """
    try:
        prices = [float(part) for part in text.split(",")]
    except ValueError:
        prices = []
    if len(prices) not in (1, 2) or not all(0 <= price < float("inf") for price in prices):
        raise RecipeError(
            f"--price-per-million-tokens {text}: give one price, or two with a comma: read,written"
        )
    return prices[0], prices[-1]
