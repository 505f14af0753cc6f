"""How far a study is, and how long the rest will take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from isogloss.reporting.tables import Table
from isogloss.study.definition import Budget
from isogloss.study.queue import FAILURE, is_held
from isogloss.study.running import read_record
from isogloss.study.runs import Run, base_name

State = Literal["done", "failed", "running", "left"]
_TOKENS_APART = 0.1


@dataclass(frozen=True)
class RunState:
    """A run, how it stands, and its record where it is done."""

    run: Run
    state: State
    record: dict[str, Any] | None
    failure: str | None


def states_of(runs: Sequence[Run], folder: Path) -> list[RunState]:
    """Look at every run.

    Raises:
        RecipeError: a run on disk was made with another recipe than the study's.
    """
    found = []
    for run in runs:
        place = folder / run.place
        record = read_record(run, folder)
        failure = None
        state: State = "left"
        if record is not None:
            state = "done"
        elif is_held(place):
            state = "running"
        elif (place / FAILURE).is_file():
            state = "failed"
            failure = (place / FAILURE).read_text(encoding="utf-8").strip().splitlines()[-1]
        found.append(RunState(run, state, record, failure))
    return found


def status_table(states: Sequence[RunState]) -> Table:
    """A line an arm: how many of its runs are in which state, and what they hold."""
    rows = []
    for key in dict.fromkeys((one.run.condition, one.run.base, one.run.arm) for one in states):
        those = [one for one in states if (one.run.condition, one.run.base, one.run.arm) == key]
        records = [one.record for one in those if one.record is not None]
        count = {
            state: sum(one.state == state for one in those) for state in ("done", "running", "failed", "left")
        }
        rows.append(
            (
                key[0],
                base_name(key[1]),
                key[2],
                *(str(number or "-") for number in count.values()),
                str(those[0].run.recipe.steps),
                _mean(records, "pairs", 1),
                _mean(records, "tokens", 1000),
                _mean(records, "seconds", 60),
            )
        )
    header = (
        "condition",
        "base",
        "arm",
        "done",
        "running",
        "failed",
        "left",
        "steps",
        "pairs a run",
        "thousand tokens",
        "minutes",
    )
    return Table("runs", header, tuple(rows), words=3)


def notices(states: Sequence[RunState], budget: Budget = "pairs") -> list[str]:
    """What has to be said beside the table: failures, time left, whether budgets are equal."""
    said = [f"failed: {one.run}: {one.failure}" for one in states if one.state == "failed"]
    seconds = [one.record["seconds"] for one in states if one.record is not None]
    waiting = sum(one.state in ("left", "running") for one in states)
    if waiting and seconds:
        minutes = waiting * sum(seconds) / len(seconds) / 60
        said.append(
            f"{waiting} runs are left, some {minutes:.0f} minutes of training for one worker like those before"
        )
    return said + budget_notices(states, budget)


def budget_notices(states: Sequence[RunState], budget: Budget = "pairs") -> list[str]:
    """Hold the budgets of the arms of each condition and base against each other.

    Args:
        states: the runs.
        budget: the study's.
    """
    said = []
    for key in dict.fromkeys((one.run.condition, one.run.base) for one in states):
        records = [
            (one.run.arm, one.record)
            for one in states
            if (one.run.condition, one.run.base) == key and one.record is not None
        ]
        for what in ("steps", "pairs") if budget == "pairs" else ("steps",):
            if len({record[what] for _, record in records}) > 1:
                said.append(f"{key[0]}: not all arms have trained equally many {what}")
        tokens = {
            arm: sum(record["tokens"] for name, record in records if name == arm)
            / sum(name == arm for name, _ in records)
            for arm in dict.fromkeys(name for name, _ in records)
        }
        if tokens and max(tokens.values()) > (1 + _TOKENS_APART) * min(tokens.values()):
            most, least = max(tokens, key=tokens.__getitem__), min(tokens, key=tokens.__getitem__)
            said.append(
                f"{key[0]}: {most} has met {tokens[most] / tokens[least] - 1:.0%} more tokens than {least}"
            )
    return said


def _mean(records: Sequence[dict[str, Any]], key: str, unit: float) -> str:
    return f"{sum(record[key] for record in records) / len(records) / unit:,.0f}" if records else "-"
