"""The grid of a study: every run with its recipe and its place on disk."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from isogloss.errors import RecipeError
from isogloss.study.definition import Condition, Study
from isogloss.training.recipe import Recipe, make_recipe


@dataclass(frozen=True)
class Run:
    """One training run of a study.

    Attributes:
        condition: its name in the study.
        base: the model that it starts from.
        arm: its name in the study.
        seed: its seed.
        recipe: all of it.
    """

    condition: str
    base: str
    arm: str
    seed: int
    recipe: Recipe

    @property
    def place(self) -> Path:
        """Its folder, relative to the study's."""
        return Path("runs", self.condition, base_name(self.base), self.arm, f"seed-{self.seed}")

    def __str__(self) -> str:
        return f"{self.condition} / {base_name(self.base)} / {self.arm} / seed {self.seed}"


def base_name(base: str) -> str:
    """A base's name as a folder's: the last part of its path, odd characters replaced."""
    return re.sub(r"[^A-Za-z0-9._+-]", "_", base.rstrip("/").rsplit("/", 1)[-1]) or "base"


def runs_of(study: Study) -> list[Run]:
    """Lay out every run, seed by seed, so that whole comparisons are finished early.

    Raises:
        RecipeError: a recipe is not valid, no run is left, or two bases have one name.
    """
    names = [base_name(base) for base in study.bases]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise RecipeError(f"bases: two are called {twice!r}; rename one")
    found = []
    for condition_name, condition in study.conditions.items():
        for arm_name, arm in study.arms.items():
            if arm_name not in (condition.arms or study.arms):
                continue
            if condition_name not in (arm.conditions or study.conditions):
                continue
            for base in study.bases:
                for number, seed in enumerate(condition.seeds or arm.seeds or study.seeds):
                    recipe = make_recipe(
                        {
                            **study.recipe,
                            **arm.recipe,
                            **_of_condition(condition),
                            "base": base,
                            "dev": study.dev,
                            "seed": seed,
                        },
                        source=f"conditions.{condition_name}, arms.{arm_name}",
                    )
                    found.append((number, Run(condition_name, base, arm_name, seed, recipe)))
    if not found:
        raise RecipeError("no arm is trained under any condition; look at arms and conditions")
    order = {name: number for number, name in enumerate(study.conditions)}
    found.sort(key=lambda one: (order[one[1].condition], one[0]))
    return [run for _, run in found]


def _of_condition(condition: Condition) -> dict[str, object]:
    return {
        "train": condition.train,
        "languages": condition.languages,
        "held_out_languages": condition.held_out_languages,
        "held_out_pairs": condition.held_out_pairs,
    }
