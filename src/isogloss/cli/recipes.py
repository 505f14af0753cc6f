"""A recipe from a file and the options over it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from isogloss.errors import RecipeError

if TYPE_CHECKING:
    from isogloss.training.recipe import Recipe


def recipe_from(file: Path | None, options: dict[str, Any]) -> Recipe:
    """Read a recipe and put the options given over its keys.

    Args:
        file: a TOML recipe, or None.
        options: recipe keys to values; None, and an empty list, mean not given.

    Raises:
        RecipeError: the recipe is not valid.
    """
    from isogloss.training.recipe import make_recipe, read_recipe_values

    values = {} if file is None else read_recipe_values(file)
    given = {key: value for key, value in options.items() if value is not None and value != []}
    trainer = given.pop("trainer", {})
    in_file = values.get("trainer", {})
    # A trainer that is no table is left to the recipe's validation, which names it.
    if isinstance(in_file, dict):
        values["trainer"] = in_file | trainer
    return make_recipe({**values, **given}, source="" if file is None else str(file))


def trainer_arguments(words: list[str] | None) -> dict[str, Any]:
    """Read ``key=value`` words; values are TOML (``true``, ``4``, ``"text"``), and plain words are texts.

    Raises:
        RecipeError: a word without an equals sign.
    """
    import tomllib

    arguments: dict[str, Any] = {}
    for word in words or []:
        key, equals, text = word.partition("=")
        if not equals or not key:
            raise RecipeError(f"--trainer {word}: write key=value, for example --trainer bf16=true")
        try:
            arguments[key] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            arguments[key] = text
    return arguments
