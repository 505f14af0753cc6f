"""What the benchmarks share: timing in turn, ratios of paired timings, the machine, and a report of them."""

from __future__ import annotations

import json
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from isogloss.encoding.machine import machine as described_machine
from isogloss.encoding.machine import machine_line as line_of_machine
from isogloss.errors import OutputError
from isogloss.files import finished_file

_LIBRARIES = ("numpy", "pyarrow", "scipy", "torch", "transformers", "sentence-transformers", "openvino")


def interleaved(cases: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Time cases in turn, so that a slow minute of the machine falls on all of them.

    Each is called once beforehand, untimed. Which one begins moves on by one from repeat to repeat, and every other
    repeat goes backwards, so that none always follows the same one.

    Args:
        cases: what to call, by name.
        repeats: how often each is timed.

    Returns:
        Wall-clock seconds of each repeat, by case: the n-th of all cases were taken side by side.
    """
    for call in cases.values():
        call()
    names = list(cases)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for repeat in range(repeats):
        first = repeat % max(len(names), 1)
        order = names[first:] + names[:first]
        for name in reversed(order) if repeat % 2 else order:
            began = time.perf_counter()
            cases[name]()
            seconds[name].append(time.perf_counter() - began)
    return seconds


@dataclass(frozen=True)
class Spread:
    """The median of some measurements, and between which they lie."""

    median: float
    low: float
    high: float

    @classmethod
    def over(cls, values: Sequence[float]) -> Spread:
        """Take the median, the lowest and the highest of one or more values."""
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{number(self.median)} ({number(self.low)} to {number(self.high)})"


@dataclass(frozen=True)
class Ratio(Spread):
    """How many times as fast one case is as another."""

    @classmethod
    def of(cls, slow: Sequence[float], fast: Sequence[float]) -> Ratio:
        """Divide seconds by seconds, repeat by repeat.

        Args:
            slow: seconds of the case compared with, one a repeat.
            fast: seconds of the case, of the same repeats.

        Raises:
            ValueError: they are not of the same repeats.
        """
        ratios = [one / other for one, other in zip(slow, fast, strict=True)]
        return cls(statistics.median(ratios), min(ratios), max(ratios))


Cell = str | int | float | Spread | None


def number(value: float) -> str:
    """Write a figure with three digits or more: 1,234 and 12.3 and 1.23 and 0.0123."""
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 1 or size == 0 else f"{value:.3g}"


def machine() -> dict[str, Any]:
    """Say what timings depend on: the machine, and the versions of libraries."""
    versions = {"python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            continue
    return {**described_machine(), "versions": versions}


def machine_line(described: Mapping[str, Any]) -> str:
    """Write `machine()` in a line."""
    versions = (f"{name} {which}" for name, which in described["versions"].items())
    return ", ".join([line_of_machine(described), *versions])


@dataclass(frozen=True)
class Report:
    """A benchmark's table, and how it came about.

    Attributes:
        name: of the benchmark and of its files.
        title: what the table shows, in a line.
        columns: their heads.
        rows: a cell a column; None is an empty one.
        notes: lines below the table: what was checked, what could not be run.
        words: how many of the first columns hold words, and are set to the left.
        measured: what the table was made from, in JSON's types.
        machine: as `machine` gives it.
        plot: draws on a matplotlib figure; None where there is no plot.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    words: int = 1
    measured: Mapping[str, Any] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=machine)
    plot: Callable[[Any], None] | None = None

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(
                    f"{self.name}: a row of {len(row)} cells under {len(self.columns)} columns: {row}"
                )

    def as_json(self) -> str:
        """Everything but the plot, as JSON."""
        rows = [
            {
                column: asdict(cell) if isinstance(cell, Spread) else cell
                for column, cell in zip(self.columns, row, strict=True)
            }
            for row in self.rows
        ]
        parts = {
            "name": self.name,
            "title": self.title,
            "machine": dict(self.machine),
            "rows": rows,
            "notes": list(self.notes),
            "measured": dict(self.measured),
        }
        return json.dumps(parts, ensure_ascii=False, indent=2, allow_nan=False) + "\n"

    def as_markdown(self) -> str:
        """The title, the table, the notes and the machine, as GitHub Markdown."""
        rule = "|---" * self.words + "|--:" * (len(self.columns) - self.words) + "|"
        lines = [self.title, "", _line(self.columns), rule, *map(_line, self.rows), ""]
        lines += [f"- {note}" for note in (*self.notes, machine_line(self.machine))]
        return "\n".join(lines) + "\n"

    def write(self, folder: Path) -> list[Path]:
        """Write NAME.json, NAME.md and, where there is a plot, NAME.svg; files that are there are replaced.

        Returns:
            What was written.

        Raises:
            OutputError: a file cannot be written, or the plot needs matplotlib and it is not installed.
        """
        folder.mkdir(parents=True, exist_ok=True)
        texts = {"json": self.as_json(), "md": self.as_markdown()}
        for suffix, text in texts.items():
            with finished_file(folder / f"{self.name}.{suffix}") as temporary:
                temporary.write_text(text, encoding="utf-8")
        if self.plot is not None:
            with finished_file(folder / f"{self.name}.svg") as temporary:
                self._draw(temporary)
            texts["svg"] = ""
        return [folder / f"{self.name}.{suffix}" for suffix in texts]

    def _draw(self, path: Path) -> None:
        assert self.plot is not None
        try:
            import matplotlib as mpl
            from matplotlib.figure import Figure
        except ImportError as error:
            raise OutputError(
                f"{self.name}.svg: plots need matplotlib ({error}); install it with: pip install -e '.[bench]'"
            ) from error
        # The same figures give the same file.
        with mpl.rc_context({"svg.hashsalt": self.name}):
            figure = Figure(figsize=(9, 3.2), layout="constrained")
            self.plot(figure)
            figure.savefig(path, format="svg", metadata={"Date": None})


def bars(label: str, spreads: Mapping[str, Spread]) -> Callable[[Any], None]:
    """Make a plot of a bar a case, with a whisker from the lowest to the highest.

    Args:
        label: what the bars' lengths are.
        spreads: by case; the first is drawn on top.
    """

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        found = list(spreads.values())
        whiskers = [[one.median - one.low for one in found], [one.high - one.median for one in found]]
        axes.barh(list(spreads), [one.median for one in found], xerr=whiskers, capsize=3, height=0.6)
        axes.invert_yaxis()
        axes.set_xlabel(label)

    return draw


def _line(cells: Sequence[Cell]) -> str:
    return "| " + " | ".join(_text(cell).replace("|", "\\|") for cell in cells) + " |"


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, int):
        return f"{cell:,}"
    return number(cell) if isinstance(cell, float) else str(cell)
