"""`isogloss data stats`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isogloss.cli.data import data_app
from isogloss.cli.options import DataDir

_FORMS = (".json", ".csv", ".md", ".tex")


@data_app.command()
def stats(
    corpora: Annotated[
        list[str],
        typer.Argument(
            metavar="CORPUS...", help="Anything that reads as a corpus; several.", show_default=False
        ),
    ],
    data_dir: DataDir = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Also count the tokens that this model makes of the texts."),
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            help="Also write to this file: .json or .csv (by data set), .md or .tex (tables); repeatable."
        ),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Count pairs by data set and language, and give percentiles of the lengths of queries and passages.

    Corpora of any size are gone through once, one record after the other.

    Example: isogloss data stats mmarco-corpus wikiqa.jsonl --tokenizer multilingual-e5-small --output stats.md
    """
    from isogloss.errors import RecipeError

    for path in output or []:
        if path.suffix not in _FORMS:
            raise RecipeError(f"--output {path}: give a name that ends in {', '.join(_FORMS)}")
    from isogloss.cli.console import print_table
    from isogloss.cli.stream_progress import StreamProgress
    from isogloss.corpus.statistics import corpus_statistics
    from isogloss.corpus.streaming import open_stream
    from isogloss.evaluation.results import write_results
    from isogloss.files import finished_file
    from isogloss.reporting.corpus_statistics import (
        statistics_results,
        statistics_rows,
        statistics_tables,
    )
    from isogloss.reporting.tables import csv_text, latex, markdown

    count_tokens = None
    if tokenizer is not None:
        from isogloss.cli.console import quiet_libraries
        from isogloss.encoding.token_counts import token_counter

        quiet_libraries()
        count_tokens = token_counter(tokenizer)
    streams = [open_stream(corpus, data_dir=data_dir) for corpus in corpora]
    with StreamProgress(streams, "counting") as report:
        statistics = corpus_statistics(streams, count_tokens, report)
    results = statistics_results(statistics, tokenizer)
    tables = statistics_tables(statistics)
    if json_:
        import json

        typer.echo(json.dumps(results, ensure_ascii=False, indent=2))
    else:
        for table in tables:
            print_table(table)
    for path in output or []:
        if path.suffix == ".json":
            write_results(results, path)
        else:
            if path.suffix == ".csv":
                text = csv_text(statistics_rows(statistics))
            elif path.suffix == ".md":
                text = "\n\n".join(f"**{table.title}**\n\n{markdown(table)}" for table in tables) + "\n"
            else:
                text = "\n".join(f"% {table.title}\n{latex(table)}\n" for table in tables)
            with finished_file(path) as temporary:
                temporary.write_text(text, encoding="utf-8", newline="")
        typer.echo(f"written: {path}", err=json_)
