"""`isogloss debias`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isogloss.cli.options import DataDir, Device, Languages, Model, PassagePrompt, QueryPrompt


def debias(
    model: Model,
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
    reference: Annotated[
        str | None,
        typer.Option(
            help="The language onto whose mean shift moves the others, e.g. en. Default: the mean of all languages'"
            " means."
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
    directions in which the means differ. project needs no language and makes of a sentence-transformers model another
    one; for the others evaluate says each text's language, and elsewhere it is detected (extra `detect`). Of an
    endpoint, an ONNX export or stored vectors, OUTPUT holds the cure alone, and names them.

    Example: isogloss debias multilingual-e5-small --method project --fit sample:train --output cured
    """
    from isogloss.cli.console import quiet_libraries, staged_progress
    from isogloss.corpus import is_language, load_benchmark, standard_language
    from isogloss.encoding.debias.cures import METHODS
    from isogloss.encoding.debias.saved import is_cured
    from isogloss.errors import RecipeError
    from isogloss.files import refuse_existing

    chosen = next((one for one in METHODS if one == method), None)
    if chosen is None:
        raise RecipeError(f"--method {method}: give one of {', '.join(METHODS)}")
    refuse_existing(output)
    if is_cured(Path(model).expanduser()):
        raise RecipeError(f"{model}: has a cure already; give the model that it was made of")
    if reference is not None and is_language(reference):
        reference = standard_language(reference)
    benchmark = load_benchmark(data, data_dir)
    if languages:
        benchmark = benchmark.subset(languages)

    quiet_libraries()
    from isogloss.encoding.debias.fitting import distinct_texts, fit_on
    from isogloss.encoding.debias.saved import save_cured
    from isogloss.encoding.encoder import running_total
    from isogloss.encoding.opening import open_encoder

    encoder = open_encoder(model, query_prompt=query_prompt, passage_prompt=passage_prompt, device=device)
    total = sum(map(len, distinct_texts(benchmark)))
    with staged_progress() as progress:
        cure, fitted_on = fit_on(
            encoder,
            benchmark,
            chosen,
            directions,
            running_total(lambda done: progress("encoding", done, total)),
            reference,
        )
    save_cured(encoder, cure, fitted_on, output)
    typer.echo(f"fitted on {total:,} texts of {benchmark.name} in {', '.join(cure.languages)}")
    typer.echo(f"written: {output}")
