"""`isogloss index` and `isogloss unindex`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isogloss.cli.options import (
    Device,
    MaxLength,
    PassagePrompt,
    Precision,
    QueryPrompt,
    TokenBudget,
    open_model,
)

if TYPE_CHECKING:
    from isogloss.encoding.encoder import Encoder
    from isogloss.search import IndexWriter, Updated

Token = Annotated[
    str | None,
    typer.Option(envvar="ISOGLOSS_MILVUS_TOKEN", help="Of a Milvus server: user:password, or an API key."),
]


def index(
    model: Annotated[
        str,
        typer.Argument(
            help="A model folder, an offline model's name, or a hub name; an export; an endpoint."
        ),
    ],
    passages: Annotated[
        list[str],
        typer.Argument(
            help="JSONL(.gz), CSV, TSV, Parquet, .txt, .md, .html, a folder of such files, sample:train."
        ),
    ],
    output: Annotated[Path, typer.Option(help="The index: a new folder, or an index to bring up to date.")],
    language: Annotated[
        str | None, typer.Option(help="Of passages that say none; default: it is detected.")
    ] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove passages of the index that are not among these.")
    ] = False,
    backend: Annotated[
        str, typer.Option(help="exact, in memory; or milvus, approximate: a file, or a server with --uri.")
    ] = "exact",
    uri: Annotated[
        str, typer.Option(help="Of a Milvus server, http://HOST:19530; default: a file in the index.")
    ] = "",
    token: Token = None,
    words: Annotated[
        bool, typer.Option("--words/--no-words", help="Find passages by their words too, with BM25.")
    ] = True,
    passage_length: Annotated[
        int, typer.Option(min=50, help="Characters a passage of a document, at most.")
    ] = 600,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Measure the back end's recall against exact search, and print it."),
    ] = False,
    verify_questions: Annotated[
        Path | None,
        typer.Option(help="With --verify: a question a line. Default: 200 passages of the index."),
    ] = None,
    query_prompt: QueryPrompt = None,
    passage_prompt: PassagePrompt = None,
    max_length: MaxLength = None,
    precision: Precision = "float32",
    token_budget: TokenBudget = None,
    device: Device = None,
) -> None:
    """Encode passages into an index, or bring one up to date; what is unchanged costs nothing.

    A passage is known by its id, and by its language where the data say it. Passages without an id are called after
    their file: of a file given again, and of a folder given again, those that are gone are removed. Until an update is
    done, searches see the index before it. A stopped update is gone on with by the same command.

    Example: isogloss index multilingual-e5-small sample:test --output faq-index
    """
    from isogloss.errors import RecipeError

    if verify_questions is not None and not verify:
        raise RecipeError("--verify-questions goes with --verify")
    from isogloss.cli.console import quiet_libraries, staged_progress
    from isogloss.corpus.languages import standard_language

    said = standard_language(language) if language is not None else None
    from isogloss.search.sources import find_files, name_files, passages_of
    from isogloss.search.verifying import read_questions

    found = find_files(passages)
    questions = None if verify_questions is None else read_questions(verify_questions)
    quiet_libraries()
    encoder = open_model(model, locals())
    made_with = {
        "query_prompt": query_prompt,
        "passage_prompt": passage_prompt,
        "max_length": max_length,
        "precision": precision,
    }
    with (
        _writer(output, encoder, model, backend, uri, words, made_with, token) as writer,
        staged_progress() as progress,
    ):
        files = name_files(found, writer.known_files(), prune=prune)
        updated = writer.update(
            passages_of(files.paths, language=said, longest=passage_length),
            encoder,
            files=files,
            prune=prune,
            progress=lambda stage, done: progress(stage, done, None),
        )
    if files.lengthened:
        typer.echo(
            f"note: the index has other files of the names of {len(files.lengthened):,}, which are called after more of"
            f" their folders, such as {files.lengthened[0]}",
            err=True,
        )
    _say(updated, output)
    if verify:
        _verify(output, encoder, questions, token)


def unindex(
    index: Annotated[Path, typer.Argument(help="The index.")],
    ids: Annotated[list[str], typer.Argument(help="Ids of passages; all their languages go.")],
    token: Token = None,
) -> None:
    """Remove passages from an index.

    Example: isogloss unindex faq-index networking-1
    """
    from isogloss.search import IndexWriter

    with IndexWriter(index, token=token) as writer:
        _say(writer.remove(ids), index)


def _writer(
    output: Path,
    encoder: Encoder,
    model: str,
    backend: str,
    uri: str,
    words: bool,
    made_with: dict[str, str | int | None],
    token: str | None,
) -> IndexWriter:
    """Open the index, or make it; what it was made with cannot be changed."""
    from isogloss.errors import RecipeError
    from isogloss.search import IndexWriter
    from isogloss.search.folder import IndexSettings, is_index

    if is_index(output):
        writer = IndexWriter(output, token=token)
        there = writer.settings
        other = {
            "--backend": backend not in ("exact", there.backend),
            "--uri": uri not in ("", there.uri),
            "--no-words": there.words and not words,
        }
        if given := [option for option, differs in other.items() if differs]:
            writer.close()
            raise RecipeError(
                f"{output}: the index was made with {there.backend}{' at ' + there.uri if there.uri else ''} and"
                f" {'with' if there.words else 'without'} words: leave out {', '.join(given)}, or make another"
            )
        return writer
    place = Path(model).expanduser()
    settings = IndexSettings(
        model=str(place.absolute()) if place.exists() else model,
        backend=backend,
        uri=uri,
        words=words,
        **made_with,  # type: ignore[arg-type]
    )
    return IndexWriter.create(output, encoder, settings, token=token)


def _say(updated: Updated, output: Path) -> None:
    total = sum(updated.passages.values())
    languages = ", ".join(f"{language} {count:,}" for language, count in updated.passages.items())
    typer.echo(
        f"{updated.added:,} added, {updated.changed:,} changed, {updated.removed:,} removed,"
        f" {updated.unchanged:,} unchanged; {updated.encoded:,} texts encoded"
    )
    typer.echo(f"{total:,} passages ({languages or 'none'}): {output}")


def _verify(output: Path, encoder: Encoder, questions: list[str] | None, token: str | None) -> None:
    from isogloss.cli.console import print_table
    from isogloss.reporting.tables import Table
    from isogloss.search.verifying import verify_index

    described, recall = verify_index(output, encoder, questions=questions, token=token)
    header = ("back end", "index", "questions", *(f"recall@{k}" for k in recall.at))
    row = (
        described["backend"],
        described["index"],
        str(recall.questions),
        *(f"{share:.4f}" for share in recall.at.values()),
    )
    print_table(Table("against exact search", header, (row,), words=2))
