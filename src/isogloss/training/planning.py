"""From a recipe to the plan that the batches follow."""

from __future__ import annotations

from isogloss.batching import AlphaSchedule, Plan
from isogloss.training.recipe import Recipe


def make_plan(recipe: Recipe) -> Plan:
    """Take what concerns the composition of batches out of a recipe.

    Raises:
        RecipeError: the alpha schedule or a language list is not valid.
    """
    alpha = recipe.alpha if isinstance(recipe.alpha, float) else AlphaSchedule.parse(recipe.alpha)
    return Plan(
        kind=recipe.plan,
        alpha=alpha,
        languages=recipe.languages or None,
        held_out_languages=recipe.held_out_languages,
        held_out_pairs=recipe.ordered_held_out_pairs(),
        language_weighting=recipe.language_weighting,
        dataset_exponent=recipe.dataset_exponent,
        skip_small=recipe.skip_small,
    )
