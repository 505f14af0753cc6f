"""The folder of an unfinished run, ``OUTPUT.unfinished``: its recipe and checkpoints, until the model is whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from isogloss.errors import OutputError, RecipeError
from isogloss.files import finished_file, refuse_existing
from isogloss.training.recipe import Recipe, make_recipe, read_recipe_values, recipe_toml

_MAY_CHANGE = {"device", "log_every", "memory_budget", "save_every"}
"""Keys that a resumed run may set otherwise: they do not change what is learnt."""


@dataclass(frozen=True)
class Workspace:
    """Where a run keeps what is not finished.

    Attributes:
        output: the folder that the model will have.
        folder: ``OUTPUT.unfinished`` beside it.
    """

    output: Path

    @property
    def folder(self) -> Path:
        """The folder of the unfinished run."""
        return self.output.with_name(self.output.name + ".unfinished")

    @property
    def recipe_path(self) -> Path:
        """The recipe that the run was started with."""
        return self.folder / "recipe.toml"

    @property
    def data_path(self) -> Path:
        """The checksums of the corpora that the run was started with."""
        return self.folder / "data.json"

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.folder / "checkpoints"

    def refuse_used(self) -> None:
        """Raise an error where a new run cannot begin; quick, so that it can come before anything is loaded.

        Raises:
            OutputError: the output or an unfinished run is there already.
        """
        refuse_existing(self.output)
        if self.folder.exists():
            raise OutputError(
                f"{self.folder}: an unfinished run is there; go on with it by adding --resume, "
                "or remove the folder to begin anew"
            )

    def begin(self, recipe: Recipe, checksums: Mapping[str, str]) -> None:
        """Make the folder for a new run.

        Args:
            recipe: the run's.
            checksums: of the training corpora, by name.

        Raises:
            OutputError: the output or an unfinished run is there already.
        """
        self.refuse_used()
        with finished_file(self.data_path) as path:
            path.write_text(json.dumps(dict(checksums), ensure_ascii=False), encoding="utf-8")
        with finished_file(self.recipe_path) as path:
            path.write_text(recipe_toml(recipe), encoding="utf-8")

    def resume(self, recipe: Recipe) -> Path | None:
        """Find the newest whole checkpoint of an unfinished run.

        Returns:
            The checkpoint, or None where the run was stopped before its first.

        Raises:
            OutputError: there is no unfinished run, or its output exists.
            RecipeError: the recipe is not the one the run was started with.
        """
        refuse_existing(self.output)
        if not self.recipe_path.is_file():
            raise OutputError(f"{self.folder}: there is no unfinished run to resume; leave --resume out")
        saved = make_recipe(read_recipe_values(self.recipe_path), source=str(self.recipe_path))
        now, then = recipe.model_dump(), saved.model_dump()
        changed = [key for key in now if now[key] != then[key] and key not in _MAY_CHANGE]
        if changed:
            differences = ", ".join(f"{key} was {then[key]!r} and is now {now[key]!r}" for key in changed)
            raise RecipeError(f"{self.recipe_path}: the run was started with another recipe: {differences}")
        return newest_checkpoint(self.checkpoints)

    def check_data(self, checksums: Mapping[str, str]) -> None:
        """Raise an error where the training corpora are not those that the run was started with.

        Raises:
            RecipeError: a corpus has changed; its batches would not be those of the run.
        """
        then = json.loads(self.data_path.read_text(encoding="utf-8"))
        changed = [name for name, checksum in checksums.items() if then.get(name) != checksum]
        if changed:
            raise RecipeError(
                f"{self.folder}: the run was started with other data: {', '.join(changed)} has changed since; bring it "
                "back, or remove the folder to begin anew"
            )

    def discard_if_empty(self) -> None:
        """Remove the folder of a run that failed before its first checkpoint: there is nothing to go on from."""
        if newest_checkpoint(self.checkpoints) is None:
            self.finish()

    def finish(self) -> None:
        """Remove the folder, once the model is whole."""
        shutil.rmtree(self.folder, ignore_errors=True)


def newest_checkpoint(folder: Path) -> Path | None:
    """Return the checkpoint with the most steps that was written to its end, or None.

    A kill can leave the newest one cut short; the trainer writes ``trainer_state.json`` last.
    """
    whole = [
        (int(path.name.removeprefix("checkpoint-")), path)
        for path in folder.glob("checkpoint-*")
        if path.name.removeprefix("checkpoint-").isdigit() and _is_whole(path / "trainer_state.json")
    ]
    return max(whole)[1] if whole else None


def _is_whole(state: Path) -> bool:
    try:
        json.loads(state.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True
