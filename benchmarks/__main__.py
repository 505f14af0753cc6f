"""All benchmarks, one after the other: `python -m benchmarks [NAME ...] [--quick] [--output FOLDER]`."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

NAMES = ("training", "encoding", "evaluation", "ranking", "planning")


def main() -> None:
    """Run benchmarks; write each one's table, figures and plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(NAMES)}; default: all")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that they run")
    parser.add_argument("--output", type=Path, default=Path("benchmark-results"))
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(NAMES))
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    options.output.mkdir(parents=True, exist_ok=True)
    for name in options.names or NAMES:
        print(f"== {name}", flush=True)
        report = importlib.import_module(f"benchmarks.{name}").run(options.quick)
        (options.output / f"{name}.md").write_text(report.as_markdown(), encoding="utf-8")
        (options.output / f"{name}.json").write_text(report.as_json(), encoding="utf-8")
        draw = getattr(report, "draw", None)
        if draw is not None:
            draw(options.output / f"{name}.svg")
        print(report.as_markdown(), flush=True)


if __name__ == "__main__":
    main()
