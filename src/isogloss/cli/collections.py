"""The part of `isogloss evaluate` that measures retrieval over large corpora."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from isogloss.errors import RecipeError

if TYPE_CHECKING:
    from isogloss.encoding.encoder import Encoder


def evaluate_collection_folder(
    load: Callable[[], Encoder],
    data: Path,
    work: Path | None,
    split: str | None,
    languages: list[str] | None,
    output: Path | None,
    run_depth: int | None,
) -> None:
    """Evaluate a model on a folder in MIRACL's or BEIR's form.

    Args:
        load: loads the model; called once the folder has been looked through.
        data: the folder.
        work: where vectors are kept.
        split: which qrels, None for the only ones.
        languages: folders of languages, None for all.
        output: new folder for the results, or None.
        run_depth: candidates a query in run files, None for no run files.
    """
    from isogloss.cli.console import print_table, quiet_libraries, staged_progress
    from isogloss.corpus.collection import find_collections
    from isogloss.files import finished_folder
    from isogloss.reporting.tables import collections_table

    collections = find_collections(data, split=split, languages=languages or ())
    if work is None:
        raise RecipeError(
            f"{data} is a corpus of any size, whose vectors are kept on disk: give --work, a folder for them (a million"
            " passages take 1.5 GB at 384 dimensions). One corpus in several languages is a benchmark of the three"
            " settings, without --work, where its records say their language: metadata.language"
        )
    if run_depth is not None and run_depth < 1:
        raise RecipeError("--run-depth 0: whole rankings of such a corpus are not kept; give at least 1")

    quiet_libraries()
    from isogloss.encoding.identity import passage_identity
    from isogloss.encoding.versions import library_versions
    from isogloss.evaluation.collection_results import (
        collection_results,
        write_collection_per_query,
        write_collection_runs,
    )
    from isogloss.evaluation.collections import DEPTH, evaluate_collections
    from isogloss.evaluation.results import write_results

    encoder = load()
    identity = passage_identity(encoder)
    with staged_progress() as progress:
        scores = evaluate_collections(
            encoder, collections, work, identity=identity, depth=max(run_depth or 0, DEPTH), progress=progress
        )
    results = collection_results(
        scores,
        name=data.resolve().name,
        model={**encoder.describe(), **{key: identity[key] for key in ("weights",) if key in identity}},
        versions=library_versions(),
    )
    print_table(collections_table(results))
    if lost := results["data"]["lost"]:
        typer.echo(
            f"note: the corpus lacks the passages of {lost} relevant pairs; they count as never found",
            err=True,
        )
    if output is not None:
        with finished_folder(output) as folder:
            write_results(results, folder / "results.json")
            write_collection_per_query(scores, folder / "per_query.parquet")
            if run_depth is not None:
                write_collection_runs(scores, folder / "runs", depth=run_depth)
        typer.echo(f"written: {output}/results.json")
    typer.echo(f"vectors: {work} (kept for another evaluation; remove it when done)")
