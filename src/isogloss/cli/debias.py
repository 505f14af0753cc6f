"""`isogloss debias`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isogloss.cli.options import DataDir, Device, Languages, PassagePrompt, QueryPrompt


def debias(
    model: Annotated[str, typer.Argument(help="A model folder, an offline model's name, or a hub name.")],
    method: Annotated[str, typer.Option(help="centre, shift or project.")],
    data: Annotated[
        str,
        typer.Option(
            "--fit",
            help="Whose texts the cure is fitted on: a parallel corpus, sample:train, or the very benchmark to be"
            " evaluated (then say so). Only texts and their languages are read.",
        ),
    ],
    output: Annotated[Path, typer.Option(help="New model folder.")],
    directions: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many directions project removes. Default: all in which the languages' means differ, one fewer"
            " than there are languages.",
        ),
    ] = None,
    data_dir: DataDir = None,
    languages: Languages = None,
    query_prompt: QueryPrompt = None,
    passage_prompt: PassagePrompt = None,
    device: Device = None,
) -> None:
    """Take language out of a model's vectors, without training.

    centre subtracts each language's mean; shift moves each language's mean onto the mean of all; project removes the
    directions in which the means differ. project needs no language and makes a plain sentence-transformers folder;
    for the others evaluate says each text's language, and elsewhere it is detected (extra `detect`).

    Example: isogloss debias multilingual-e5-small --method project --fit sample:train --output cured
    """
    from isogloss.cli.console import quiet_libraries, staged_progress
    from isogloss.corpus import load_benchmark
    from isogloss.encoding.debias.cures import METHODS
    from isogloss.errors import RecipeError
    from isogloss.files import refuse_existing

    chosen = next((one for one in METHODS if one == method), None)
    if chosen is None:
        raise RecipeError(f"--method {method}: give one of {', '.join(METHODS)}")
    refuse_existing(output)
    benchmark = load_benchmark(data, data_dir)
    if languages:
        benchmark = benchmark.subset(languages)

    quiet_libraries()
    from isogloss.encoding.debias.fitting import distinct_texts, fit_on
    from isogloss.encoding.debias.saved import save_cured
    from isogloss.encoding.encoder import SentenceTransformerEncoder, running_total

    encoder = SentenceTransformerEncoder.load(
        model, query_prompt=query_prompt, passage_prompt=passage_prompt, device=device
    )
    total = sum(map(len, distinct_texts(benchmark)))
    with staged_progress() as progress:
        cure, fitted_on = fit_on(
            encoder,
            benchmark,
            chosen,
            directions,
            running_total(lambda done: progress("encoding", done, total)),
        )
    save_cured(encoder, cure, fitted_on, output)
    typer.echo(f"fitted on {total:,} texts of {benchmark.name} in {', '.join(cure.languages)}")
    typer.echo(f"written: {output}")
