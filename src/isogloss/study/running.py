"""Train one run of a study and keep what it says of itself."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from isogloss.corpus import read_corpus
from isogloss.encoding.loading import load_sentence_transformer, prompts_of
from isogloss.encoding.machine import machine
from isogloss.encoding.versions import library_versions
from isogloss.errors import RecipeError
from isogloss.files import finished_file
from isogloss.study.runs import Run
from isogloss.training.batch_loading import PairCollator
from isogloss.training.callbacks import TrainingProgress
from isogloss.training.planning import make_planner, pair_dataset
from isogloss.training.recipe import Recipe, recipe_toml
from isogloss.training.run import RECORD as TRAINING_RECORD
from isogloss.training.run import train
from isogloss.training.workspace import Workspace

MODEL = "model"
RECORD = "run.json"


def train_run(
    run: Run, folder: Path, *, data_dir: Path | None = None, progress: TrainingProgress | None = None
) -> None:
    """Train a run, or go on with it where it was stopped, and write its record.

    Args:
        run: the run.
        folder: the study's.
        data_dir: where benchmarks lie.
        progress: told of training.

    Raises:
        IsoglossError: as `train`.
        Interrupted: a signal came; the same call goes on.
    """
    place = folder / run.place
    began = time.time()
    if not (place / MODEL).is_dir():
        workspace = Workspace(place / MODEL)
        resume = workspace.recipe_path.is_file()
        if not resume:
            # Killed before the recipe was written: nothing to go on from.
            shutil.rmtree(workspace.folder, ignore_errors=True)
        train(run.recipe, place / MODEL, data_dir=data_dir, resume=resume, progress=progress)
    trained = json.loads((place / MODEL / TRAINING_RECORD).read_text(encoding="utf-8"))
    pairs, tokens = budget_of(run.recipe, data_dir)
    record = {
        "recipe": recipe_toml(run.recipe),
        "pairs": pairs,
        "tokens": tokens,
        "seconds": pairs / trained["pairs_per_second"] if trained["pairs_per_second"] else 0.0,
        "finished": time.strftime("%Y-%m-%d %H:%M", time.gmtime(max(began, time.time()))),
        "versions": library_versions(),
        "machine": machine(),
        **trained,
    }
    with finished_file(place / RECORD) as path:
        path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_record(run: Run, folder: Path) -> dict[str, Any] | None:
    """Read the record of a finished run; None where it is not finished.

    Raises:
        RecipeError: the run was made with another recipe.
    """
    path = folder / run.place / RECORD
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"{path}: cannot read the run's record: {error}; remove the run's folder"
        ) from error
    if record.get("recipe") != recipe_toml(run.recipe):
        raise RecipeError(
            f"{path}: {run} was trained with another recipe: {_difference(record.get('recipe', ''), run.recipe)}; "
            "give the study another --output, or remove the run's folder"
        )
    return record


def budget_of(recipe: Recipe, data_dir: Path | None = None) -> tuple[int, int]:
    """Count what a recipe's batches hold: pairs, and tokens of all their texts as they are cut."""
    corpora = [read_corpus(source, data_dir=data_dir) for source in recipe.train]
    planner = make_planner(recipe, corpora)
    dataset = pair_dataset(recipe, corpora)
    model = load_sentence_transformer(recipe.base, device="cpu", max_length=recipe.max_length)
    prompts = prompts_of(
        model, recipe.base, query_prompt=recipe.query_prompt, passage_prompt=recipe.passage_prompt
    )
    collate = PairCollator.of(
        recipe, lambda texts, prompt, **_: {"texts": [prompt + text for text in texts]}, prompts
    )
    limit = model.max_seq_length
    known: dict[str, int] = {}
    pairs = tokens = 0
    for step in range(recipe.batches):
        batch = planner.batch(step).pairs.tolist()
        pairs += len(batch)
        sides = collate([dataset[pair] for pair in batch])
        texts = [text for side, of_side in sides.items() if side.endswith("_texts") for text in of_side]
        if new := sorted(set(texts) - known.keys()):
            lengths = model.tokenizer(new, truncation=False, padding=False, verbose=False)["input_ids"]
            known |= {text: min(len(ids), limit or len(ids)) for text, ids in zip(new, lengths, strict=True)}
        tokens += int(np.sum([known[text] for text in texts]))
    return pairs, tokens


def _difference(before: str, now: Recipe) -> str:
    then, there = (_lines(text) for text in (before, recipe_toml(now)))
    changed = [key for key in (*then, *there) if then.get(key) != there.get(key)]
    return ", ".join(
        f"{key} was {then.get(key, 'not there')} and is {there.get(key, 'not there')}"
        for key in dict.fromkeys(changed)
    )


def _lines(text: str) -> Mapping[str, str]:
    return dict(line.split(" = ", 1) for line in text.splitlines() if " = " in line)
