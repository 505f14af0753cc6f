"""Progress bars and tables on the terminal; plain lines where there is none."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from isogloss.reporting.tables import Table

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

_SECONDS_BETWEEN_LINES = 15.0


def console(*, stderr: bool = False) -> Console:
    """Return a console; one that writes to a file or a pipe does not wrap at 80 columns."""
    from rich.console import Console

    plain = not (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, width=200 if plain else None, highlight=False, soft_wrap=plain)


def print_table(table: Table) -> None:
    """Print a table on standard output."""
    from rich import box
    from rich.table import Table as RichTable

    rich_table = RichTable(title=table.title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for number, name in enumerate(table.header):
        rich_table.add_column(name, justify="left" if number < table.words else "right", no_wrap=True)
    for row in table.rows:
        rich_table.add_row(*row)
    out = console()
    # A table wider than the terminal runs on in the next line; cut-off figures would be no figures.
    unbounded = out.options.update(max_width=10_000)
    out.width = max(out.width, out.measure(rich_table, options=unbounded).maximum)
    out.print(rich_table)


class StagedProgress:
    """One bar a stage, with rate and time left; on a pipe a line every quarter of a minute."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._began: dict[str, float] = {}
        self._last_line = 0.0
        if sys.stderr.isatty():
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                Progress,
                TextColumn,
                TimeElapsedColumn,
                TimeRemainingColumn,
            )

            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeElapsedColumn(),
                TextColumn("elapsed,"),
                TimeRemainingColumn(),
                TextColumn("left"),
                console=console(stderr=True),
            )

    def __enter__(self) -> StagedProgress:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Report how much of a stage is done, of a total where it is known."""
        now = time.perf_counter()
        began = self._began.setdefault(stage, now)
        rate = done / (now - began) if now > began else 0.0
        left = (total - done) / rate if rate and total is not None else None
        self.show(stage, done, total, f"{rate:.0f}/s" if rate else "", left)

    def show(self, stage: str, done: int, total: int | None, rate: str, seconds_left: float | None) -> None:
        """Report with a rate of the caller's own."""
        if self._progress is not None:
            if stage not in self._tasks:
                self._tasks[stage] = self._progress.add_task(stage, total=total, rate="")
            self._progress.update(self._tasks[stage], completed=done, total=total, rate=rate)
            return
        now = time.perf_counter()
        going_on = total is None or done < total
        if going_on and now - self._last_line < _SECONDS_BETWEEN_LINES:
            return
        self._last_line = now
        left = f", {_duration(seconds_left)} left" if seconds_left is not None and going_on else ""
        of = "" if total is None else f"/{total}"
        print(f"{stage}: {done}{of}{', ' + rate if rate else ''}{left}", file=sys.stderr, flush=True)

    def message(self, text: str) -> None:
        """Print a line above the bars."""
        if self._progress is not None:
            self._progress.console.print(text, markup=False)
        else:
            print(text, file=sys.stderr, flush=True)


class TrainingBar:
    """Training progress on a `StagedProgress`: step, pairs a second, loss, time left."""

    def __init__(self, staged: StagedProgress) -> None:
        self.staged = staged
        self._began = time.perf_counter()
        self._first: int | None = None

    def step(self, done: int, steps: int, pairs_per_second: float, loss: float | None) -> None:
        """One optimiser step is done."""
        if self._first is None:
            self._first = done - 1
        seconds_per_step = (time.perf_counter() - self._began) / (done - self._first)
        rate = f"{pairs_per_second:.1f} pairs/s" + (f", loss {loss:.3f}" if loss is not None else "")
        self.staged.show("training", done, steps, rate, (steps - done) * seconds_per_step)

    def message(self, text: str) -> None:
        """Print a line above the bar."""
        self.staged.message(text)


@contextmanager
def staged_progress() -> Iterator[StagedProgress]:
    """Yield a running `StagedProgress`."""
    with StagedProgress() as progress:
        yield progress


def quiet_libraries() -> None:
    """Keep the bars and notices of the libraries below out of ours; their errors still come through."""
    import logging
    import os
    import warnings

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    import transformers

    transformers.utils.logging.disable_progress_bar()
    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"(torch|transformers|sentence_transformers)\.")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
