"""`isogloss train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isogloss.cli import options
from isogloss.cli.recipes import recipe_from, trainer_arguments


def train(
    recipe: options.RecipeFile = None,
    output: Annotated[Path, typer.Option(help="The model folder to make.", show_default=False)] = ...,  # type: ignore[assignment]
    base: Annotated[
        str | None,
        typer.Option(help="Model to start from: a folder, an offline model's name, or a hub name."),
    ] = None,
    train: options.Train = None,
    dev: Annotated[
        str | None, typer.Option(help="Corpus to choose checkpoints on; not the one that you report on.")
    ] = None,
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
    hard_negatives: Annotated[
        int | None, typer.Option(help="Hard negatives a query, at most. [default: 0]")
    ] = None,
    negative_language: Annotated[
        str | None,
        typer.Option(
            help="Whose hard negatives: passage, query (near misses in the asker's language) or both."
        ),
    ] = None,
    parallel_positives: Annotated[
        int | None,
        typer.Option(help="In how many further languages an item's passage is a positive too. [default: 0]"),
    ] = None,
    query_alignment: Annotated[
        float | None,
        typer.Option(
            help="Weight of a second loss, which pulls a query to itself in another language. [default: 0.0]"
        ),
    ] = None,
    passage_alignment: Annotated[
        float | None,
        typer.Option(help="Likewise for a passage and its --parallel-positives. [default: 0.0]"),
    ] = None,
    memory_budget: Annotated[
        float | None,
        typer.Option(
            help="Gigabytes for a batch's activations; a larger batch is embedded twice, a micro-batch at a time, with "
            "the same gradients. 0: never. [default: 4.0]"
        ),
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(help="Divides the cosines in the loss. [default: 0.02]")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak learning rate. [default: 3e-05]")] = None,
    warmup_steps: Annotated[
        int | None, typer.Option(help="Steps of linear warm-up. [default: a tenth of --steps, 20 at most]")
    ] = None,
    schedule: Annotated[
        str | None, typer.Option(help="After warm-up: linear, cosine or constant. [default: linear]")
    ] = None,
    weight_decay: Annotated[float | None, typer.Option(help="AdamW weight decay. [default: 0.01]")] = None,
    max_grad_norm: Annotated[
        float | None, typer.Option(help="Clip gradients to this norm. [default: 1.0]")
    ] = None,
    word_embeddings: Annotated[
        str | None,
        typer.Option(
            help="dense: trained like all weights; sparse: only the rows of a step's own words, which is quicker; "
            "frozen: kept as they are. [default: dense]"
        ),
    ] = None,
    base_weight: Annotated[
        float | None,
        typer.Option(
            help="Share of the base's weights in the model that is measured and kept: often better on other data than "
            "the trained weights alone. [default: 0.0]"
        ),
    ] = None,
    max_length: Annotated[
        int | None,
        typer.Option(help="Cut texts after so many tokens in training; default: the model's own limit."),
    ] = None,
    query_prompt: options.QueryPrompt = None,
    passage_prompt: options.PassagePrompt = None,
    seed: options.Seed = None,
    eval_every: Annotated[
        int | None,
        typer.Option(
            help="Steps between evaluations on --dev, to choose the checkpoint. [default: 0, measure at the end]"
        ),
    ] = None,
    select_by: Annotated[
        str | None,
        typer.Option(
            help="Development figure that chooses the checkpoint: loss, mono_map, cross_map, multi_map or "
            "rank_distance; last takes the last step. [default: multi_map]"
        ),
    ] = None,
    patience: Annotated[
        int | None, typer.Option(help="Stop after so many evaluations without progress. [default: 0, never]")
    ] = None,
    save_every: Annotated[
        int | None, typer.Option(help="Steps between checkpoints. [default: 0, only when interrupted]")
    ] = None,
    log_every: Annotated[int | None, typer.Option(help="Steps between log entries. [default: 10]")] = None,
    device: options.Device = None,
    data_dir: options.DataDir = None,
    trainer: Annotated[
        list[str] | None,
        typer.Option(
            help="Any argument of SentenceTransformerTrainingArguments as key=value, e.g. bf16=true; repeatable."
        ),
    ] = None,
    contamination_check: Annotated[
        bool,
        typer.Option(
            help="Compare the training data with the known benchmarks that are on this machine, and warn of items that "
            "are in them."
        ),
    ] = True,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the unfinished run of this output at its next batch.")
    ] = False,
) -> None:
    """Fine-tune a retriever on batches that are monolingual with probability alpha, cross-lingual otherwise.

    The model folder appears when it is whole; until then recipe and checkpoints lie in OUTPUT.unfinished. Ctrl-C
    saves a checkpoint; the same command with --resume goes on.

    Example: isogloss train --base multilingual-e5-small --train sample:train --plan hybrid --output my-model
    """
    values = {
        key: value
        for key, value in locals().items()
        if key not in ("recipe", "output", "data_dir", "trainer", "contamination_check", "resume")
    }
    made = recipe_from(recipe, {**values, "trainer": trainer_arguments(trainer)})

    from isogloss.cli.console import TrainingBar, quiet_libraries, staged_progress

    quiet_libraries()
    from isogloss.training.processes import announced, leave
    from isogloss.training.run import train as run_training

    if announced().leads:
        with staged_progress() as progress:
            result = run_training(
                made,
                output,
                data_dir=data_dir,
                resume=resume,
                progress=TrainingBar(progress),
                contamination_check=contamination_check,
            )
        typer.echo(
            f"{result.steps} steps at {result.pairs_per_second:.1f} pairs a second; the model: {result.output}"
        )
    else:
        run_training(made, output, data_dir=data_dir, resume=resume, contamination_check=contamination_check)
    leave()
