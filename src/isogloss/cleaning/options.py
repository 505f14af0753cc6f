"""What a cleaning does: every rule's switch and threshold, from options or a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from isogloss.errors import RecipeError


class CleaningOptions(BaseModel):
    """Rules and thresholds. Lengths are in characters, shares between 0 and 1; 0 or None turns a rule off.

    Attributes:
        normalize: bring texts into Unicode NFC, drop control characters, collapse white space.
        min_characters: letters and digits that query and passage must have.
        min_letters: share of letters among the characters that are no white space.
        min_script: share of a text's letters that must be of the scripts its language is written in.
        max_repetition: share of a text's runs of four words that have come before in it; where there are no spaces, of
            twelve characters.
        max_repeated_characters: times that one character may stand in a row.
        max_markup: share of a text that may be addresses, tags and entities.
        mismatched: what happens to versions that are in another language than they say.
        language_confidence: probability that the detected language must have.
        min_language_characters: letters below which a text's language is not judged.
        exact_duplicates: of items whose query and passage in one language are those of another item, keep one.
        near_duplicates: likewise for query and passage of this Jaccard similarity each.
        copies: letters above which one text in two languages of an item counts as not translated.
        length_factor: times that a text may be longer or shorter than the item's other languages say.
        query_passage_factor: times that the passage may be longer or shorter, for its query, than the median.
        encoder: model that judges translations by the similarity of a text with its version in another language.
        translation_similarity: the least similarity; None finds it on the data.
        false_positive_rate: share of shuffled pairs that may pass for translations where it is found on the data.
        min_languages: languages that an item must be left with.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    normalize: bool = True
    min_characters: int = Field(default=2, ge=0)
    min_letters: float = Field(default=0.4, ge=0, le=1)
    min_script: float = Field(default=0.2, ge=0, le=1)
    max_repetition: float | None = Field(default=0.3, ge=0, le=1)
    max_repeated_characters: int | None = Field(default=20, ge=2)
    max_markup: float | None = Field(default=0.3, ge=0, le=1)
    mismatched: Literal["remove", "relabel", "keep"] = "remove"
    language_confidence: float = Field(default=0.8, gt=0, le=1)
    min_language_characters: int = Field(default=40, ge=1)
    exact_duplicates: bool = True
    near_duplicates: float | None = Field(default=0.9, ge=0.5, le=1)
    copies: int | None = Field(default=20, ge=1)
    length_factor: float | None = Field(default=3.0, gt=1)
    query_passage_factor: float | None = Field(default=30.0, gt=1)
    encoder: str | None = None
    translation_similarity: float | None = Field(default=None, ge=-1, le=1)
    false_positive_rate: float = Field(default=0.01, gt=0, lt=1)
    min_languages: int = Field(default=1, ge=1)


def cleaning_options(values: Mapping[str, Any], file: Path | None = None) -> CleaningOptions:
    """The options of a TOML file, if one is given, overridden by values that are not None.

    Raises:
        RecipeError: the file cannot be read, or a key or value is not valid; all mistakes at once.
    """
    given: dict[str, Any] = {}
    if file is not None:
        try:
            given = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise RecipeError(f"{file}: cannot read: {error.strerror or error}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise RecipeError(f"{file}: not valid TOML: {error}") from error
        # TOML has no null: a threshold of 0, or false, turns its rule off.
        given = {key: _off(key, value) for key, value in given.items()}
    given |= {key: _off(key, value) for key, value in values.items() if value is not None}
    try:
        return CleaningOptions(**given)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'options'}: {one['msg']}" for one in error.errors()
        )
        where = f"{file}: " if file is not None else ""
        known = ", ".join(CleaningOptions.model_fields)
        raise RecipeError(f"{where}{problems}; the options are {known}") from error


def _off(key: str, value: Any) -> Any:
    field = CleaningOptions.model_fields.get(key)
    is_switch = isinstance(value, bool) or value == 0
    if key == "translation_similarity" and not isinstance(value, bool):
        return value
    if field is not None and is_switch and not value and "None" in str(field.annotation):
        return None
    return value
