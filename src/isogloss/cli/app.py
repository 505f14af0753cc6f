"""All commands joined."""

from __future__ import annotations

from typing import Annotated

import typer

from isogloss._version import __version__
from isogloss.cli import clean as _clean  # noqa: F401 - adds its commands to `data`
from isogloss.cli import convert, stats  # noqa: F401 - they add their commands to `isogloss data`
from isogloss.cli.audit import audit
from isogloss.cli.compare import compare
from isogloss.cli.data import data_app
from isogloss.cli.debias import debias
from isogloss.cli.demo import demo
from isogloss.cli.encode import encode
from isogloss.cli.evaluate import evaluate
from isogloss.cli.export import export
from isogloss.cli.index import index, unindex
from isogloss.cli.mine import mine
from isogloss.cli.model import model_app
from isogloss.cli.plan import plan
from isogloss.cli.search import search
from isogloss.cli.serve import serve
from isogloss.cli.study import study_app
from isogloss.cli.train import train
from isogloss.cli.translate import translate

app = typer.Typer(
    name="isogloss",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"isogloss {__version__}")
        raise typer.Exit


@app.callback()
def isogloss(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Measure and remove language bias in multilingual retrieval."""


app.command()(audit)
app.command()(evaluate)
app.command()(encode)
app.command()(compare)
app.command()(debias)
app.command()(export)
app.command()(train)
app.command()(plan)
app.command()(demo)
data_app.command()(mine)
app.command()(index)
app.command()(unindex)
app.command()(search)
data_app.command()(translate)
app.command()(serve)
app.add_typer(study_app, name="study")
app.add_typer(data_app, name="data")
app.add_typer(model_app, name="model")
