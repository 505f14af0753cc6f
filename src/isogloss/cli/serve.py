"""`isogloss serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isogloss.cli.index import Token
from isogloss.cli.options import Device


def serve(
    index: Annotated[Path, typer.Argument(help="An index that `isogloss index` made.")],
    host: Annotated[
        str, typer.Option(help="Address to listen on; other than this machine's own needs a key.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one, and prints it.")] = 8000,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="ISOGLOSS_API_KEY",
            help="What clients have to send, as `Authorization: Bearer KEY`; better set in the environment.",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="A name that clients call the server by, behind a proxy; repeat for several."),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Texts encoded at once, at most.")] = 32,
    batch_wait: Annotated[
        float, typer.Option(min=0, max=1000, help="Milliseconds that a question waits for others, at most.")
    ] = 3.0,
    waiting: Annotated[
        int, typer.Option(min=1, help="Texts that wait for the model, at most; more are refused, with 503.")
    ] = 1024,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Seconds until a request is given up, with 504.")
    ] = 30.0,
    max_characters: Annotated[int, typer.Option(min=1, help="Of a question or a text.")] = 8192,
    max_texts: Annotated[int, typer.Option(min=1, help="Of a request for vectors.")] = 256,
    max_body: Annotated[int, typer.Option(min=1, help="Of a request, in KiB.")] = 1024,
    max_top_k: Annotated[int, typer.Option(min=1, max=1000, help="Passages a question.")] = 100,
    log_questions: Annotated[
        bool, typer.Option("--log-questions", help="Write into the log what was asked.")
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(help="Where the model is now; default: where it was when the index was made."),
    ] = None,
    token: Token = None,
    device: Device = None,
) -> None:
    """Serve an index over HTTP: a page at /, an API at /search, and vectors at /embed and /v1/embeddings.

    Listens on this machine alone unless you give --host and a key. The log is JSON, a line a request, on standard
    error. Stops on SIGTERM and Ctrl-C once what is under way is answered.

    Example: isogloss serve faq-index --port 8080
    """
    from isogloss.cli.console import quiet_libraries
    from isogloss.errors import ModelError

    try:
        from isogloss.serving import ServingSettings
        from isogloss.serving import serve as run
    except ImportError as error:
        raise ModelError(f"serving needs {error.name}: pip install 'isogloss[serve]'") from error
    settings = ServingSettings(
        host=host,
        port=port,
        api_key=api_key,
        allowed_hosts=tuple(allow_host or ()),
        batch_texts=batch_size,
        batch_wait=batch_wait / 1000,
        waiting_texts=waiting,
        timeout=timeout,
        text_characters=max_characters,
        texts=max_texts,
        body_bytes=max_body * 1024,
        top_k=max_top_k,
        log_questions=log_questions,
    )
    quiet_libraries()
    from isogloss.search import Searcher

    with Searcher.open(index, model=model, device=device, token=token) as searcher:
        run(searcher, settings)
