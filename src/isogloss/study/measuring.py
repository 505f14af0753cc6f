"""Measure bases, runs and rival cures on the test sets: what the report alone does."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from isogloss.corpus import RetrievalBenchmark, load_benchmark
from isogloss.encoding.debias.cures import METHODS, fit
from isogloss.encoding.debias.encoder import DebiasedEncoder
from isogloss.encoding.debias.fitting import distinct_texts
from isogloss.encoding.encoder import Encoder, running_total
from isogloss.encoding.opening import open_encoder
from isogloss.encoding.remembering import RememberingEncoder
from isogloss.evaluation import TrainedPairs
from isogloss.evaluation.model_evaluation import StageProgress, evaluate_model
from isogloss.evaluation.per_query import write_per_query
from isogloss.evaluation.results import write_results
from isogloss.evaluation.seen_unseen import with_training
from isogloss.files import finished_folder
from isogloss.reporting.results import model_results
from isogloss.study.definition import Study
from isogloss.study.queue import Task
from isogloss.study.running import MODEL
from isogloss.study.runs import Run, base_name
from isogloss.training.trained_on import trained_pairs

TESTS = "test"
_CURE = " + "


@dataclass(frozen=True)
class Tested:
    """Where the figures of a model on a test set are.

    Attributes:
        condition: the condition whose training and cures are meant.
        base: the base.
        arm: the arm; None for the base itself.
        seed: the run's seed; None for the base itself.
        cure: the cure on top; None without.
        test: the test set.
        place: the folder of the results, relative to the study's.
    """

    condition: str
    base: str
    arm: str | None
    seed: int | None
    cure: str | None
    test: str
    place: Path


def measurements_of(study: Study, runs: Sequence[Run], cured_arm: str | None) -> list[Tested]:
    """List everything that the report measures.

    Args:
        study: the study.
        runs: its runs.
        cured_arm: the arm whose models the cures are also applied to.
    """
    found = []
    for name, condition in study.conditions.items():
        for test in condition.test:
            for base in study.bases:
                folder = Path("bases", base_name(base))
                found.append(Tested(name, base, None, None, None, test, folder / TESTS / _file(test)))
                for cure in study.cures_under(name):
                    place = folder / f"{cure} fitted for {name}" / TESTS / _file(test)
                    found.append(Tested(name, base, None, None, cure, test, place))
            for run in runs:
                if run.condition != name:
                    continue
                for chosen in (None, *(study.cures_under(name) if run.arm == cured_arm else ())):
                    place = run.place / (f"{TESTS}{_CURE}{chosen}" if chosen else TESTS) / _file(test)
                    found.append(Tested(name, run.base, run.arm, run.seed, chosen, test, place))
    return found


def measurement_tasks(
    study: Study,
    tested: Sequence[Tested],
    folder: Path,
    progress: StageProgress,
    *,
    data_dir: Path | None = None,
    device: str | None = None,
) -> list[Task]:
    """Make a task of each model and test set; the cures of a model are measured with it, from the same vectors.

    Args:
        study: the study.
        tested: as `measurements_of` lists it, of finished runs.
        folder: the study's.
        progress: told of encoding and ranking.
        data_dir: where benchmarks lie.
        device: torch device.
    """
    by_model: dict[tuple[str, str], list[Tested]] = {}
    for one in tested:
        model = one.base if one.arm is None else (_run_place(one) / MODEL).as_posix()
        by_model.setdefault((model, one.test), []).append(one)
    tasks = []
    for (model, test), those in by_model.items():
        own = next(one for one in those if one.cure is None)
        tasks.append(
            Task(
                name=f"{own.condition if own.arm else 'base'} / {_called(own)} on {test}",
                folder=folder / own.place.parent / f".{own.place.name}",
                done=_all_there(folder, those),
                work=_measure(study, model, own, those, folder, progress, data_dir, device),
            )
        )
    return tasks


def _all_there(folder: Path, those: Sequence[Tested]) -> Callable[[], bool]:
    return lambda: all((folder / one.place / "results.json").is_file() for one in those)


def _measure(
    study: Study,
    model: str,
    own: Tested,
    those: Sequence[Tested],
    folder: Path,
    progress: StageProgress,
    data_dir: Path | None,
    device: str | None,
) -> Callable[[], None]:
    def work() -> None:
        benchmark = load_benchmark(own.test, data_dir)
        place = model if own.arm is None else folder / model
        # Results name it by its place in the study, wherever the study lies.
        encoder = RememberingEncoder(open_encoder(place, device=device), model)
        trained = trained_pairs(Path(place).expanduser())
        if trained is not None:
            trained = replace(trained, source=trained.source.replace(str(place), model))
        for one in those:
            if (folder / one.place / "results.json").is_file():
                continue
            measured: Encoder = encoder
            if one.cure is not None:
                corpora = [load_benchmark(name, data_dir) for name in study.conditions[one.condition].train]
                measured = _cured(encoder, one.cure, corpora, progress)
            _write(measured, benchmark, trained, folder / one.place, progress)

    return work


def _cured(
    encoder: RememberingEncoder, method: str, corpora: Sequence[RetrievalBenchmark], progress: StageProgress
) -> Encoder:
    """A model with a cure fitted on the texts of training corpora; what answers what is not read."""
    chosen = next(one for one in METHODS if one == method)
    sides = [distinct_texts(corpus) for corpus in corpora]
    queries = sorted({pair for pairs, _ in sides for pair in pairs})
    passages = sorted({pair for _, pairs in sides for pair in pairs})
    told = running_total(
        lambda done: progress("encoding training texts for the cures", done, len(queries) + len(passages))
    )
    vectors = np.concatenate(
        [
            encoder.encode([text for text, _ in queries], "query", told),
            encoder.encode([text for text, _ in passages], "passage", told),
        ]
    )
    cure = fit(chosen, vectors, [language for _, language in (*queries, *passages)])
    record = {
        "method": method,
        "base": encoder.name,
        "fitted_on": {
            "name": " and ".join(corpus.name for corpus in corpora),
            "checksum": ", ".join(corpus.checksum for corpus in corpora),
            "texts": len(vectors),
        },
        "languages": list(cure.languages),
        "directions": len(cure.directions),
        "reference": cure.reference,
    }
    return DebiasedEncoder(encoder, cure, f"{encoder.name}{_CURE}{method}", record)


def _write(
    encoder: Encoder,
    benchmark: RetrievalBenchmark,
    trained: TrainedPairs | None,
    place: Path,
    progress: StageProgress,
) -> None:
    evaluation, encoded = evaluate_model(encoder, benchmark, progress)
    results = model_results(evaluation, encoder, encoded)
    if trained is not None:
        results = with_training(results, trained)
    with finished_folder(place) as folder:
        write_results(results, folder / "results.json")
        write_per_query(evaluation, folder / "per_query.parquet")


def _run_place(one: Tested) -> Path:
    return Path("runs", one.condition, base_name(one.base), str(one.arm), f"seed-{one.seed}")


def _called(one: Tested) -> str:
    return f"{base_name(one.base)} / {one.arm} / seed {one.seed}" if one.arm else base_name(one.base)


def _file(test: str) -> str:
    return re.sub(r"[^A-Za-z0-9._+-]", "_", test)
