"""Which arm plays which part in the claims."""

from __future__ import annotations

from dataclasses import dataclass

from isogloss.study.definition import Arm, Study
from isogloss.training.recipe import Recipe

EVEN = 0.5
"""The alpha of the method's paper."""


@dataclass(frozen=True)
class Roles:
    """Names of arms; None where a study has no such arm.

    Attributes:
        mono: monolingual batches, the standard fine-tuning that the others are held against.
        cross: cross-lingual batches.
        hybrid: the hybrid with alpha 0.5, or the first there is.
        sweep: hybrid arms that differ in alpha alone, ascending, `hybrid` among them.
    """

    mono: str | None
    cross: str | None
    hybrid: str | None
    sweep: tuple[str, ...]


def roles_of(study: Study) -> Roles:
    """Find the arms by their plans; where several have one plan, the one that sets least else is meant."""
    hybrids = _arms(study, "hybrid")
    even = [name for name in hybrids if alpha_of(study.arms[name]) == EVEN]
    hybrid = next(iter(even or hybrids), None)
    sweep: list[str] = []
    if hybrid is not None:
        alike = [name for name in hybrids if _rest(study.arms[name]) == _rest(study.arms[hybrid])]
        with_alpha = {name: alpha_of(study.arms[name]) for name in alike}
        sweep = sorted(
            (name for name, alpha in with_alpha.items() if alpha is not None),
            key=lambda name: with_alpha[name] or 0.0,
        )
    return Roles(
        mono=next(iter(_arms(study, "x-x-mono")), None),
        cross=next(iter(_arms(study, "x-y")), None),
        hybrid=hybrid,
        sweep=tuple(sweep),
    )


def alpha_of(arm: Arm) -> float | None:
    """The alpha of an arm; None where it is a schedule."""
    alpha = arm.recipe.get("alpha", Recipe.model_fields["alpha"].default)
    return float(alpha) if isinstance(alpha, int | float) else None


def _arms(study: Study, plan: str) -> list[str]:
    found = [name for name, arm in study.arms.items() if arm.recipe["plan"] == plan]
    return sorted(found, key=lambda name: len(study.arms[name].recipe.keys() - {"alpha"}))


def _rest(arm: Arm) -> dict[str, object]:
    return {key: value for key, value in arm.recipe.items() if key != "alpha"}
