"""`isogloss plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from isogloss.cli import options
from isogloss.cli.recipes import recipe_from

if TYPE_CHECKING:
    from isogloss.batching import BatchPlanner
    from isogloss.training.pair_texts import PairDataset


def plan(
    recipe: options.RecipeFile = None,
    train: options.Train = None,
    plan: options.Plan = None,
    alpha: options.Alpha = None,
    languages: options.TrainLanguages = None,
    held_out_languages: options.HeldOutLanguages = None,
    held_out_pairs: options.HeldOutPairs = None,
    language_weighting: options.LanguageWeighting = None,
    dataset_exponent: options.DatasetExponent = None,
    skip_small: options.SkipSmall = None,
    steps: options.Steps = None,
    batch_size: options.BatchSize = None,
    seed: options.Seed = None,
    data_dir: options.DataDir = None,
    show: Annotated[
        int, typer.Option(min=0, help="Print the texts of the first K batches.", metavar="K")
    ] = 0,
    first: Annotated[int, typer.Option(min=0, help="Number of the first batch that --show prints.")] = 0,
) -> None:
    """Print what the batches of a run will hold, before training.

    The batches are those that `isogloss train` with the same options would train on.

    Example: isogloss plan --train sample:train --plan hybrid --alpha 0.5 --steps 200
    """
    values = {
        key: value for key, value in locals().items() if key not in ("recipe", "data_dir", "show", "first")
    }
    # A recipe must name a base and its warm-up fit its steps; for a plan neither matters.
    made = recipe_from(recipe, {**values, "base": "none", "warmup_steps": 0})

    from isogloss.batching import compose
    from isogloss.cli.console import print_table
    from isogloss.corpus import read_corpus
    from isogloss.reporting.composition import composition_tables
    from isogloss.training.pair_texts import PairDataset
    from isogloss.training.planning import make_planner, planner_notices

    corpora = [read_corpus(source, data_dir=data_dir) for source in made.train]
    planner = make_planner(made, corpora)
    for notice in planner_notices(made, planner):
        typer.echo(notice)
    for table in composition_tables(compose(planner, made.batches), made.plan, made.batch_size, made.seed):
        print_table(table)
    _show(planner, PairDataset(corpora), range(first, first + show))


def _show(planner: BatchPlanner, pairs: PairDataset, steps: range) -> None:
    for step in steps:
        batch = planner.batch(step)
        typer.echo(f"batch {step}: {batch.mode}, from {planner.datasets[batch.dataset]}")
        for number, pair in enumerate(batch.pairs.tolist()):
            _, _, query, passage = (int(part[0]) for part in planner.space.locate([pair]))
            texts = pairs[pair]
            typer.echo(f"  {number:3d}  {planner.space.languages[query]}  {texts.query}")
            typer.echo(f"       {planner.space.languages[passage]}  {texts.passage}")
