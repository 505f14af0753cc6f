"""`isogloss evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isogloss.cli.options import (
    DataDir,
    Device,
    Languages,
    MaxLength,
    Model,
    PassagePrompt,
    Precision,
    QueryPrompt,
    Split,
    TokenBudget,
    open_model,
)

if TYPE_CHECKING:
    from isogloss.encoding.encoder import Encoder


def evaluate(
    model: Model,
    data: Annotated[
        str,
        typer.Option(
            help="xquad-r, mlqa-r, sample:test, a corpus (JSONL(.gz), Parquet, a folder), or a folder in MIRACL's or "
            "BEIR's form; of BEIR's, one whose records say their language has the three settings without --work. Or a "
            "dataset folder with MTEB's configurations."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            help="New folder for results.json and per_query.parquet; without it figures are only printed."
        ),
    ] = None,
    data_dir: DataDir = None,
    languages: Languages = None,
    query_prompt: QueryPrompt = None,
    passage_prompt: PassagePrompt = None,
    max_length: MaxLength = None,
    precision: Precision = "float32",
    token_budget: TokenBudget = None,
    device: Device = None,
    runs: Annotated[
        bool,
        typer.Option(
            "--runs", help="Also write TREC run and qrels files of the three settings to OUTPUT/runs."
        ),
    ] = False,
    mteb: Annotated[
        bool,
        typer.Option("--mteb", help="Also write a result file of MTEB for each setting to OUTPUT/mteb."),
    ] = False,
    run_depth: Annotated[
        int, typer.Option(min=0, help="Candidates a query in the run files; 0 writes whole rankings.")
    ] = 100,
    memory_budget: Annotated[
        float, typer.Option(min=0.01, help="Gigabytes of scores that ranking holds at once.")
    ] = 2.0,
    pairs: Annotated[
        bool,
        typer.Option(
            "--pairs",
            help="Also print mAP, and recall and language shares in the pool, of every ordered pair of languages.",
        ),
    ] = False,
    work: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the vectors of a corpus in MIRACL's or BEIR's form; an evaluation that was stopped goes "
            "on from there."
        ),
    ] = None,
    split: Split = None,
    second_pass: Annotated[
        bool,
        typer.Option(
            "--second-pass/--no-second-pass",
            help="Go through the scores a second time, for language share, own-language preference and PEER of the "
            "irrelevant.",
        ),
    ] = True,
    train_languages: Annotated[
        list[str] | None,
        typer.Option(
            "--train-language",
            help="A language that the model's training met, to tell seen from unseen; repeatable. Default: what the "
            "model folder says, if isogloss trained it.",
        ),
    ] = None,
    train_pairs: Annotated[
        list[str] | None,
        typer.Option(
            "--train-pair",
            help="An ordered pair that training met, 'query->passage', e.g. 'de->en'; repeatable. Default: all pairs "
            "of the training languages.",
        ),
    ] = None,
) -> None:
    """Measure mono-, cross- and multilingual retrieval and language bias.

    Every distinct text is encoded once and ranked exactly; figures are means over queries, then over languages or
    ordered pairs of languages. What each measure says: docs/measures.md. A corpus in MIRACL's or BEIR's form,
    however large, is measured by nDCG@10, Recall@100, mAP@100 and MRR@10.

    Example: isogloss evaluate intfloat/multilingual-e5-small --data sample:test
    """
    given = locals()
    from isogloss.cli.collections import evaluate_collection_folder
    from isogloss.cli.console import print_table, quiet_libraries, staged_progress
    from isogloss.cli.trained import trained_from
    from isogloss.corpus import load_benchmark
    from isogloss.corpus.collection import is_collection_folder
    from isogloss.corpus.configs import is_config_folder
    from isogloss.corpus.judged import names_languages
    from isogloss.errors import RecipeError
    from isogloss.files import finished_folder, refuse_existing
    from isogloss.reporting.tables import language_table, pair_table, settings_table

    if output is None and (runs or mteb):
        raise RecipeError(f"{'--runs' if runs else '--mteb'} writes files: give --output")
    if output is not None:
        refuse_existing(output)

    def load() -> Encoder:
        from isogloss.encoding.encoder import SentenceTransformerEncoder
        from isogloss.encoding.precision import bfloat16_pays

        encoder = open_model(model, given)
        if (
            precision == "bfloat16"
            and isinstance(encoder, SentenceTransformerEncoder)
            and not bfloat16_pays(encoder.model.device)
        ):
            typer.echo(
                "bfloat16 is no faster than float32 on this device; int8 may be, on a processor", err=True
            )
        return encoder

    configs = is_config_folder(Path(data))
    judged = not configs and is_collection_folder(Path(data))
    if judged and (work is not None or not names_languages(Path(data))):
        if pairs or train_languages or train_pairs or mteb:
            raise RecipeError(
                "--pairs, --train-language, --train-pair and --mteb are for parallel corpora; results.json has the"
                " figures by language here"
            )
        evaluate_collection_folder(
            load, Path(data), work, split, languages, output, run_depth if runs else None
        )
        return
    if work is not None or (split is not None and not configs and not judged):
        raise RecipeError(
            f"--work and --split are for folders in MIRACL's or BEIR's form, --split in MTEB's too, which {data} is"
            " not"
        )
    trained = trained_from(model, train_languages, train_pairs)
    benchmark = load_benchmark(data, data_dir, split=split)
    if languages:
        benchmark = benchmark.subset(languages)

    quiet_libraries()
    from isogloss.evaluation.model_evaluation import evaluate_model, write_benchmark_runs
    from isogloss.evaluation.per_query import write_per_query
    from isogloss.evaluation.results import write_results
    from isogloss.evaluation.seen_unseen import with_training
    from isogloss.exchange.mteb_results import write_mteb_results
    from isogloss.reporting import bias
    from isogloss.reporting.results import model_results, reading_notes

    encoder = load()
    with staged_progress() as progress:
        evaluation, encoded = evaluate_model(
            encoder, benchmark, progress, memory_budget=memory_budget, second=second_pass
        )
    results = model_results(evaluation, encoder, encoded)
    if trained is not None:
        results = with_training(results, trained)
    tables = [
        settings_table(results),
        bias.bias_table(results),
        language_table(results),
        bias.bias_language_table(results),
        bias.seen_table(results),
    ]
    if pairs:
        tables += [pair_table(results), bias.pool_recall_table(results), bias.share_table(results)]
    for table in tables:
        if table is not None:
            print_table(table)
    for note in reading_notes(results):
        typer.echo(f"note: {note}", err=True)
    if output is not None:
        with finished_folder(output) as folder:
            write_results(results, folder / "results.json")
            write_per_query(evaluation, folder / "per_query.parquet")
            if runs:
                write_benchmark_runs(benchmark, encoded, folder / "runs", depth=run_depth or None)
            if mteb:
                write_mteb_results(results, folder / "mteb")
        typer.echo(f"written: {output}/results.json")
