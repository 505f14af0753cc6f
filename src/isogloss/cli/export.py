"""`isogloss export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isogloss.cli.options import DataDir


def export(
    model: Annotated[
        str,
        typer.Argument(
            help="A sentence-transformers folder or name, or a folder that `isogloss debias` made of one."
        ),
    ],
    output: Annotated[Path, typer.Option(help="New model folder.")],
    to: Annotated[str, typer.Option("--format", help="onnx.")] = "onnx",
    quantize: Annotated[
        str | None,
        typer.Option(
            help="int8: weights in 8 bits, a quarter of the size and faster. Default: float32.",
            show_default=False,
        ),
    ] = None,
    check: Annotated[
        str | None,
        typer.Option(
            help="Also measure original and export on this benchmark or corpus, e.g. sample:test, xquad-r."
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Export a model to ONNX, and hold the export against the original.

    OUTPUT is a MODEL for every command, with the model's pooling, prompts and cure. Its vectors are compared on sample
    texts in eight languages before it is put in place: where a cosine of the float32 export is below 0.9999, nothing is
    written; int8 says what it costs. Needs isogloss[export].

    Example: isogloss export multilingual-e5-small --quantize int8 --check sample:test --output e5-int8
    """
    from isogloss.cli.console import print_table, quiet_libraries, staged_progress
    from isogloss.corpus import load_benchmark
    from isogloss.errors import RecipeError
    from isogloss.files import refuse_existing
    from isogloss.reporting.export import export_tables

    if to != "onnx":
        raise RecipeError(f"--format {to}: there is onnx")
    refuse_existing(output)
    benchmark = load_benchmark(check, data_dir) if check is not None else None

    quiet_libraries()
    from isogloss.export.onnx import export_onnx

    with staged_progress() as progress:
        record = export_onnx(model, output, quantize=quantize, benchmark=benchmark, progress=progress)
    for table in export_tables(record):
        print_table(table)
    typer.echo(f"written: {output}")
