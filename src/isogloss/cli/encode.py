"""`isogloss encode`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isogloss.cli.options import (
    DataDir,
    Device,
    MaxLength,
    PassagePrompt,
    Precision,
    QueryPrompt,
    TokenBudget,
    open_model,
)


def encode(
    model: Annotated[str, typer.Argument(help="As for `isogloss evaluate`.")],
    data: Annotated[str, typer.Option(help="xquad-r, mlqa-r, sample:test, or a corpus.")],
    output: Annotated[Path, typer.Option(help="A new Parquet file.")],
    data_dir: DataDir = None,
    query_prompt: QueryPrompt = None,
    passage_prompt: PassagePrompt = None,
    max_length: MaxLength = None,
    precision: Precision = "float32",
    token_budget: TokenBudget = None,
    device: Device = None,
) -> None:
    """Write the vectors of a benchmark's distinct texts, for other tools or a later evaluation.

    A row a text: side (query or passage), text, vector (float32, unit length). `isogloss evaluate` takes the file as
    MODEL.

    Example: isogloss encode multilingual-e5-small --data sample:test --output vectors.parquet
    """
    from isogloss.cli.console import quiet_libraries, staged_progress
    from isogloss.corpus import load_benchmark
    from isogloss.encoding.vector_files import check_new, distinct_texts, write_vectors

    check_new(output, (".parquet",))
    benchmark = load_benchmark(data, data_dir)
    texts = distinct_texts(benchmark)
    quiet_libraries()
    from isogloss.encoding.encoder import running_total

    encoder = open_model(model, locals())
    queries = [text for side, text in texts if side == "query"]
    passages = [text for side, text in texts if side == "passage"]
    # A text in two languages has one row, as one in the first of them.
    of_query = dict(zip(reversed(benchmark.query_texts), reversed(benchmark.query_languages), strict=True))
    of_passage = dict(
        zip(reversed(benchmark.candidate_texts), reversed(benchmark.candidate_languages), strict=True)
    )
    with staged_progress() as progress:
        vectors = [
            encoder.encode(
                queries,
                "query",
                running_total(lambda done: progress("queries", done, len(queries))),
                languages=[of_query[text] for text in queries],
            ),
            encoder.encode(
                passages,
                "passage",
                running_total(lambda done: progress("passages", done, len(passages))),
                languages=[of_passage[text] for text in passages],
            ),
        ]
    write_vectors(texts, vectors, output)
    typer.echo(f"{len(texts)} vectors of {vectors[0].shape[1]} numbers: {output}")
