"""`isogloss study`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from isogloss.cli.options import DataDir, Device

if TYPE_CHECKING:
    from isogloss.study.definition import Study


class _RunByDefault(TyperGroup):
    """`isogloss study STUDY.toml` means `isogloss study run STUDY.toml`."""

    def resolve_command(self, context: Any, words: list[str]) -> Any:
        """Find the command; a word that is none is a study."""
        if words and words[0] not in self.commands and not words[0].startswith("-"):
            words = ["run", *words]
        return super().resolve_command(context, words)


study_app = typer.Typer(
    cls=_RunByDefault, no_args_is_help=True, rich_markup_mode=None, help="Many runs that answer one question."
)

StudyFile = Annotated[Path, typer.Argument(help="The study, a TOML file.", show_default=False)]
StudyFolder = Annotated[
    Path | None,
    typer.Option(
        "--output", help="The study's folder. Default: beside STUDY.toml, by its name.", show_default=False
    ),
]


@study_app.command("run")
def run_study(
    study: StudyFile,
    output: StudyFolder = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try runs that failed once more.")] = False,
    arms: Annotated[
        list[str] | None, typer.Option("--arm", help="These arms alone; repeatable.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Train every run of a study that is not done.

    Runs that were stopped go on, finished ones are left alone, and any number of workers, on this machine or on others
    that share the folder, may be started with the same command. Test sets are not read.

    Example: isogloss study my-study.toml
    """
    from isogloss.cli.console import TrainingBar, print_table, quiet_libraries, staged_progress
    from isogloss.errors import RecipeError

    quiet_libraries()
    from isogloss.study.queue import Task, work_through
    from isogloss.study.running import read_record, train_run
    from isogloss.study.runs import Run, runs_of
    from isogloss.study.status import notices, states_of, status_table

    defined, folder = _opened(study, output)
    runs = runs_of(defined)
    for arm in arms or []:
        if arm not in defined.arms:
            raise RecipeError(f"--arm {arm}: no such arm; there are {', '.join(defined.arms)}")
    states_of(runs, folder)
    _keep(study, folder)
    with staged_progress() as progress:

        def task(run: Run) -> Task:
            return Task(
                str(run),
                folder / run.place,
                lambda: read_record(run, folder) is not None,
                lambda: train_run(run, folder, data_dir=data_dir, progress=TrainingBar(progress)),
            )

        outcome = work_through(
            [task(run) for run in runs if not arms or run.arm in arms], progress.message, retry=retry
        )
    states = states_of(runs, folder)
    print_table(status_table(states))
    for line in notices(states, defined.budget):
        typer.echo(f"- {line}")
    if outcome.elsewhere:
        typer.echo(f"- {len(outcome.elsewhere)} runs are with other workers")
    if outcome.failed:
        raise typer.Exit(1)


@study_app.command("status")
def show_status(study: StudyFile, output: StudyFolder = None) -> None:
    """Show what is done, running, failed and left, with the time expected and what each arm's budget was.

    Example: isogloss study status my-study.toml
    """
    from isogloss.cli.console import print_table, quiet_libraries

    quiet_libraries()
    from isogloss.study.runs import runs_of
    from isogloss.study.status import notices, states_of, status_table

    defined, folder = _opened(study, output)
    states = states_of(runs_of(defined), folder)
    print_table(status_table(states))
    for line in notices(states, defined.budget):
        typer.echo(f"- {line}")


@study_app.command("report")
def write_study_report(
    study: StudyFile,
    output: StudyFolder = None,
    device: Device = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try measurements that failed once more.")] = False,
    permutations: Annotated[
        int, typer.Option(min=1, help="Sign vectors of the randomisation tests.")
    ] = 10_000,
    resamples: Annotated[int, typer.Option(min=2, help="Of the bootstrap.")] = 10_000,
    data_dir: DataDir = None,
) -> None:
    """Measure what is trained on the test sets, and write what was found.

    Test sets are read here alone. What was measured before is not measured again, and workers share the measuring as
    they share the training. The report, a page with Markdown, CSV and LaTeX beside it, replaces the one before.

    Example: isogloss study report my-study.toml
    """
    from isogloss.cli.console import print_table, quiet_libraries, staged_progress
    from isogloss.errors import RecipeError

    quiet_libraries()
    from isogloss.evaluation.significance import Settings
    from isogloss.files import finished_folder
    from isogloss.study.measuring import measurement_tasks, measurements_of
    from isogloss.study.queue import work_through
    from isogloss.study.report.claims import claims_of
    from isogloss.study.report.findings import collect
    from isogloss.study.report.page import write_report
    from isogloss.study.report.tables import claims_table
    from isogloss.study.roles import roles_of
    from isogloss.study.runs import runs_of
    from isogloss.study.status import notices, states_of

    defined, folder = _opened(study, output)
    states = states_of(runs_of(defined), folder)
    done = [one.run for one in states if one.state == "done"]
    if not done:
        raise RecipeError(f"{folder}: no run is finished; train them first: isogloss study run {study}")
    tested = measurements_of(defined, done, roles_of(defined).hybrid)
    with staged_progress() as progress:
        tasks = measurement_tasks(defined, tested, folder, progress, data_dir=data_dir, device=device)
        outcome = work_through(tasks, progress.message, retry=retry)
        found = collect(defined, states, tested, folder, Settings(permutations, resamples))
    shutil.rmtree(folder / "report.new", ignore_errors=True)
    with finished_folder(folder / "report.new") as temporary:
        write_report(found, temporary, f"isogloss study report {study}")
    shutil.rmtree(folder / "report", ignore_errors=True)
    (folder / "report.new").rename(folder / "report")
    claims = claims_of(found)
    print_table(claims_table(claims))
    for line in [
        *notices(states, defined.budget),
        *(f"not measured, failed: {name}" for name in outcome.failed),
    ]:
        typer.echo(f"- {line}")
    typer.echo(f"written: {folder}/report/index.html")
    if outcome.failed:
        raise typer.Exit(1)


@study_app.command("records")
def copy_study_records(
    study: StudyFile,
    to: Annotated[Path, typer.Option("--to", help="A new folder.", show_default=False)],
    output: StudyFolder = None,
) -> None:
    """Copy a study without its models: records, results and every query's values, to publish or to keep.

    `study report` makes the same report from the copy.

    Example: isogloss study records my-study.toml --to my-study-records
    """
    from isogloss.errors import RecipeError
    from isogloss.study.records import copy_records
    from isogloss.study.report.findings import MEASURES

    _, folder = _opened(study, output)
    if not folder.is_dir():
        raise RecipeError(f"{folder}: no such folder; nothing of {study} was run there")
    runs, measurements = copy_records(folder, to, MEASURES)
    typer.echo(f"written: {to}: records of {runs} runs, {measurements} measurements")


def _opened(file: Path, output: Path | None) -> tuple[Study, Path]:
    from isogloss.study.definition import read_study

    if file.is_dir():
        return read_study(file / "study.toml"), output or file
    return read_study(file), output or file.with_suffix("")


def _keep(file: Path, folder: Path) -> None:
    """Keep the study beside its runs, as it was last run."""
    from isogloss.files import finished_file

    if file.is_file() and file.resolve() != (folder / "study.toml").resolve():
        with finished_file(folder / "study.toml") as path:
            shutil.copyfile(file, path)
