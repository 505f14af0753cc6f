"""Write docs/cli.md from the commands' own help; `make docs` runs it, and a test checks that it is up to date."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COMMANDS = (
    "",
    "audit",
    "evaluate",
    "encode",
    "compare",
    "debias",
    "export",
    "train",
    "plan",
    "index",
    "unindex",
    "search",
    "serve",
    "study run",
    "study status",
    "study report",
    "demo",
    "data",
    "data check",
    "data clean",
    "data convert",
    "data decontaminate",
    "data fetch",
    "data formats",
    "data list",
    "data mine",
    "data split",
    "data stats",
    "data texts",
    "data translate",
    "model",
    "model fetch",
    "model average",
)


def help_text(command: str) -> str:
    """Return the help of a command as it prints in a terminal of 100 columns."""
    script = "import sys; from isogloss.cli import main; main(sys.argv[1:])"
    environment = {**os.environ, "COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}
    environment.pop("ISOGLOSS_DATA", None)
    result = subprocess.run(
        [sys.executable, "-c", script, *command.split(), "--help"],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return "\n".join(line.rstrip() for line in result.stdout.strip().splitlines())


def reference() -> str:
    """Return the whole page."""
    parts = ["# Command line", "", "Made by `make docs` from each command's `--help`.", ""]
    for command in COMMANDS:
        parts += [f"## isogloss {command}".rstrip(), "", "```text", help_text(command), "```", ""]
    return "\n".join(parts)


if __name__ == "__main__":
    Path(__file__).with_name("cli.md").write_text(reference(), encoding="utf-8")
