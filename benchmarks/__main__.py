"""Run benchmarks one after the other: `python -m benchmarks [NAME ...] [--quick]`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import Report
from isogloss.errors import IsoglossError

NAMES = (
    "training",
    "encoding",
    "evaluation",
    "ranking",
    "planning",
    "data_scale",
    "decontamination",
    "cleaning",
    "export",
    "serving",
)
"""Modules of this package with a `run(quick) -> Report`."""

RESULTS = Path(__file__).parent / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks named, or all; print each one's table, and write it.

    Returns:
        0, or 1 where a benchmark failed; the others are run all the same.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; default: all")
    parser.add_argument("--quick", action="store_true", help="small and once, to see that they run")
    parser.add_argument(
        "--output", type=Path, help="folder for tables, figures and plots; default: benchmarks/results,"
        " and none with --quick, whose times mean nothing",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - set(NAMES)):
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    output = options.output or (None if options.quick else RESULTS)
    failed = []
    for name in options.names or NAMES:
        print(f"== {name}", flush=True)
        try:
            report: Report = importlib.import_module(f"benchmarks.{name}").run(options.quick)
            print(report.as_markdown(), flush=True)
            if output is not None:
                report.write(output)
        except (IsoglossError, AssertionError) as error:
            print(f"{name}: {error}", file=sys.stderr, flush=True)
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
