"""The command line. `main` is the console script; heavy imports wait inside the commands that need them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence

_PATIENCE = 3.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Exit codes: 0 done; 2 wrong input, options or data, said in one message; 130 stopped by Ctrl-C.

    Args:
        arguments: the words after the program's name; None takes them from the command line.
    """
    from isogloss.cli.app import app
    from isogloss.errors import Interrupted, IsoglossError

    try:
        app(args=None if arguments is None else list(arguments), prog_name="isogloss")
    except Interrupted as stop:
        if _leads():
            print(stop, file=sys.stderr)
        sys.exit(130)
    except IsoglossError as error:
        if not _leads():
            # As a rule all processes that train together fail alike, and the launcher ends the others when the first
            # has spoken and gone; what is wrong with this one alone has still to be said.
            time.sleep(_PATIENCE)
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        # The reader of our output went away (`isogloss ... | head`): no error of ours.
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:
        # A file or folder without rights, a full disk: the system's own words, with the name.
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}", file=sys.stderr)
        sys.exit(2)


def _leads() -> bool:
    """Whether this is the first of the processes that a launcher started, or the only one."""
    return os.environ.get("RANK", "0") in ("", "0")
