"""What happens beside the optimiser's steps: progress, and an orderly end on Ctrl-C."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Protocol

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from isogloss.training.development import describe
from isogloss.training.processes import is_any


class TrainingProgress(Protocol):
    """Where a run reports to; the command line shows it as a bar."""

    def step(self, done: int, steps: int, pairs_per_second: float, loss: float | None) -> None:
        """One optimiser step is done."""
        ...

    def message(self, text: str) -> None:
        """Something worth a line of its own."""
        ...


class SilentProgress:
    """Reports nothing."""

    def step(self, done: int, steps: int, pairs_per_second: float, loss: float | None) -> None:
        """Do nothing."""

    def message(self, text: str) -> None:
        """Do nothing."""


class ProgressCallback(TrainerCallback):
    """Reports every step with the rate since the run began, evaluations left out.

    Args:
        progress: where to report to.
        pairs_per_step: pairs an optimiser step, gradient accumulation included.
    """

    def __init__(self, progress: TrainingProgress, pairs_per_step: int) -> None:
        self.progress = progress
        self.pairs_per_step = pairs_per_step
        self.loss: float | None = None
        self._trained_seconds = 0.0
        self._trained_steps = 0
        self._step_began = 0.0

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Start the clock of a step."""
        self._step_began = time.perf_counter()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Stop the clock and report."""
        self._trained_seconds += time.perf_counter() - self._step_began
        self._trained_steps += 1
        self.progress.step(state.global_step, state.max_steps, self.pairs_per_second, self.loss)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Remember the loss, to show it with the next step."""
        if logs and "loss" in logs:
            self.loss = float(logs["loss"])

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Report the development figures."""
        figures = {
            key.removeprefix("eval_"): value for key, value in (metrics or {}).items() if "dev_" in key
        }
        if figures:
            self.progress.message(f"step {state.global_step}: development {describe(figures)}")

    @property
    def pairs_per_second(self) -> float:
        """Pairs trained on a second so far."""
        return (
            self._trained_steps * self.pairs_per_step / self._trained_seconds
            if self._trained_seconds
            else 0.0
        )


_ECHO_SECONDS = 1.0
"""A launcher passes Ctrl-C on to processes that the terminal has sent it to as well: the same signal, not a second."""


class InterruptCallback(TrainerCallback):
    """On SIGINT or SIGTERM: finish the step, save a checkpoint, stop. A second signal stops at once.

    Used as a context manager around training; outside the main thread, where no handler can be set, it does nothing.
    Where several processes train, all stop after the same step when a signal has come to any of them.

    Attributes:
        interrupted: a signal has come to this process.
        stopping: training was asked to stop.
    """

    def __init__(self, notify: Callable[[str], None]) -> None:
        self.notify = notify
        self.interrupted = False
        self.stopping = False
        self._since = 0.0
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> InterruptCallback:
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                self._previous[number] = signal.signal(number, self._handle)
            except ValueError:
                break
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous.clear()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.interrupted and now - self._since > _ECHO_SECONDS:
            raise KeyboardInterrupt
        if self.interrupted:
            return
        self.interrupted, self._since = True, now
        self.notify("stopping after this step to save a checkpoint; once more to stop at once")

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Ask the trainer to save and stop where a signal has come."""
        if is_any(self.interrupted, args.device) and state.global_step < state.max_steps:
            self.stopping = True
            control.should_save = True
            control.should_training_stop = True
