"""Any program that reads lines and writes a line for each, Apertium for one."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from isogloss.errors import ModelError, RecipeError
from isogloss.translation.codes import iso_639_3
from isogloss.translation.engine import PROBE, EngineStopped, Failure

_PLACES = ("source", "target", "source_tag", "target_tag")
_QUOTED = 200
_IN_VAIN = 8
"""Sentences that may fail before any went well, where the program fails on the plainest text as well."""


class CommandEngine:
    """A program that is started for every batch, with the sentences on its standard input.

    Where it fails on several sentences (it writes another number of lines, ends with an exit code that is not 0, or
    takes too long), each half is tried, down to the sentence that it fails on.

    Args:
        template: the command line, split as a shell would, but run without one; `{source}` and `{target}` stand for
            the ISO 639-3 codes (eng), `{source_tag}` and `{target_tag}` for the codes of the corpus (en).
        codes: other codes for `{source}` and `{target}`, by language of the corpus.
        version: of the program, as far as it matters to its translations.
        batch_size: sentences for one start of the program.
        at_once: programs to run at once.
        timeout: seconds for a batch.
        blank_lines: put an empty line after each sentence, and expect one after each translation, for programs that
            translate across the ends of lines; None does so for Apertium, which is one of them.

    Raises:
        RecipeError: the command line is none, or has other `{places}`.
        ModelError: there is no such program.
    """

    batch_characters = 2**40
    tokens: tuple[int, int] | None = None

    def __init__(
        self,
        template: str,
        *,
        codes: Mapping[str, str],
        version: str | None,
        batch_size: int,
        at_once: int,
        timeout: float,
        blank_lines: bool | None = None,
    ) -> None:
        self.name = f"command:{template}"
        self.batch_size, self.at_once = batch_size, at_once
        self._template, self._codes, self._version, self._timeout = template, dict(codes), version, timeout
        try:
            self._words = shlex.split(template)
        except ValueError as error:
            raise RecipeError(f"{self.name}: {error}") from error
        if not self._words:
            raise RecipeError('name a program: --engine "command:apertium -u {source}-{target}"')
        for place in re.findall(r"\{(\w*)\}", template):
            if place not in _PLACES:
                raise RecipeError(
                    f"{self.name}: {{{place}}} stands for nothing; there are"
                    f" {', '.join(f'{{{known}}}' for known in _PLACES)}"
                )
        if shutil.which(self._words[0]) is None:
            raise ModelError(f"{self.name}: there is no program {self._words[0]!r} on this machine")
        self._blank_lines = (
            PurePath(self._words[0]).name == "apertium" if blank_lines is None else blank_lines
        )
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = self._worked = False
        self._failed = 0

    def identity(self) -> dict[str, Any]:
        """The command line, how sentences are parted, other codes, and the version that was given."""
        return {
            "engine": "command",
            "command": self._template,
            "codes": self._codes,
            "version": self._version,
            "blank_lines": self._blank_lines,
        }

    def refusal(self, source: str, target: str) -> str | None:
        """What the program says when it is given nothing to translate: whether it starts for these languages."""
        try:
            code, _, errors = self._run("", source, target)
        except subprocess.TimeoutExpired:
            return f"no answer within {self._timeout:g} s, and that without a sentence"
        if code:
            return (
                f"`{shlex.join(self._command(source, target))}` ended with exit code {code}: {_said(errors)}; if it has"
                f" another code for {source} or {target}, give it: --code {target}=..."
            )
        return None

    def translate(self, sentences: Sequence[str], source: str, target: str) -> list[str | Failure]:
        """Run the program; where it fails, on each half."""
        answer = self._answer(sentences, source, target)
        if isinstance(answer, list):
            return list(answer)
        problem = answer
        if len(sentences) == 1:
            self._failed += 1
            if not self._worked and self._failed in (1, _IN_VAIN):
                # The longest sentences come first, and those may well be the only ones that it fails on.
                self._answer([PROBE], source, target)
            if self._failed >= _IN_VAIN and not self._worked:
                raise ModelError(
                    f"{self.name}: {self._failed} sentences failed and none went well: {problem}"
                )
            return [Failure(f"engine: {problem}")]
        half = len(sentences) // 2
        return [
            *self.translate(sentences[:half], source, target),
            *self.translate(sentences[half:], source, target),
        ]

    def _answer(self, sentences: Sequence[str], source: str, target: str) -> list[str] | str:
        """Run the program once: a line for each sentence, or what is wrong."""
        end = "\n\n" if self._blank_lines else "\n"
        try:
            code, output, errors = self._run("".join(text + end for text in sentences), source, target)
        except subprocess.TimeoutExpired:
            return f"no answer within {self._timeout:g} s"
        lines = [line.strip() for line in output.removesuffix("\n").split("\n")]
        if self._blank_lines and not any(lines[1::2]):
            lines = lines[::2]
        if code:
            return f"exit code {code}: {_said(errors)}"
        if len(lines) == len(sentences) and output:
            self._worked = True
            return lines
        problem = f"{len(lines)} lines for {len(sentences)}" if output else "no output"
        return problem + (f": {_said(errors)}" if errors.strip() else "")

    def stop(self) -> None:
        """End all programs under way."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                _end(process)

    def _command(self, source: str, target: str) -> list[str]:
        places = {
            "{source}": self._codes.get(source) or iso_639_3(source),
            "{target}": self._codes.get(target) or iso_639_3(target),
            "{source_tag}": source,
            "{target_tag}": target,
        }
        return [re.sub(r"\{\w+\}", lambda place: places[place[0]], word) for word in self._words]

    def _run(self, text: str, source: str, target: str) -> tuple[int, str, str]:
        with self._lock:
            if self._stopped:
                raise EngineStopped
            try:
                # A session of its own: what the program starts (Apertium is a pipeline) ends with it.
                process = subprocess.Popen(
                    self._command(source, target),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                )
            except OSError as error:
                raise ModelError(f"{self.name}: cannot be started: {error.strerror or error}") from error
            self._running.add(process)
        try:
            output, errors = process.communicate(text.encode(), timeout=self._timeout)
        except BaseException:
            _end(process)
            process.communicate()
            raise
        finally:
            with self._lock:
                self._running.discard(process)
        if self._stopped:
            raise EngineStopped
        return process.returncode, output.decode("utf-8", "replace"), errors.decode("utf-8", "replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _said(errors: str) -> str:
    said = " ".join(errors.split())
    return (said if len(said) <= _QUOTED else said[:_QUOTED] + "...") or "it says nothing"
