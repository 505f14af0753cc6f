"""`isogloss data clean` and `isogloss data decontaminate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isogloss.cli.data import data_app
from isogloss.cli.options import DataDir

_Corpus = Annotated[str, typer.Argument(help="Anything that reads as a corpus.")]
_Output = Annotated[
    Path, typer.Option(help="A new file ending in .jsonl, .jsonl.gz or .parquet.", show_default=False)
]
_Report = Annotated[
    list[Path] | None,
    typer.Option(help="Write what was done to a file, .html, .md or .json; repeatable.", show_default=False),
]
_Removed = Annotated[
    Path | None,
    typer.Option(
        help="A new .jsonl or .jsonl.gz for every record removed, with the rule and its figure.",
        show_default=False,
    ),
]
_Encoder = Annotated[
    str | None,
    typer.Option(help="A model, as `isogloss evaluate` takes it. Default: none.", show_default=False),
]


@data_app.command("clean")
def clean_corpus(
    corpus: _Corpus,
    output: _Output,
    report: _Report = None,
    removed: _Removed = None,
    options: Annotated[
        Path | None,
        typer.Option(help="A TOML file of the options below; these override it.", show_default=False),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            help="Another split, corpus or benchmark: items that it has, exactly or nearly, are removed; repeatable.",
            show_default=False,
        ),
    ] = None,
    normalize: Annotated[
        bool | None,
        typer.Option(
            "--normalize/--no-normalize",
            help="Unicode NFC, no control characters, single spaces. [default: normalize]",
            show_default=False,
        ),
    ] = None,
    min_characters: Annotated[
        int | None, typer.Option(help="Letters and digits that query and passage must have. [default: 2]")
    ] = None,
    min_letters: Annotated[
        float | None, typer.Option(help="Share of letters in query and passage. [default: 0.4]")
    ] = None,
    min_script: Annotated[
        float | None, typer.Option(help="Share of letters in the language's script. [default: 0.2]")
    ] = None,
    max_repetition: Annotated[
        float | None,
        typer.Option(help="Share of runs of four words that came before in the text; 0: off. [default: 0.3]"),
    ] = None,
    max_repeated_characters: Annotated[
        int | None, typer.Option(help="One character in a row; 0: off. [default: 20]")
    ] = None,
    max_markup: Annotated[
        float | None, typer.Option(help="Share of addresses, tags and entities; 0: off. [default: 0.3]")
    ] = None,
    mismatched: Annotated[
        str | None,
        typer.Option(
            help="Texts in another language than they say: remove, relabel or keep. [default: remove]"
        ),
    ] = None,
    language_confidence: Annotated[
        float | None, typer.Option(help="Probability that the other language must have. [default: 0.8]")
    ] = None,
    min_language_characters: Annotated[
        int | None, typer.Option(help="Letters below which no language is judged. [default: 40]")
    ] = None,
    exact_duplicates: Annotated[
        bool | None,
        typer.Option(
            "--exact-duplicates/--no-exact-duplicates",
            help="Of items with query and passage of another, keep one. [default: exact-duplicates]",
            show_default=False,
        ),
    ] = None,
    near_duplicates: Annotated[
        float | None,
        typer.Option(help="Likewise at this Jaccard similarity of both, 0.5 to 1; 0: off. [default: 0.9]"),
    ] = None,
    copies: Annotated[
        int | None,
        typer.Option(help="Letters from which a text in two languages is a copy; 0: off. [default: 20]"),
    ] = None,
    length_factor: Annotated[
        float | None,
        typer.Option(
            help="Times longer or shorter than the item's other languages say; 0: off. [default: 3.0]"
        ),
    ] = None,
    query_passage_factor: Annotated[
        float | None,
        typer.Option(help="Likewise of the passage for its query; 0: off. [default: 30.0]"),
    ] = None,
    encoder: _Encoder = None,
    translation_similarity: Annotated[
        float | None,
        typer.Option(help="Least similarity of translations under --encoder. [default: found on the data]"),
    ] = None,
    false_positive_rate: Annotated[
        float | None,
        typer.Option(
            help="Share of shuffled pairs that may pass where it is found on the data. [default: 0.01]"
        ),
    ] = None,
    min_languages: Annotated[
        int | None, typer.Option(help="Languages that an item must be left with. [default: 1]")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Clean a corpus: broken records, duplicates, wrong languages, bad translations, odd characters and lengths.

    Every removed record goes to --removed, with the rule and the figure it went by.

    Example: isogloss data clean my-faq.jsonl --output clean.jsonl --removed removed.jsonl --report clean.html
    """
    values = dict(locals())
    from isogloss.cleaning.options import CleaningOptions, cleaning_options

    chosen = cleaning_options(
        {name: value for name, value in values.items() if name in CleaningOptions.model_fields}, options
    )
    from isogloss.cleaning.pipeline import clean
    from isogloss.cli.console import print_table, staged_progress
    from isogloss.reporting.cleaning import check_report_names, cleaning_tables, write_report

    reports = report or []
    check_report_names(reports, (output, removed))
    with staged_progress() as progress:
        done = clean(
            corpus,
            output,
            chosen,
            removed=removed,
            against=_listed(against),
            data_dir=data_dir,
            encoder=_opened(chosen.encoder),
            progress=progress,
        )
    title, tables = cleaning_tables(done)
    for table in tables:
        print_table(table)
    for path in reports:
        write_report(path, title, tables, done.as_json())
    typer.echo(
        f"{done.written_records} of {done.records} records, {done.items_written} of {done.items} items: {output}"
    )


@data_app.command()
def decontaminate(
    corpus: _Corpus,
    against: Annotated[
        list[str],
        typer.Option(
            help="Benchmarks, with commas or repeated: xquad-r, mlqa-r, a folder in BEIR's, MTEB's or SQuAD-R's form, "
            "a file; all that --data of `isogloss evaluate` takes.",
            show_default=False,
        ),
    ],
    output: _Output,
    report: _Report = None,
    removed: _Removed = None,
    ngram: Annotated[int, typer.Option(min=1, help="Words in a run.")] = 8,
    characters: Annotated[
        int, typer.Option(min=1, help="Characters in a run, in scripts without spaces.")
    ] = 16,
    coverage: Annotated[
        float,
        typer.Option(
            help="Share of the shorter text's words in runs that both have; above 1: not looked at."
        ),
    ] = 0.7,
    similarity: Annotated[
        float, typer.Option(min=0, max=1, help="Jaccard similarity of near duplicates; 0: not looked for.")
    ] = 0.55,
    min_characters: Annotated[
        int,
        typer.Option(min=1, help="Shorter evaluation texts match whole texts alone."),
    ] = 20,
    encoder: _Encoder = None,
    encoder_similarity: Annotated[
        float, typer.Option(min=-1, max=1, help="Cosine under --encoder from which two texts match.")
    ] = 0.95,
    data_dir: DataDir = None,
) -> None:
    """Remove the items whose query or passage is in a benchmark, in whatever language, from a training corpus.

    A match in one language removes the item in all.

    Example: isogloss data decontaminate my-faq.jsonl --against xquad-r,mlqa-r --output safe.jsonl
    """
    from isogloss.cleaning.decontamination import decontaminate as run
    from isogloss.cleaning.matching import MatchingOptions
    from isogloss.cli.console import print_table, staged_progress
    from isogloss.reporting.cleaning import (
        check_report_names,
        contamination_json,
        contamination_tables,
        write_report,
    )

    options = MatchingOptions(ngram, characters, coverage, similarity or None, min_characters)
    reports = report or []
    check_report_names(reports, (output, removed))
    with staged_progress() as progress:
        found, written, gone = run(
            corpus,
            _listed(against),
            output,
            options=options,
            removed=removed,
            data_dir=data_dir,
            encoder=_opened(encoder),
            encoder_similarity=encoder_similarity,
            progress=progress,
        )
    title, tables = contamination_tables(found, corpus)
    for table in tables:
        print_table(table)
    for path in reports:
        write_report(path, title, tables, contamination_json(found))
    typer.echo(f"{gone} records of {len(found.items)} items removed, {written} kept: {output}")


def _listed(values: list[str] | None) -> list[str]:
    """Names given with commas, repeated or both."""
    return [name for value in values or [] for name in value.split(",") if name]


def _opened(name: str | None):  # type: ignore[no-untyped-def] # noqa: ANN202 - naming the type would import torch
    if name is None:
        return None
    from isogloss.cli.console import quiet_libraries

    quiet_libraries()
    from isogloss.encoding.opening import open_encoder

    return open_encoder(name)
