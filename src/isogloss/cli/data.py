"""`isogloss data ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isogloss.cli.options import DataDir

data_app = typer.Typer(no_args_is_help=True, help="Corpora and benchmarks.")


@data_app.command("list")
def list_benchmarks(data_dir: DataDir = None) -> None:
    """Name the known benchmarks, the bundled sample, and where they are on this machine."""
    from isogloss.cli.console import print_table
    from isogloss.corpus import known_benchmarks, sample_path
    from isogloss.corpus.sample import SPLITS
    from isogloss.reporting.tables import Table

    rows = [
        (
            known.name,
            " ".join(known.languages),
            known.licence,
            str(known.path or "not found"),
            known.description,
        )
        for known in known_benchmarks(data_dir)
    ]
    rows += [
        (
            f"sample:{split}",
            "ar de en es fr hi ru zh",
            "CC0 1.0",
            str(sample_path(split)),
            f"bundled sample, {split} items",
        )
        for split in SPLITS
    ]
    header = ("name", "languages", "licence", "where", "what it is")
    print_table(Table("benchmarks", header, tuple(rows), words=len(header)))


@data_app.command()
def check(
    path: Annotated[
        str, typer.Argument(help="JSONL(.gz), Parquet, a corpus folder, a SQuAD-R folder, sample:train.")
    ],
    data_dir: DataDir = None,
    show: Annotated[int, typer.Option(min=1, help="Problems to print at most.")] = 50,
) -> None:
    """Count a corpus's texts and parallel items, and find every problem with its file and line.

    Exit code 2 where there are problems. A field that is not read and looks misspelt is a warning.

    Example: isogloss data check my-faq.jsonl
    """
    from isogloss.cli.console import print_table
    from isogloss.corpus import check_corpus
    from isogloss.reporting.corpus import corpus_tables

    report = check_corpus(path, data_dir=data_dir)
    for table in corpus_tables(report):
        print_table(table)
    for warning in report.warnings:
        typer.echo(f"warning: {warning}")
    for problem in report.problems[:show]:
        typer.echo(str(problem))
    if report.problems:
        left = len(report.problems) - show
        typer.echo(
            f"{len(report.problems)} problem{'s' if len(report.problems) > 1 else ''}"
            + (f", {left} not shown" if left > 0 else "")
        )
        raise typer.Exit(2)
    typer.echo("no problems")


@data_app.command()
def split(
    source: Annotated[str, typer.Argument(help="Anything that reads as a corpus.")],
    output: Annotated[Path, typer.Argument(help="A new folder, for train.jsonl and dev.jsonl.")],
    dev: Annotated[float, typer.Option(help="Share of the items for development, about.")] = 0.2,
    seed: Annotated[int, typer.Option(min=0, help="Another seed parts otherwise.")] = 0,
    data_dir: DataDir = None,
) -> None:
    """Part a corpus into training and development items that share no article and no text.

    Items with one title, query or passage, in whatever language, stay together. Which side an item is on depends on its
    id and the seed, not on the order of the corpus.

    Example: isogloss data split my-faq.jsonl my-faq-parts --dev 0.2
    """
    from isogloss.corpus import read_corpus, write_jsonl
    from isogloss.corpus.splitting import development_items
    from isogloss.files import finished_folder, refuse_existing

    refuse_existing(output)
    corpus = read_corpus(source, data_dir=data_dir)
    chosen = development_items(corpus, dev, seed)
    with finished_folder(output) as folder:
        for name, mask in (("train", ~chosen), ("dev", chosen)):
            part = corpus.select(mask)
            write_jsonl(part, folder / f"{name}.jsonl")
            typer.echo(f"{len(part)} items in {len(part.languages)} languages: {output}/{name}.jsonl")


@data_app.command("texts")
def write_texts_to_encode(
    data: Annotated[
        str, typer.Argument(help="As `isogloss evaluate --data` takes it: xquad-r, my-faq.jsonl.")
    ],
    output: Annotated[Path, typer.Argument(help="A new file, .parquet or .jsonl.")],
    data_dir: DataDir = None,
) -> None:
    """Write the distinct texts of a benchmark, to encode them elsewhere.

    A row a text: side (query or passage) and text. Add a column vector (Parquet), or save an array of a vector a row
    under the same name as .npy, and give the file to `isogloss evaluate` as MODEL.

    Example: isogloss data texts sample:test texts.parquet
    """
    from isogloss.corpus import load_benchmark
    from isogloss.encoding.vector_files import distinct_texts, write_texts

    texts = distinct_texts(load_benchmark(data, data_dir))
    write_texts(texts, output)
    queries = sum(side == "query" for side, _ in texts)
    typer.echo(f"{queries} queries and {len(texts) - queries} passages: {output}")


@data_app.command("fetch")
def fetch(
    name: Annotated[str, typer.Argument(help="xquad-r or mlqa-r.")],
    output: Annotated[Path | None, typer.Option(help="Folder to make; default: a cache folder.")] = None,
) -> None:
    """Download a known benchmark from its public repository, at a pinned commit, and check its checksums.

    Example: isogloss data fetch xquad-r
    """
    from isogloss.corpus import fetch_benchmark

    typer.echo(f"fetched: {fetch_benchmark(name, output)}")
