"""`isogloss data translate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isogloss.cli.options import DataDir

if TYPE_CHECKING:
    from isogloss.translation.pricing import Prices
    from isogloss.translation.run import CorpusTranslation, TargetReport


def translate(
    corpus: Annotated[str, typer.Argument(help="Anything that reads as a corpus.")],
    to: Annotated[str, typer.Option(help="Languages to translate to, with commas: de,fr.")],
    engine: Annotated[
        str,
        typer.Option(
            help="transformers:MODEL (NLLB, M2M100, OPUS-MT), ctranslate2:FOLDER (the same, converted), "
            "command:'PROGRAM {source}-{target}' (reads and writes lines), or openai:MODEL@URL (a chat model)."
        ),
    ],
    output: Annotated[
        Path, typer.Option(help="A name ending in .jsonl, .jsonl.gz or .parquet, or a new folder.")
    ],
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Language to translate from; default: the only one of the corpus.",
            show_default=False,
        ),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try sentences again that failed before.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Only count what there is to translate, and its cost; write nothing.",
        ),
    ] = False,
    cache: Annotated[
        Path | None,
        typer.Option(
            help="File that keeps every translation; default: translations.sqlite in the cache folder.",
            show_default=False,
        ),
    ] = None,
    code: Annotated[
        list[str] | None,
        typer.Option(
            help="What the engine calls a language, if it is not found: zh=zho_Hant; repeatable.",
            show_default=False,
        ),
    ] = None,
    beam_size: Annotated[
        int | None, typer.Option(min=1, help="Beams of a neural engine. [default: 4]", show_default=False)
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(help="cpu or cuda; default: a GPU where there is one.", show_default=False),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            help="The original model of a CTranslate2 folder that has no tokenizer of its own.",
            show_default=False,
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, help="Sentences a batch. [default: 32; 500 for a program]", show_default=False),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Programs or requests at once. [default: 1 program, 4 requests]", show_default=False
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            help="Seconds for a batch. [default: 600 for a program, 120 for a request]",
            show_default=False,
        ),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(help="Server of openai:MODEL, up to and including /v1.", show_default=False),
    ] = None,
    engine_version: Annotated[
        str | None,
        typer.Option(
            help="Of the program or the server's model: with another one, everything is translated anew.",
            show_default=False,
        ),
    ] = None,
    blank_lines: Annotated[
        bool | None,
        typer.Option(
            "--blank-lines/--no-blank-lines",
            help="Part a program's sentences by empty lines. [default: for Apertium]",
            show_default=False,
        ),
    ] = None,
    price_per_million_characters: Annotated[
        float, typer.Option(min=0.0, help="What the engine's maker charges; the cost is shown.")
    ] = 0.0,
    price_per_million_tokens: Annotated[
        str | None,
        typer.Option(help="Of openai: tokens read and written, 0.15,0.60, or one price.", show_default=False),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Translate a corpus into more languages: queries, passages, titles and negatives, sentence by sentence.

    The output holds the corpus and its translations under the same ids. Every sentence is translated once and kept: a
    run that was stopped goes on with the same command, and a changed corpus has only its new sentences translated. What
    fails stands with the reason in OUTPUT.failures.jsonl.

    Example: isogloss data translate faq.jsonl --to de,fr --engine transformers:facebook/nllb-200-distilled-600M
    --output faq-de-fr.jsonl
    """
    from isogloss.cli.console import quiet_libraries, staged_progress
    from isogloss.corpus import read_corpus, standard_language
    from isogloss.errors import Interrupted, RecipeError
    from isogloss.translation.memory import TranslationMemory, memory_path
    from isogloss.translation.opening import EngineOptions, open_engine
    from isogloss.translation.run import CorpusTranslation, source_language
    from isogloss.translation.writing import refuse_output

    targets = list(dict.fromkeys(standard_language(part.strip()) for part in to.split(",") if part.strip()))
    if not targets:
        raise RecipeError("--to: name at least one language, e.g. --to de,fr")
    prices = _prices(engine, price_per_million_characters, price_per_million_tokens)
    options = EngineOptions(
        beam_size=beam_size,
        device=device,
        batch_size=batch_size,
        tokenizer=tokenizer,
        at_once=jobs,
        timeout=timeout,
        base_url=base_url,
        version=engine_version,
        codes=_codes(code or []),
        blank_lines=blank_lines,
    )
    if not dry_run:
        refuse_output(output, corpus)
    read = read_corpus(corpus, data_dir=data_dir)
    chosen = source_language(read.languages, targets, standard_language(source) if source else None)
    if engine.startswith(("transformers:", "ctranslate2:")):
        quiet_libraries()
    opened = open_engine(engine, options)
    memory = TranslationMemory(cache or memory_path(), opened.identity(), read_only=dry_run)
    size = int((read.rows >= 0).sum())
    try:
        translation = CorpusTranslation(
            read.versions, read.languages, size, opened, memory, chosen, targets, retry_failed=retry_failed
        )
        with staged_progress() as progress:
            reports = translation.collect(progress)
            if not dry_run:
                cost = translation.translate(prices, progress)
                side = translation.write(output, progress)
    except KeyboardInterrupt:
        raise Interrupted(
            f"stopped: every translation is kept in {memory.path}; the same command goes on"
        ) from None
    finally:
        opened.stop()
        memory.close()
    if dry_run:
        _print_plan(translation, prices)
        return
    _print_reports(reports)
    if prices:
        typer.echo(f"cost: {cost:.2f}")
    if side is not None:
        typer.echo(f"what is wrong with which text: {side}")
    typer.echo(f"{len(read)} items in {', '.join(sorted({*read.languages, *targets}))}: {output}")


def _codes(given: list[str]) -> dict[str, str]:
    """Read `zh=zho_Hant`."""
    from isogloss.corpus import standard_language
    from isogloss.errors import RecipeError

    codes = {}
    for text in given:
        language, equals, code = text.partition("=")
        if not (language and equals and code):
            raise RecipeError(
                f"--code {text}: give a language of the corpus and the engine's code, zh=zho_Hant"
            )
        codes[standard_language(language)] = code
    return codes


def _prices(engine: str, characters: float, tokens: str | None) -> Prices:
    from isogloss.errors import RecipeError
    from isogloss.translation.pricing import Prices, parse_token_prices

    if tokens is None:
        return Prices(characters)
    if not engine.startswith("openai:"):
        raise RecipeError(
            "--price-per-million-tokens goes with openai engines, which say how many tokens there were"
        )
    return Prices(characters, *parse_token_prices(tokens))


def _print_plan(translation: CorpusTranslation, prices: Prices) -> None:
    from isogloss.cli.console import print_table
    from isogloss.reporting.tables import Table

    header = ("language", "sentences", "known", "to translate", "characters")
    rows = [
        (
            report.language,
            f"{report.wanted.sentences:,}",
            f"{report.wanted.known:,}",
            f"{report.missing.sentences:,}",
            f"{report.missing.characters:,}",
        )
        for report in translation.reports
    ]
    print_table(Table("distinct sentences", header, tuple(rows), words=1))
    if prices:
        cost = translation.expected_cost(prices)
        shown = "known once answers tell their tokens" if cost is None else f"{cost:.2f}"
        typer.echo(f"expected cost: {shown}")


def _print_reports(reports: list[TargetReport]) -> None:
    from isogloss.cli.console import print_table
    from isogloss.reporting.tables import Table

    header = ("language", "translated", "left out", "there already", "sentences", "new", "problems")
    rows = [
        (
            report.language,
            f"{report.translated:,}",
            f"{report.left_out:,}",
            f"{report.present:,}",
            f"{report.wanted.sentences:,}",
            f"{report.missing.sentences:,}",
            ", ".join(f"{reason}: {count:,}" for reason, count in report.problems.most_common()) or "none",
        )
        for report in reports
    ]
    print_table(Table("versions", header, tuple(rows), words=1))
