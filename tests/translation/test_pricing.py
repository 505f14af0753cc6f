"""Costs so far and expected."""

import pytest

from isogloss.errors import RecipeError
from isogloss.translation.pricing import Prices, parse_token_prices


def test_characters_are_known_beforehand_tokens_are_not():
    by_characters = Prices(million_characters=20)
    assert by_characters.expected(500_000, 0, None) == 10
    assert by_characters.cost(100_000, None) == 2
    by_tokens = Prices(0, 1.0, 2.0)
    assert by_tokens.expected(1000, 0, (0, 0)) is None
    assert by_tokens.cost(10, (3_000_000, 1_000_000)) == 5
    assert by_tokens.expected(1000, 10, (3_000_000, 1_000_000)) == 500
    assert not Prices()


def test_one_price_or_two():
    assert parse_token_prices("0.15,0.60") == (0.15, 0.6)
    assert parse_token_prices("2") == (2, 2)
    for text in ("", "x", "1,2,3", "-1", "nan", "inf"):
        with pytest.raises(RecipeError, match="--price-per-million-tokens"):
            parse_token_prices(text)
