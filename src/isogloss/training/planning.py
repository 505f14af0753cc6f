"""From a recipe to the plan and the planner that its batches follow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from isogloss.batching import AlphaSchedule, BatchPlanner, Plan
from isogloss.corpus import ParallelCorpus, is_language, standard_language
from isogloss.errors import RecipeError
from isogloss.training.pair_texts import PairDataset, planning_data
from isogloss.training.recipe import Recipe


def make_plan(recipe: Recipe) -> Plan:
    """Take what concerns the composition of batches out of a recipe; language codes in their standard form.

    Raises:
        RecipeError: the alpha schedule or a language code is not valid.
    """
    alpha = recipe.alpha if isinstance(recipe.alpha, float) else AlphaSchedule.parse(recipe.alpha)
    return Plan(
        kind=recipe.plan,
        alpha=alpha,
        languages=_standard("languages", recipe.languages) or None,
        held_out_languages=_standard("held_out_languages", recipe.held_out_languages),
        held_out_pairs=tuple(
            (query, passage)
            for query, passage in (
                _standard("held_out_pairs", pair) for pair in recipe.ordered_held_out_pairs()
            )
        ),
        language_weighting=recipe.language_weighting,
        dataset_exponent=recipe.dataset_exponent,
        skip_small=recipe.skip_small,
    )


def make_planner(recipe: Recipe, corpora: Sequence[ParallelCorpus]) -> BatchPlanner:
    """Make the planner of a recipe's run: a batch for every step and every micro-step of gradient accumulation.

    Raises:
        RecipeError: as `make_plan`.
        PlanError: the plan cannot be drawn from the corpora.
    """
    data = [planning_data(corpus) for corpus in corpora]
    return BatchPlanner(data, make_plan(recipe), recipe.batch_size, recipe.seed, recipe.batches)


def pair_dataset(recipe: Recipe, corpora: Sequence[ParallelCorpus]) -> PairDataset:
    """Make what looks up the texts of a recipe's pairs, in the planner's order of corpora."""
    return PairDataset(
        corpora,
        recipe.hard_negatives,
        negative_language=recipe.negative_language,
        parallel_positives=recipe.parallel_positives,
        parallel_queries=recipe.query_alignment > 0,
        passages_meet=recipe.passage_alignment > 0,
        allows_pair=make_plan(recipe).allows_pair,
    )


def planner_notices(recipe: Recipe, planner: BatchPlanner) -> list[str]:
    """Say what a run goes without: what was left out as too small, and held-out languages that no corpus has.

    The latter are perhaps meant so, perhaps misspelt.
    """
    notices = [f"left out: {left_out}" for left_out in planner.left_out]
    plan = make_plan(recipe)
    held_out = set(plan.held_out_languages).union(*plan.held_out_pairs)
    if absent := sorted(held_out - set(planner.space.languages)):
        notices.append(f"held out, but in no training corpus anyway: {', '.join(absent)}")
    return notices


def _standard(key: str, codes: Iterable[str]) -> tuple[str, ...]:
    codes = tuple(codes)
    for code in codes:
        if not is_language(code):
            raise RecipeError(f"{key}: {code!r} is no language code; use BCP-47 codes such as en, pt-BR, zh")
    return tuple(standard_language(code) for code in codes)
