"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from isogloss.encoding.encoder import Encoder

Model = Annotated[
    str,
    typer.Argument(
        help="A model folder, an offline model's name, or a hub name; an ONNX export; an endpoint, "
        "openai:MODEL@URL; or vectors, .npy or .parquet."
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        envvar="ISOGLOSS_DATA",
        help="Folder that holds the benchmarks' folders (xquad-r, mlqa-r).",
    ),
]
Languages = Annotated[
    list[str] | None,
    typer.Option("--language", help="Use this language alone; repeat for several. Default: all."),
]
QueryPrompt = Annotated[
    str | None, typer.Option(help="Put before every query; default: the model's own, e.g. 'query: '.")
]
PassagePrompt = Annotated[
    str | None, typer.Option(help="Put before every passage; default: the model's own, e.g. 'passage: '.")
]
Device = Annotated[
    str | None, typer.Option(help="Torch device, e.g. cpu or cuda; default: a GPU where there is one.")
]
MaxLength = Annotated[
    int | None, typer.Option(min=4, help="Cut texts after so many tokens; default: the model's own limit.")
]
Precision = Annotated[
    str,
    typer.Option(
        help="float32; bfloat16, for GPUs and processors with AMX; or int8, for processors: needs isogloss[int8]."
    ),
]
TokenBudget = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Tokens a forward pass, padding included; lower it if memory runs out."
        " Default: what is fast on the device.",
    ),
]
RecipeFile = Annotated[
    Path | None, typer.Argument(help="A TOML recipe; options override its keys.", show_default=False)
]
Train = Annotated[
    list[str] | None,
    typer.Option(
        help="Corpus to train on: JSONL(.gz), Parquet, a folder, a benchmark's name, sample:train; repeatable."
    ),
]
Plan = Annotated[str | None, typer.Option(help="en-en, x-x, x-x-mono, x-y or hybrid. [default: hybrid]")]
Alpha = Annotated[
    str | None,
    typer.Option(help="Share of monolingual batches in hybrid: 0.5, or a schedule: 0.8:0.2. [default: 0.5]"),
]
TrainLanguages = Annotated[
    list[str] | None,
    typer.Option("--language", help="Train on this language alone; repeat for several. Default: all."),
]
HeldOutLanguages = Annotated[
    list[str] | None, typer.Option("--held-out-language", help="Never train on this language; repeatable.")
]
HeldOutPairs = Annotated[
    list[str] | None,
    typer.Option(
        "--held-out-pair",
        help="Never train on this ordered pair, 'query->passage', e.g. 'de->en'; repeatable.",
    ),
]
LanguageWeighting = Annotated[
    str | None, typer.Option(help="Draw languages uniform or by size. [default: uniform]")
]
DatasetExponent = Annotated[
    float | None, typer.Option(help="Draw datasets in proportion to size to this power. [default: 1.0]")
]
SkipSmall = Annotated[
    bool | None,
    typer.Option(
        "--skip-small/--no-skip-small",
        help="Leave out languages and datasets too small for a batch, instead of refusing.",
    ),
]
Split = Annotated[
    str | None,
    typer.Option(
        help="Which split of a folder in MIRACL's, BEIR's or MTEB's form; default: the only one besides train.",
        show_default=False,
    ),
]
Steps = Annotated[int | None, typer.Option(help="Optimiser steps. [default: 200]")]
BatchSize = Annotated[
    int | None, typer.Option(help="Pairs a batch, over all processes that train together. [default: 32]")
]
Seed = Annotated[int | None, typer.Option(help="Of batches, dropout and everything else. [default: 0]")]


def open_model(model: str, given: Mapping[str, Any]) -> Encoder:
    """Open the encoder that a command's model argument and options mean.

    Args:
        model: as `open_encoder` takes it.
        given: the command's options by name, and whatever else `locals()` holds.
    """
    from isogloss.encoding.opening import open_encoder

    names = ("query_prompt", "passage_prompt", "max_length", "token_budget", "precision", "device")
    return open_encoder(model, **{name: given[name] for name in names if name in given})
