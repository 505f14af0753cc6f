"""`isogloss search`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isogloss.cli.index import Token
from isogloss.cli.options import Device

if TYPE_CHECKING:
    from isogloss.search import Hit

_SHOWN = 300
"""Characters of a text."""


def search(
    index: Annotated[Path, typer.Argument(help="An index that `isogloss index` made.")],
    question: Annotated[str, typer.Argument(help="In any language.")],
    top_k: Annotated[int, typer.Option(min=1, max=1000, help="Passages to find.")] = 10,
    languages: Annotated[
        list[str] | None,
        typer.Option(
            "--language", help="Find passages of this language alone; repeat for several. Default: all."
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            help="On metadata: 'year>=2020', 'source=a.md', 'topic in health,travel'; repeat, and all must hold."
        ),
    ] = None,
    balance: Annotated[
        str,
        typer.Option(
            help="none; quota: an equal share of the places for each language; centred: scores less what a language"
            " as such gains."
        ),
    ] = "none",
    words: Annotated[
        bool,
        typer.Option(
            "--words", help="Rank by words too, with BM25: for codes and names; favours the asker's language."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line, whole texts.")] = False,
    model: Annotated[
        str | None,
        typer.Option(help="Where the model is now; default: where it was when the index was made."),
    ] = None,
    token: Token = None,
    device: Device = None,
) -> None:
    """Find the passages that answer a question, in every language.

    Example: isogloss search faq-index "Why is my Wi-Fi slow in the evening?" --top-k 5
    """
    import json

    from isogloss.cli.console import quiet_libraries

    quiet_libraries()
    from isogloss.search import Searcher

    with Searcher.open(index, model=model, device=device, token=token) as searcher:
        hits = searcher.search(
            question, top_k=top_k, languages=languages or (), where=where or (), balance=balance, words=words
        )
    if as_json:
        for hit in hits:
            typer.echo(json.dumps(hit.as_record(), ensure_ascii=False))
        return
    if not hits:
        typer.echo("nothing found")
    for hit in hits:
        typer.echo(_shown(hit))


def _shown(hit: Hit) -> str:
    text = " ".join(hit.text.split())
    if len(text) > _SHOWN:
        text = text[:_SHOWN].rsplit(" ", 1)[0] + " …"
    return (
        f"{hit.rank}. {hit.score:.4f}  {hit.language}  {hit.id}\n"
        + (f"   {hit.title}\n" if hit.title else "")
        + f"   {text}"
    )
