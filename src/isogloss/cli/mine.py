"""`isogloss data mine`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isogloss.cli.options import (
    DataDir,
    Device,
    MaxLength,
    PassagePrompt,
    Precision,
    QueryPrompt,
    TokenBudget,
    open_model,
)


def mine(
    source: Annotated[str, typer.Argument(help="Anything that reads as a corpus.")],
    model: Annotated[str, typer.Option(help="As MODEL of `isogloss evaluate`; best the one to be trained.")],
    output: Annotated[Path, typer.Option(help="A new .jsonl, .jsonl.gz or .parquet file, or a new folder.")],
    count: Annotated[int, typer.Option(help="Negatives a query, at most.")] = 5,
    search: Annotated[
        str,
        typer.Option(
            help="within: each query among its own language's passages. parallel: also what the item's other languages"
            " find in theirs. all: every query among every language's."
        ),
    ] = "all",
    rank_from: Annotated[
        int, typer.Option(help="First place of a ranked list to look at; right answers have places too.")
    ] = 2,
    rank_to: Annotated[int, typer.Option(help="Last place to look at.")] = 50,
    margin: Annotated[
        float | None,
        typer.Option(
            help="Leave out what scores above the positive's score less this. [default: no such limit]"
        ),
    ] = None,
    relative_margin: Annotated[
        float,
        typer.Option(help="Leave out what scores above this part of the positive's score; 0: no such limit."),
    ] = 0.95,
    pick: Annotated[
        str,
        typer.Option(
            help="first: the places nearest to the top. random: any that were found, by seed and id."
        ),
    ] = "first",
    seed: Annotated[int, typer.Option(help="Of random.")] = 0,
    existing: Annotated[
        str,
        typer.Option(
            help="Negatives that are there: keep them before the mined ones, pool them with the passages to be mined,"
            " or drop them."
        ),
    ] = "keep",
    work: Annotated[
        Path | None,
        typer.Option(
            help="Folder for vectors and what is mined; kept, for other settings. [default: OUTPUT.mining,"
            " removed at the end]",
            show_default=False,
        ),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="A new JSON file for the report.")] = None,
    examples: Annotated[int, typer.Option(min=0, help="Examples to show.")] = 3,
    data_dir: DataDir = None,
    query_prompt: QueryPrompt = None,
    passage_prompt: PassagePrompt = None,
    max_length: MaxLength = None,
    precision: Precision = "float32",
    token_budget: TokenBudget = None,
    device: Device = None,
) -> None:
    """Add hard negatives to a corpus: passages that a model ranks high and that answer something else.

    A near miss that one language finds is one in all languages. A positive, its translations and passages of items that
    share a text with it are never taken. Ctrl-C is safe: the same command goes on.

    Example: isogloss data mine my-faq.jsonl --model multilingual-e5-small --output my-faq-mined.jsonl
    """
    import json

    from isogloss.cli.console import print_table, quiet_libraries, staged_progress
    from isogloss.files import finished_file
    from isogloss.mining.settings import MiningSettings
    from isogloss.mining.writing import check_output, write_mined

    settings = MiningSettings.of(
        count=count,
        rank_from=rank_from,
        rank_to=rank_to,
        margin=margin,
        relative_margin=relative_margin or None,
        search=search,
        pick=pick,
        seed=seed,
        existing=existing,
    )
    place = work or output.with_name(output.name + ".mining")
    check_output(output, report, place)

    from isogloss.corpus import read_corpus

    corpus = read_corpus(source, data_dir=data_dir)
    quiet_libraries()
    from isogloss.encoding.identity import passage_identity
    from isogloss.mining.mining import mine_negatives
    from isogloss.mining.report import mining_report, mining_tables
    from isogloss.mining.work import remove_work

    encoder = open_model(model, locals())
    identity = passage_identity(encoder)
    with staged_progress() as progress:
        mined = mine_negatives(corpus, encoder, settings, place, identity=identity, progress=progress)
    write_mined(mined, output, place)
    figures = {"model": encoder.describe(), **mining_report(mined, examples)}
    for table in mining_tables(figures):
        print_table(table)
    typer.echo(f"{figures['negatives']['mined']} negatives for {len(corpus)} items: {output}")
    if report is not None:
        with finished_file(report) as temporary:
            temporary.write_text(json.dumps(figures, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        typer.echo(f"report: {report}")
    if work is None:
        remove_work(place)
    else:
        typer.echo(f"vectors: {work} (kept for other settings; remove it when done)")
