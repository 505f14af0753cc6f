"""A study as TOML: what is trained, on what, how often, and what it is measured on.

    name = "e5-small"
    bases = ["multilingual-e5-small"]
    seeds = [0, 1, 2]
    dev = "sample:dev"                  # the only data that anything is chosen by
    cures = ["centre", "shift"]         # rivals without training, fitted on the training texts

    [recipe]                            # every run's budget and settings, keys of a recipe
    steps = 200
    batch_size = 32

    [arms.x-x-mono]                     # what is compared: a plan, and what else belongs to it
    plan = "x-x-mono"

    [arms.hybrid]
    plan = "hybrid"
    alpha = 0.5

    [conditions.mlqa-r]                 # on what: training corpora, test sets, what is held out
    train = ["mlqa-r"]
    test = ["xquad-r"]

Every arm is trained under every condition, from every base, with every seed; an arm or a condition may name fewer.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from isogloss.encoding.debias.cures import METHODS
from isogloss.errors import RecipeError
from isogloss.training.recipe import Recipe

Names = tuple[str, ...]
Seeds = Annotated[tuple[Annotated[int, Field(ge=0, lt=2**32)], ...], Field(min_length=1)]

BUDGET = ("steps", "batch_size", "max_length", "memory_budget", "eval_every", "select_by", "patience")
"""Keys that only the study's own recipe may set, so that every arm has the same budget and is chosen alike; where the
budget is one of tokens, an arm may set `batch_size`."""

Budget = Literal["pairs", "tokens"]

_CONDITION_KEYS = ("base", "train", "dev", "seed", "languages", "held_out_languages", "held_out_pairs")
_NAME = r"[A-Za-z0-9][A-Za-z0-9 ._+@=-]*"


class Arm(BaseModel):
    """What is compared with other arms: keys of a recipe, and perhaps fewer seeds or conditions.

    Attributes:
        recipe: the keys that make this arm: plan, alpha and others.
        seeds: instead of the study's; None takes those.
        conditions: under these alone; None takes all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipe: dict[str, Any]
    seeds: Seeds | None = None
    conditions: Names | None = None


class Condition(BaseModel):
    """What arms are trained on and measured on.

    Attributes:
        train: training corpora.
        test: benchmarks that the report alone reads.
        languages: train on these alone; empty means all.
        held_out_languages: never trained on.
        held_out_pairs: ordered pairs never trained on, "de->en".
        arms: these alone; None takes all.
        seeds: instead of the arm's or the study's.
        cures: instead of the study's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    train: Annotated[Names, Field(min_length=1)]
    test: Annotated[Names, Field(min_length=1)]
    languages: Names = ()
    held_out_languages: Names = ()
    held_out_pairs: Names = ()
    arms: Names | None = None
    seeds: Seeds | None = None
    cures: Names | None = None

    @field_validator("cures")
    @classmethod
    def _cures_are_known(cls, cures: Names | None) -> Names | None:
        return _known_cures(cures)


class Study(BaseModel):
    """A study.

    Attributes:
        name: heads the report.
        bases: models to start from.
        seeds: of every run.
        dev: the development corpus; learning curves and every choice come from it.
        budget: what is equal for every arm beside the steps: the pairs of a batch; or the tokens that it meets: then
            arms whose pairs have more texts set a smaller `batch_size`.
        cures: training-free rivals that the report measures beside the bases and the hybrid arm.
        recipe: keys of every run's recipe.
        arms: by name.
        conditions: by name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    bases: Annotated[Names, Field(min_length=1)]
    seeds: Seeds = (0, 1, 2)
    dev: str
    budget: Budget = "pairs"
    cures: Names = ()
    recipe: dict[str, Any] = {}
    arms: Annotated[dict[Annotated[str, Field(pattern=f"^{_NAME}$")], Arm], Field(min_length=1)]
    conditions: Annotated[dict[Annotated[str, Field(pattern=f"^{_NAME}$")], Condition], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _arms_are_recipes(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not isinstance(values.get("arms"), dict):
            return values
        arms = {}
        for name, keys in values["arms"].items():
            own = {
                key: keys[key] for key in ("seeds", "conditions") if isinstance(keys, dict) and key in keys
            }
            arms[name] = {"recipe": {key: keys[key] for key in keys if key not in own}, **own}
        return {**values, "arms": arms}

    @field_validator("cures")
    @classmethod
    def _cures_are_known(cls, cures: Names) -> Names:
        return _known_cures(cures) or ()

    @model_validator(mode="after")
    def _parts_fit(self) -> Study:
        _refuse(
            "recipe", self.recipe, (*_CONDITION_KEYS, "plan", "alpha"), "it belongs to arms or conditions"
        )
        for name, arm in self.arms.items():
            same = [key for key in BUDGET if key != "batch_size" or self.budget == "pairs"]
            _refuse(f"arms.{name}", arm.recipe, same, "every arm has the same: set it under [recipe]")
            _refuse(f"arms.{name}", arm.recipe, _CONDITION_KEYS, "it belongs to the study or a condition")
            if "plan" not in arm.recipe:
                raise ValueError(f"arms.{name}: plan is missing")
            _known(f"arms.{name}.conditions", arm.conditions, self.conditions)
        for name, condition in self.conditions.items():
            _known(f"conditions.{name}.arms", condition.arms, self.arms)
            if again := set(condition.train) & set(condition.test):
                raise ValueError(f"conditions.{name}: {sorted(again)[0]} is trained on and tested on")
            if self.dev in (*condition.test, *condition.train):
                raise ValueError(
                    f"conditions.{name}: {self.dev} is the development corpus; it can be neither trained nor tested on"
                )
        return self

    def cures_under(self, condition: str) -> Names:
        """The cures that are measured under a condition."""
        own = self.conditions[condition].cures
        return self.cures if own is None else own


def read_study(path: Path) -> Study:
    """Read a study.

    Raises:
        RecipeError: the file cannot be read, is no TOML, or holds something that is no study; all of it is named.
    """
    try:
        with path.open("rb") as file:
            values = tomllib.load(file)
    except OSError as error:
        raise RecipeError(f"{path}: cannot read the study: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not valid TOML: {error}") from error
    try:
        return Study.model_validate(values)
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            key = ".".join(str(part) for part in problem["loc"])
            text = problem["msg"].removeprefix("Value error, ")
            if problem["type"] == "extra_forbidden":
                text = "is no key of a study"
            lines.append(f"{key}: {text}" if key else text)
        raise RecipeError(f"{path}: " + "; ".join(dict.fromkeys(lines))) from None


def _known_cures(cures: Names | None) -> Names | None:
    if unknown := set(cures or ()) - set(METHODS):
        raise ValueError(f"{sorted(unknown)[0]!r} is no cure; there are {', '.join(METHODS)}")
    return cures


def _refuse(where: str, keys: dict[str, Any], refused: Sequence[str], why: str) -> None:
    for key in keys:
        if key in refused:
            raise ValueError(f"{where}: {key} cannot be set there; {why}")
        if key not in Recipe.model_fields:
            raise ValueError(f"{where}: {key} is no key of a recipe")


def _known(where: str, names: Names | None, known: dict[str, Any]) -> None:
    for name in names or ():
        if name not in known:
            raise ValueError(f"{where}: there is no {name!r}; there are {', '.join(known)}")
