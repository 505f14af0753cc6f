"""`isogloss data convert` and `isogloss data formats`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isogloss.cli.data import data_app
from isogloss.cli.options import DataDir
from isogloss.cli.stream_progress import StreamProgress

if TYPE_CHECKING:
    from isogloss.corpus.published.reading import ReadOptions
    from isogloss.corpus.streaming import VersionStream


@data_app.command()
def convert(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Anything that reads as a corpus; with --from, a file or folder of that form; with --to, a benchmark. "
            "Several are joined.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Argument(
            help="A name ending in .jsonl, .jsonl.gz or .parquet, or a new folder; with --to a new folder."
        ),
    ],
    data_dir: DataDir = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FORMAT",
            help="SOURCE is in this published form; `isogloss data formats` lists them.",
            show_default=False,
        ),
    ] = None,
    languages: Annotated[
        list[str] | None,
        typer.Option(
            "--language",
            help="Keep this language alone; repeatable. With --from, also: what language the data are in.",
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="With --from: train, dev, test or all. Default: train where there is one, else all."
        ),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="FIELD=COLUMN",
            help="With --from table: which column is the query, passage, id, language, title, negative, negatives or "
            "dataset; repeatable.",
        ),
    ] = None,
    passage: Annotated[
        str,
        typer.Option(
            help="With --from: paragraph, or sentence: the one with the answer; the paragraph's others are negatives."
        ),
    ] = "paragraph",
    pairs: Annotated[
        str | None,
        typer.Option(
            help="With --from mmarco or msmarco: triples or qrels. Default: triples where there are any.",
            show_default=False,
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            help="beir: corpus.jsonl, queries.jsonl and qrels, one pool of all languages, which are named in metadata. "
            "mteb: a dataset folder with a subset for each mono-LL, cross-LL-LL and multi-LL.",
            show_default=False,
        ),
    ] = None,
    apart: Annotated[
        bool,
        typer.Option("--apart", help="With --to beir: a folder for each mono-LL, cross-LL-LL and multi-LL."),
    ] = False,
) -> None:
    """Write a corpus in another form, or published data as a corpus.

    A folder is memory-mapped Arrow, the quickest to train from. Records are read and written one after the other,
    whatever the size. What a published form has and a corpus does not take, such as questions without an answer, is
    counted by reason.

    Example: isogloss data convert my-faq.jsonl.gz my-faq

    Example: isogloss data convert sample:train english.jsonl --language en

    Example: isogloss data convert mmarco mmarco-corpus --from mmarco --language de --language en

    Example: isogloss data convert faq.csv faq --from table --language en --column query=asked --column passage=text

    Example: isogloss data convert xquad-r xquad-r-beir --to beir
    """
    from isogloss.errors import RecipeError

    options = {
        "--split": split,
        "--column": columns,
        "--passage": None if passage == "paragraph" else passage,
        "--pairs": pairs,
    }
    if from_ is None and (lonely := next((name for name, value in options.items() if value), None)):
        raise RecipeError(f"{lonely} goes with --from FORMAT; `isogloss data formats` lists them")
    if to is not None:
        if from_ is not None or len(sources) > 1 or languages:
            raise RecipeError(
                "--to takes one benchmark, and no --from or --language: convert to a corpus first"
            )
        _export(sources[0], output, data_dir, to, apart)
        return
    if apart:
        raise RecipeError("--apart goes with --to beir")
    from isogloss.corpus.streaming import join_streams, open_stream, select_languages

    if from_ is None:
        stream = join_streams([open_stream(source, data_dir=data_dir) for source in sources])
        _write(select_languages(stream, _languages(languages)) if languages else stream, output)
        return
    from isogloss.corpus.published.formats import Reading, open_published

    with Reading(_options(languages, split, columns, passage, pairs)) as reading:
        _write(join_streams([open_published(Path(source), from_, reading) for source in sources]), output)
    for reason, count in reading.skipped.most_common():
        typer.echo(f"{count:,} {reason}")


@data_app.command()
def formats(
    name: Annotated[
        str | None, typer.Argument(help="Say all about this one. Default: list them.", show_default=False)
    ] = None,
) -> None:
    """List the published forms that `isogloss data convert --from` reads, with their files, licences and citations.

    Example: isogloss data formats mmarco
    """
    from isogloss.cli.console import print_table
    from isogloss.corpus.published.formats import FORMATS
    from isogloss.errors import RecipeError
    from isogloss.reporting.tables import Table

    if name is None:
        rows = [
            (form.name, form.description, form.files, form.languages, form.licence, form.citation)
            for form in FORMATS.values()
        ]
        header = ("name", "what it is", "files", "languages", "licence", "cite")
        print_table(Table("published forms", header, tuple(rows), words=len(header)))
        return
    if name not in FORMATS:
        raise RecipeError(f"{name}: no such form; there are {', '.join(FORMATS)}")
    form = FORMATS[name]
    told = {
        "what it is": form.description,
        "files": form.files,
        "languages": form.languages,
        "items in several languages": "yes" if form.parallel else "no",
        "options": " ".join(f"--{option}" for option in ("language", *sorted(form.options))),
        "licence": form.licence,
        "cite": form.citation,
        "form": (form.read.__doc__ or "").strip(),
    }
    for label, text in told.items():
        typer.echo(f"{label}: {text}")


def _write(stream: VersionStream, output: Path) -> None:
    """Copy a stream to an output, with a progress bar, and say what was written."""
    from isogloss.corpus.streaming import copy_versions
    from isogloss.errors import OutputError

    if output.is_file():
        raise OutputError(f"{output}: the file exists; choose another name or remove it")
    with StreamProgress([stream], "converting") as report:
        writer = copy_versions(stream, output, report)
    typer.echo(f"{writer.items} items in {len(writer.languages)} languages: {output}")


def _options(
    languages: list[str] | None, split: str | None, columns: list[str] | None, passage: str, pairs: str | None
) -> ReadOptions:
    from isogloss.corpus.published.reading import ReadOptions
    from isogloss.corpus.published.tables import FIELDS
    from isogloss.errors import RecipeError

    if passage not in ("paragraph", "sentence"):
        raise RecipeError(f"--passage {passage}: give paragraph or sentence")
    if pairs not in (None, "triples", "qrels"):
        raise RecipeError(f"--pairs {pairs}: give triples or qrels")
    named: dict[str, str] = {}
    for column in columns or []:
        field, equals, name = column.partition("=")
        if not equals or field not in FIELDS:
            raise RecipeError(f"--column {column}: give FIELD=COLUMN, with a field of {', '.join(FIELDS)}")
        named[field] = name
    return ReadOptions(
        languages=_languages(languages),
        split=split,
        columns=named,
        passage=passage,
        pairs=pairs,
    )


def _languages(codes: list[str] | None) -> tuple[str, ...]:
    from isogloss.corpus import standard_language

    return tuple(sorted({standard_language(code) for code in codes or []}))


def _export(source: str, output: Path, data_dir: Path | None, to: str, apart: bool) -> None:
    """Write a benchmark as a folder of another tool."""
    from isogloss.corpus import load_benchmark
    from isogloss.errors import RecipeError
    from isogloss.exchange.beir import write_beir, write_beir_subsets
    from isogloss.exchange.mteb_dataset import write_mteb_dataset
    from isogloss.files import refuse_existing

    if to not in ("beir", "mteb"):
        raise RecipeError(f"--to {to}: no such form; there are beir and mteb")
    if apart and to != "beir":
        raise RecipeError("--apart goes with --to beir; mteb's subsets lie in one folder")
    refuse_existing(output)
    benchmark = load_benchmark(source, data_dir)
    what = f"{len(benchmark.query_ids)} queries, {len(benchmark.candidate_ids)} candidates"
    if to == "mteb":
        what += f" in {len(write_mteb_dataset(benchmark, output))} subsets"
    elif apart:
        what += f" in {len(write_beir_subsets(benchmark, output))} folders"
    else:
        write_beir(benchmark, output)
    typer.echo(f"{what}: {output}")
