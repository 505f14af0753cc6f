"""The figures of a study put side by side: every model of a condition, base and test set, and their differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from isogloss.evaluation import TrainedPairs
from isogloss.evaluation.results import read_results
from isogloss.evaluation.seen_unseen import SPLITS, split_of
from isogloss.evaluation.significance import Comparison, Settings, compare_runs, read_saved_runs
from isogloss.evaluation.significance.clusters import Cell, PairedValues
from isogloss.evaluation.significance.comparing import Row
from isogloss.study.definition import Study
from isogloss.study.measuring import Tested
from isogloss.study.roles import Roles, roles_of
from isogloss.study.runs import base_name
from isogloss.study.status import RunState

MEASURES = ("map", "recall@1", "recall@10", "rank_distance")
BASE = "base, not trained"


@dataclass(frozen=True)
class Model:
    """A line of the tables: the base or an arm, perhaps with a cure, a run a seed.

    Attributes:
        name: of the line.
        arm: the arm; None for the base.
        cure: the cure on top; None without.
        seeds: of the runs.
        results: what `evaluate` wrote of each run.
    """

    name: str
    arm: str | None
    cure: str | None
    seeds: tuple[int, ...]
    results: tuple[dict[str, Any], ...]

    def values(self, setting: str, measure: str) -> list[float]:
        """A figure of every run that has it; rank distance belongs to multi."""
        parts = [
            one["language_bias"][measure]
            if measure in one["language_bias"]
            else one["settings"][setting][measure]
            for one in self.results
        ]
        return [part["mean"] for part in parts if part["mean"] is not None]


@dataclass(frozen=True)
class Block:
    """One condition, base and test set.

    Attributes:
        condition: its name.
        base: the base's name.
        test: the test set's name.
        models: the lines, the base first.
        trained: the languages and pairs that the hybrid, or else the first arm, was trained on.
        differences: of every other line from the hybrid; None without a hybrid arm or another line.
        splits: likewise of cross-lingual figures, with seen and unseen pairs as settings.
        pairs: how many ordered pairs each split has.
        curves: by arm the development figures of each run.
    """

    condition: str
    base: str
    test: str
    models: tuple[Model, ...]
    trained: TrainedPairs | None
    differences: Comparison | None
    splits: Comparison | None
    pairs: Mapping[str, int]
    curves: Mapping[str, list[list[dict[str, float]]]]

    @property
    def name(self) -> str:
        """For headings."""
        return f"{self.base}, trained on {self.condition}, tested on {self.test}"

    def model(self, arm: str | None) -> Model | None:
        """The line of an arm without a cure."""
        return next((one for one in self.models if one.arm == arm and one.cure is None), None)


@dataclass(frozen=True)
class StudyFindings:
    """All that a report says.

    Attributes:
        study: the study.
        roles: which arm is which.
        blocks: one a condition, base and test set that a trained model has figures of.
        states: how every run stands.
    """

    study: Study
    roles: Roles
    blocks: tuple[Block, ...]
    states: tuple[RunState, ...]


def row_of(comparison: Comparison | None, group: str, setting: str, measure: str) -> Row | None:
    """The macro-average's row of a comparison; None where there is none."""
    if comparison is None:
        return None
    return next(
        (
            row
            for row in comparison.rows
            if row.group == group
            and (row.figure.setting, row.figure.measure, row.figure.level) == (setting, measure, "overall")
        ),
        None,
    )


def collect(
    study: Study,
    states: Sequence[RunState],
    tested: Sequence[Tested],
    folder: Path,
    settings: Settings,
) -> StudyFindings:
    """Read what was measured, and compare.

    Args:
        study: the study.
        states: of its runs.
        tested: as `measurements_of` lists it; what has no results yet is left out.
        folder: the study's.
        settings: of the comparisons.

    Raises:
        DataError: results are broken.
    """
    roles = roles_of(study)
    blocks = []
    for key in dict.fromkeys((one.condition, one.base, one.test) for one in tested):
        there = [
            one
            for one in tested
            if (one.condition, one.base, one.test) == key and (folder / one.place / "results.json").is_file()
        ]
        if any(one.arm is not None for one in there):
            blocks.append(_block(key, there, roles, states, folder, settings))
    return StudyFindings(study, roles, tuple(blocks), tuple(states))


def _block(
    key: tuple[str, str, str],
    tested: Sequence[Tested],
    roles: Roles,
    states: Sequence[RunState],
    folder: Path,
    settings: Settings,
) -> Block:
    models, places = [], []
    for line in dict.fromkeys((one.arm, one.cure) for one in tested):
        those = [one for one in tested if (one.arm, one.cure) == line]
        name = line[0] or BASE
        models.append(
            Model(
                name=f"{name} + {line[1]}" if line[1] else name,
                arm=line[0],
                cure=line[1],
                seeds=tuple(one.seed for one in those if one.seed is not None),
                results=tuple(read_results(folder / one.place / "results.json") for one in those),
            )
        )
        places.append([folder / one.place for one in those])
    order = sorted(range(len(models)), key=lambda number: (models[number].arm is not None, number))
    models, places = [models[number] for number in order], [places[number] for number in order]
    trained = _trained(models, roles)
    differences = splits = None
    pairs: dict[str, int] = {}
    first = next(
        (n for n, one in enumerate(models) if one.arm == roles.hybrid and one.cure is None), None
    ) if roles.hybrid else None  # fmt: skip
    if first is not None and len(models) > 1:
        arranged = [first, *(number for number in range(len(models)) if number != first)]
        saved = read_saved_runs([one for number in arranged for one in places[number]], MEASURES)
        groups, start = [], 0
        for number in arranged:
            groups.append((models[number].name, range(start, start + len(places[number]))))
            start += len(places[number])
        differences = compare_runs(saved.paired, groups, settings)
        if trained is not None:
            split, pairs = by_split(saved.paired, trained)
            if pairs:
                splits = compare_runs(split, groups, settings)
    return Block(
        condition=key[0],
        base=base_name(key[1]),
        test=key[2],
        models=tuple(models),
        trained=trained,
        differences=differences,
        splits=splits,
        pairs=pairs,
        curves=_curves(key, states),
    )


def by_split(paired: PairedValues, trained: TrainedPairs) -> tuple[PairedValues, dict[str, int]]:
    """Take the cross-lingual mAP alone, a setting a split, so that macro-averages are over the pairs of a split.

    Returns:
        The values, and how many ordered pairs each split has, in the order of `SPLITS`.
    """
    cells = []
    pairs: dict[str, int] = dict.fromkeys(SPLITS, 0)
    for cell in paired.cells:
        if cell.setting != "cross" or cell.candidate_language is None:
            cells.append(cell)
            continue
        split = split_of(trained, cell.query_language, cell.candidate_language)
        pairs[split] += 1
        cells.append(Cell(split, cell.query_language, cell.candidate_language))
    kept = [number for number, cell in enumerate(cells) if cell.setting in SPLITS]
    place = np.full(len(cells), -1, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    rows = place[paired.cell] >= 0
    chosen = replace(
        paired,
        cluster=paired.cluster[rows],
        cell=place[paired.cell[rows]],
        cells=tuple(cells[number] for number in kept),
        values={"map": paired.values["map"][:, rows]},
    )
    return chosen, {split: number for split, number in pairs.items() if number}


def _trained(models: Sequence[Model], roles: Roles) -> TrainedPairs | None:
    with_training = [one for one in models if one.results and "training" in one.results[0]]
    chosen = next((one for one in with_training if one.arm == roles.hybrid), None) or next(
        iter(with_training), None
    )
    if chosen is None:
        return None
    said = chosen.results[0]["training"]
    pairs = [(pair.split("->")[0], pair.split("->")[1]) for pair in said["pairs"]]
    return TrainedPairs.of(said["languages"], pairs, said["source"])


def _curves(key: tuple[str, str, str], states: Sequence[RunState]) -> dict[str, list[list[dict[str, float]]]]:
    found: dict[str, list[list[dict[str, float]]]] = {}
    for one in states:
        if one.record is not None and (one.run.condition, one.run.base) == key[:2]:
            found.setdefault(one.run.arm, []).append(one.record["development"])
    return found
