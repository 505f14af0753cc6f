"""A progress bar for a stream of versions: how much of its files is read, records a second, time left."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isogloss.corpus.streaming import VersionStream

_SECONDS_BETWEEN_REPORTS = 0.2


class StreamProgress:
    """A context that gives a function to call with the number of versions so far; shows rate and time left.

    Nothing is shown of what is done before the first report is due.
    """

    def __init__(self, streams: Sequence[VersionStream], stage: str) -> None:
        from isogloss.cli.console import StagedProgress

        self._streams = streams
        self._stage = stage
        self._bars = StagedProgress()
        self._began = self._last = time.perf_counter()
        self._rate = ""

    def __enter__(self) -> Callable[[int], None]:
        self._bars.__enter__()
        return self._report

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self._rate:
            self._bars.show(f"{self._stage}, %", 100, 100, self._rate, None)
        self._bars.__exit__()

    def _report(self, versions: int) -> None:
        now = time.perf_counter()
        if now - self._last < _SECONDS_BETWEEN_REPORTS:
            return
        self._last = now
        ends = [stream.progress() for stream in self._streams if stream.progress is not None]
        done, total = sum(end for end, _ in ends), sum(end for _, end in ends)
        seconds = now - self._began
        left = seconds * (total - done) / done if done else None
        self._rate = f"{versions:,} records, {versions / seconds:,.0f}/s"
        # Bytes of files and rows of others are no numbers to show together; never whole while there is work left.
        percent = min(int(100 * done / total), 99) if total else 0
        self._bars.show(f"{self._stage}, %", percent, 100, self._rate, left)
