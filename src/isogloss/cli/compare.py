"""`isogloss compare`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from isogloss.reporting.tables import Table

_FORMS = (".json", ".csv", ".md", ".tex")
_USUAL = ("map", "recall@10", "rank_distance")
"""Few, as the correction is for all that are compared."""


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            help="Folders that `isogloss evaluate --output` wrote, as DIR or NAME=DIR; several seeds of one training as"
            " NAME=DIR,DIR or NAME='DIR*'. The first is what the others are compared with.",
            metavar="RUN",
            show_default=False,
        ),
    ],
    output: Annotated[
        list[Path] | None,
        typer.Option(
            help="Also write to this file: .json or .csv (every row), .md or .tex (tables); repeatable."
        ),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    measure: Annotated[
        list[str] | None,
        typer.Option(
            help="Compare this measure, e.g. mrr; repeatable; 'all' means all that the runs share. Default: map,"
            " recall@10 and rank_distance."
        ),
    ] = None,
    pairs: Annotated[
        bool, typer.Option("--pairs", help="Also compare every ordered pair of languages.")
    ] = False,
    permutations: Annotated[
        int, typer.Option(min=1, help="Sign vectors of the randomisation tests.")
    ] = 100_000,
    resamples: Annotated[int, typer.Option(min=100, help="Resamples of the bootstrap.")] = 10_000,
    confidence: Annotated[float, typer.Option(help="Of the intervals; p is held against the rest.")] = 0.95,
    seed: Annotated[int, typer.Option(min=0, help="Of permutations and resamples.")] = 0,
) -> None:
    """Say whether differences between evaluated models are real.

    Every figure gets its difference with a bootstrap interval (questions drawn anew by parallel id, with all their
    translations), a paired randomisation test, Holm's correction over the table, and a verdict. With several seeds a
    model, seeds are drawn anew as well.

    Example: isogloss compare base=runs/base hybrid='runs/hybrid-seed*'
    """
    from isogloss.errors import RecipeError

    for path in output or []:
        if path.suffix not in _FORMS:
            raise RecipeError(f"--output {path}: give a name that ends in {', '.join(_FORMS)}")
    if not 0.5 <= confidence < 1:
        raise RecipeError(f"--confidence {confidence:g}: give at least 0.5 and less than 1, such as 0.95")
    named = [_named(run) for run in runs]
    if len(named) < 2:
        raise RecipeError(f"{runs[0]}: one run cannot be compared; name two or more")
    names = [name for name, _ in named]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise RecipeError(f"{twice}: two runs of this name; give them others with NAME=DIR")

    from isogloss.cli.console import print_table, staged_progress
    from isogloss.evaluation.results import write_results
    from isogloss.evaluation.significance import Settings, compare_runs, read_saved_runs
    from isogloss.reporting.comparison import (
        Group,
        comparison_results,
        comparison_tables,
        rows_table,
    )

    folders = [folder for _, of_name in named for folder in of_name]
    saved = read_saved_runs(folders, None if not measure or "all" in measure else measure)
    if not measure:
        values = {key: saved.paired.values[key] for key in _USUAL if key in saved.paired.values}
        saved = replace(saved, paired=replace(saved.paired, values=values or saved.paired.values))
    positions: list[tuple[str, range]] = []
    groups: list[Group] = []
    for name, of_name in named:
        start = sum(len(group.folders) for group in groups)
        positions.append((name, range(start, start + len(of_name))))
        models = saved.models[start : start + len(of_name)]
        groups.append(Group(name, tuple(map(str, of_name)), models))
    settings = Settings(permutations, resamples, seed, confidence, pairs)
    with staged_progress() as progress:
        comparison = compare_runs(saved.paired, positions, settings, progress)

    results = comparison_results(comparison, saved, groups)
    tables = comparison_tables(comparison, groups, measure if measure and "all" not in measure else None)
    if json_:
        import json

        typer.echo(json.dumps(results, ensure_ascii=False, indent=2, allow_nan=False))
    else:
        for table in tables:
            print_table(table)
        for notice in results["notices"]:
            typer.echo(f"- {notice}")
    for path in output or []:
        if path.suffix == ".json":
            write_results(results, path)
        else:
            _write_tables(path, tables, rows_table(comparison), results["notices"])
        typer.echo(f"written: {path}", err=json_)


def _named(run: str) -> tuple[str, list[Path]]:
    """Take `NAME=DIR,DIR` apart; a folder that has such a name is that folder."""
    from glob import glob

    from isogloss.errors import RecipeError

    name, given, rest = run.partition("=")
    if Path(run).is_dir() or not given:
        name, rest = "", run
    elif not name or not rest:
        raise RecipeError(f"{run!r}: give a folder, or NAME=DIR, or NAME=DIR,DIR")
    folders: list[Path] = []
    for part in [rest] if Path(rest).is_dir() else rest.split(","):
        pattern = any(one in part for one in "*?[") and not Path(part).exists()
        found = sorted(glob(part)) if pattern else [part]  # noqa: PTH207 - Path.glob takes no absolute pattern
        if not part or not found:
            raise RecipeError(f"{run!r}: {part!r} names no folder")
        folders += map(Path, found)
    if not name:
        if len(folders) > 1:
            raise RecipeError(f"{run!r}: several runs need a name: give NAME={run}")
        name = folders[0].resolve().name
    return name, folders


def _write_tables(path: Path, tables: list[Table], rows: Table, said: list[str]) -> None:
    from isogloss.files import finished_file
    from isogloss.reporting.tables import csv_text, latex, markdown

    if path.suffix == ".csv":
        text = csv_text(rows)
    elif path.suffix == ".md":
        parts = [f"**{table.title}**\n\n{markdown(table)}" for table in tables]
        text = "\n\n".join([*parts, "\n".join(f"- {line}" for line in said)]) + "\n"
    else:
        comments = "".join(f"% {line}\n" for line in said)
        bodies = (f"% {table.title}\n{latex(table)}\n" for table in tables)
        text = comments + "\n".join(bodies)
    with finished_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")
