"""`isogloss audit`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from isogloss.cli.options import (
    DataDir,
    Device,
    Languages,
    MaxLength,
    Model,
    PassagePrompt,
    Precision,
    QueryPrompt,
    Split,
    open_model,
)


def audit(
    model: Model,
    data: Annotated[
        str,
        typer.Option(
            help="sample:test, xquad-r, mlqa-r, a parallel corpus (JSONL(.gz), Parquet, a folder), or a folder in "
            "BEIR's or MTEB's form whose records say their language."
        ),
    ] = "sample:test",
    output: Annotated[
        Path | None,
        typer.Option(
            help="New page, such as report.html; what it rests on goes to a new folder of the same name (report/). With"
            " another name: one new folder with the page as index.html. Without it the findings are only printed."
        ),
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of an earlier audit or evaluation of the same data; repeatable."),
    ] = None,
    worst: Annotated[int, typer.Option(min=0, help="How many of the worst queries to show.")] = 10,
    data_dir: DataDir = None,
    split: Split = None,
    languages: Languages = None,
    query_prompt: QueryPrompt = None,
    passage_prompt: PassagePrompt = None,
    max_length: MaxLength = None,
    precision: Precision = "float32",
    device: Device = None,
) -> None:
    """Say on one page whether a model is fair to every language.

    The verdict in two sentences; quality with intervals; heatmaps by query and candidate language; rank distances;
    scores; the queries served worst; comparison with earlier audits and published figures. The page needs no network.
    Beside it lie results.json and per_query.parquet, as evaluate writes them, and tables as Markdown, CSV and LaTeX.

    Example: isogloss audit intfloat/multilingual-e5-small --output report.html
    """
    from isogloss.cli.console import print_table, quiet_libraries, staged_progress
    from isogloss.cli.trained import trained_from
    from isogloss.corpus import load_benchmark
    from isogloss.errors import DataError, RecipeError
    from isogloss.files import refuse_existing

    page = folder = None
    if output is not None:
        page, folder = (output, output.with_suffix("")) if output.suffix == ".html" else (None, output)
        refuse_existing(folder)
        if page is not None and (page.exists() or page.is_symlink()):
            raise RecipeError(f"{page}: exists already; choose another --output")
    elif against:
        raise RecipeError("--against is shown on the page: give --output")
    trained = trained_from(model, None, None)
    benchmark = load_benchmark(data, data_dir, split=split)
    if languages:
        benchmark = benchmark.subset(languages)

    quiet_libraries()
    from isogloss.evaluation.model_evaluation import evaluate_model
    from isogloss.evaluation.seen_unseen import with_training
    from isogloss.evaluation.significance import read_saved_runs
    from isogloss.reporting.audit.earlier import COMPARED
    from isogloss.reporting.audit.verdict import verdict
    from isogloss.reporting.audit.writing import write_audit
    from isogloss.reporting.bias import bias_table
    from isogloss.reporting.results import model_results, reading_notes
    from isogloss.reporting.tables import settings_table

    for before in against or []:
        earlier = read_saved_runs([before], COMPARED).data
        if earlier["checksum"] != benchmark.checksum:
            raise DataError(
                f"{before}: is of other data ({earlier['name']}, {earlier['queries']} queries); audits of the same data"
                " can be compared"
            )
    encoder = open_model(model, locals())
    with staged_progress() as progress:
        evaluation, encoded = evaluate_model(encoder, benchmark, progress)
    results = model_results(evaluation, encoder, encoded)
    if trained is not None:
        results = with_training(results, trained)
    print_table(settings_table(results))
    print_table(bias_table(results))
    for note in reading_notes(results):
        typer.echo(f"note: {note}", err=True)
    said = verdict(results)
    typer.echo(f"{said.level.upper()}. {said.bias} {said.quality}")
    if folder is not None:
        write_audit(
            folder,
            results,
            evaluation,
            encoded,
            benchmark,
            page=page,
            against=against or [],
            worst=worst,
            command=shlex.join(["isogloss", *sys.argv[1:]]),
        )
        typer.echo(f"written: {page or folder / 'index.html'}")
