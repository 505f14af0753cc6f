"""What a batch should hold: the plan, its options, and which pairs of languages they allow."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from isogloss.batching.schedule import AlphaSchedule
from isogloss.errors import RecipeError

PlanKind = Literal["en-en", "x-x", "x-x-mono", "x-y", "hybrid"]
Mode = Literal["mono", "cross", "mixed"]
LanguageWeighting = Literal["uniform", "size"]

PLAN_KINDS: tuple[PlanKind, ...] = get_args(PlanKind)
MODES: tuple[Mode, ...] = get_args(Mode)


@dataclass(frozen=True)
class Plan:
    """How batches are composed.

    The kinds are those of Elmahdy, Lin and Ahmad (arXiv 2408.10536) and their baselines (Roy et al. 2020,
    arXiv 2004.05484). Each batch has a mode:

    ========== ======================================================================================
    en-en      mono: every pair in the anchor language
    x-x        mixed: every pair in one language, the languages mixed inside the batch
    x-x-mono   mono: every pair of the batch in one language
    x-y        cross: in every pair the query's and the passage's language differ
    hybrid     mono with probability alpha, else cross
    ========== ======================================================================================

    Attributes:
        kind: One of the above.
        alpha: Probability that a hybrid batch is mono; a number in [0, 1] or a schedule over the run. Other
            kinds do not use it.
        languages: The languages to draw from; None for all that the datasets have.
        held_out_languages: Languages never drawn, on either side.
        held_out_pairs: Ordered (query language, passage language) pairs never drawn; ("de", "de") keeps
            German out of mono and mixed batches and leaves it in cross ones.
        language_weighting: "uniform" draws each language (cross: ordered pair) of a dataset alike; "size" in
            proportion to the number of items that have it (cross: both).
        dataset_exponent: Datasets are drawn in proportion to size ** exponent, where size is the number of
            items usable in the batch's mode: 1 is proportional, 0 is uniform.
        anchor_language: The language of en-en batches.
        skip_small: Leave out languages and datasets with too few items for a batch instead of refusing.

    Raises:
        RecipeError: An option has a value that makes no sense; the message names both.
    """

    kind: PlanKind
    alpha: float | AlphaSchedule = 0.5
    languages: tuple[str, ...] | None = None
    held_out_languages: tuple[str, ...] = ()
    held_out_pairs: tuple[tuple[str, str], ...] = ()
    language_weighting: LanguageWeighting = "uniform"
    dataset_exponent: float = 1.0
    anchor_language: str = "en"
    skip_small: bool = False

    def __post_init__(self) -> None:
        _one_of("kind", self.kind, PLAN_KINDS)
        _one_of("language_weighting", self.language_weighting, get_args(LanguageWeighting))
        if not isinstance(self.alpha, AlphaSchedule):
            object.__setattr__(self, "alpha", _number("alpha", self.alpha))
            AlphaSchedule.constant(self.alpha)
        object.__setattr__(self, "dataset_exponent", _number("dataset_exponent", self.dataset_exponent))
        if not (math.isfinite(self.dataset_exponent) and self.dataset_exponent >= 0):
            raise RecipeError(f"dataset_exponent: {self.dataset_exponent:g} is not a number of 0 or more.")
        if self.languages is not None:
            object.__setattr__(self, "languages", _codes("languages", self.languages))
            if not self.languages:
                raise RecipeError("languages: the list is empty; name at least one, or leave it out for all.")
        held_out_languages = _codes("held_out_languages", self.held_out_languages)
        object.__setattr__(self, "held_out_languages", held_out_languages)
        object.__setattr__(self, "held_out_pairs", _code_pairs(self.held_out_pairs))
        _codes("anchor_language", [self.anchor_language])
        if self.languages is not None and not set(self.languages) - set(self.held_out_languages):
            raise RecipeError(
                f"languages: all of {', '.join(self.languages)} are in held_out_languages; "
                "hold out fewer, or name more."
            )
        if self.kind == "en-en" and not self.allows_language(self.anchor_language):
            raise RecipeError(
                f"anchor_language: {self.anchor_language} is held out or not among `languages`, "
                "and en-en uses no other; allow it, or choose another anchor."
            )

    @property
    def mono_probability(self) -> AlphaSchedule:
        """Probability over the run that a batch is mono rather than cross or mixed: alpha for hybrid."""
        if self.kind == "hybrid":
            if isinstance(self.alpha, AlphaSchedule):
                return self.alpha
            return AlphaSchedule.constant(self.alpha)
        return AlphaSchedule.constant(1.0 if self.kind in ("en-en", "x-x-mono") else 0.0)

    @property
    def other_mode(self) -> Mode:
        """The mode of batches that are not mono."""
        return "mixed" if self.kind == "x-x" else "cross"

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The modes that occur in a run; a hybrid with alpha 0 or 1 throughout has only one."""
        probability = self.mono_probability
        mono: tuple[Mode, ...] = ("mono",) if probability.highest > 0 else ()
        return mono + ((self.other_mode,) if probability.lowest < 1 else ())

    def allows_language(self, language: str) -> bool:
        """Whether the language may occur at all."""
        if self.kind == "en-en" and language != self.anchor_language:
            return False
        return (self.languages is None or language in self.languages) and (
            language not in self.held_out_languages
        )

    def allows_pair(self, query_language: str, passage_language: str) -> bool:
        """Whether the ordered pair (or the one language, given twice) may occur in a mode that draws it."""
        return (
            self.allows_language(query_language)
            and self.allows_language(passage_language)
            and (query_language, passage_language) not in self.held_out_pairs
        )


def _one_of(option: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise RecipeError(f"{option}: {value!r} is unknown; choose one of {', '.join(known)}.")


def _number(option: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RecipeError(f"{option}: {value!r} is not a number.")
    return float(value)


def _codes(option: str, value: object) -> tuple[str, ...]:
    codes = _sequence(value)
    if codes is None or not all(isinstance(code, str) and code for code in codes):
        raise RecipeError(f"{option}: {value!r} is not a list of language codes.")
    return tuple(str(code) for code in codes)


def _code_pairs(value: object) -> tuple[tuple[str, str], ...]:
    pairs = _sequence(value)
    if pairs is None:
        raise RecipeError(
            f"held_out_pairs: {value!r} is not a list of pairs (query language, passage language)."
        )
    checked = []
    for pair in pairs:
        codes = _sequence(pair)
        if codes is None or len(codes) != 2 or not all(isinstance(code, str) and code for code in codes):
            raise RecipeError(f"held_out_pairs: {pair!r} is not a pair (query language, passage language).")
        checked.append((str(codes[0]), str(codes[1])))
    return tuple(checked)


def _sequence(value: object) -> tuple[object, ...] | None:
    # A string is a sequence of strings, so "en" for ["en"] would pass as "e", "n".
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else None
