"""Results as JSON: `settings.multi.map.mean` and its relatives, with where they come from.

    format                                            2
    settings.{mono,cross,multi}.{map,recall@1,...}.{mean,by_language}            cross also by_pair
    language_bias.{rank_distance,max@r,...}.{mean,by_language}                   pool_recall@10 also by_pair
    language_shares.{depth,top,relevant,pool}                                    null without the second pass
    counts.{mono,cross,multi,rank_distance,...}.{queries,left_out,by_language}   cross also by_pair
    model, data.{name,checksum,languages,queries,candidates,relevant}, versions, seconds
    training.{languages,pairs,source}, seen_unseen                               where training languages are known

The measures are those of `isogloss.evaluation.measures`. A figure that does not exist (a corpus in one language has no
cross) is null; NaN never occurs. Format 1 had fewer measures; it is read as format 2 with null for the others.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from isogloss._version import __version__
from isogloss.errors import DataError, EvaluationError
from isogloss.evaluation.evaluation import Evaluation
from isogloss.evaluation.language_shares import LanguageShares
from isogloss.evaluation.measures import BIAS_DEFINITIONS
from isogloss.evaluation.settings import MEASURES, SETTINGS, Counts, Summary
from isogloss.files import finished_file

RESULTS_FORMAT = 2
_FIRST_MEASURES = ("map", "recall@1", "recall@10", "rank_distance")


def results_of(
    evaluation: Evaluation,
    *,
    model: str | Mapping[str, Any] | None = None,
    versions: Mapping[str, str] | None = None,
    seconds: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Turn an evaluation into the dictionary that `results.json` holds.

    Args:
        evaluation: the figures.
        model: the model's name, or anything JSON can hold that describes it.
        versions: versions of further libraries; those of isogloss, Python and NumPy are always there.
        seconds: wall-clock seconds of other stages, such as {"encoding": 41.2}; "ranking" and "total" are
            added.
    """
    pool = evaluation.pool
    counts = {setting: _counts(evaluation.settings[setting].counts) for setting in SETTINGS}
    bias = evaluation.bias_summaries()
    stages = {**(seconds or {}), "ranking": evaluation.seconds}
    if evaluation.second is not None:
        stages["second pass"] = evaluation.second_seconds
    return {
        "format": RESULTS_FORMAT,
        "model": dict(model) if isinstance(model, Mapping) else model,
        "data": {
            "name": evaluation.name,
            "checksum": evaluation.checksum,
            "languages": list(pool.languages),
            "queries": len(pool.query_ids),
            "candidates": len(pool.candidate_ids),
            "relevant": len(pool.qrels),
        },
        "settings": {
            setting: {
                measure: _summary(evaluation.settings[setting].summaries[measure]) for measure in MEASURES
            }
            for setting in SETTINGS
        },
        "language_bias": {
            definition.key: _summary(bias[definition.key][0]) if definition.key in bias else _no_figure()
            for definition in BIAS_DEFINITIONS
        },
        "language_shares": _shares(evaluation.language_shares),
        "counts": {**counts, **{key: _counts(bias[key][1]) for key in bias}},
        "versions": {
            "isogloss": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            **(versions or {}),
        },
        "seconds": {**stages, "total": sum(stages.values())},
    }


def write_results(results: Mapping[str, Any], path: Path) -> None:
    """Write results as JSON, whole or not at all; a file at `path` is replaced.

    Raises:
        EvaluationError: the results hold NaN, an infinity or something that JSON cannot hold.
        OutputError: the file cannot be written.
    """
    try:
        text = json.dumps(results, ensure_ascii=False, indent=2, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise EvaluationError(f"{path}: results that JSON cannot hold: {error}") from error
    with finished_file(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_results(path: Path) -> dict[str, Any]:
    """Read results that `write_results` wrote, those of format 1 as if they were of format 2.

    Raises:
        DataError: no such file, not JSON, another format, or a figure is missing or not a number; says which.
    """
    try:
        results = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except OSError as error:
        raise DataError(f"{path}: cannot read the results: {error.strerror or error}") from error
    except ValueError as error:
        raise DataError(f"{path}: not a results file: {error}") from error
    if not isinstance(results, dict) or "format" not in results:
        raise DataError(f'{path}: not a results file of isogloss: it has no "format"; give a results.json')
    written = results["format"]
    if str(written).startswith("collections"):
        raise DataError(
            f"{path}: results of a large corpus, which are not asked in parallel languages; give those of a parallel"
            " corpus or benchmark"
        )
    if written not in (1, RESULTS_FORMAT):
        raise DataError(
            f"{path}: results of format {written!r}, but this isogloss reads 1 to {RESULTS_FORMAT};"
            " evaluate again, or use the isogloss that wrote them"
        )
    for part in ("model", "data", "counts", "versions", "seconds"):
        _get(path, results, part)
    for setting in SETTINGS:
        for measure in MEASURES:
            if written == 1 and measure not in _FIRST_MEASURES:
                _get(path, results, "settings", setting)[measure] = _no_figure(pairs=setting == "cross")
            _check_summary(path, results, ("settings", setting, measure), pairs=setting == "cross")
    for definition in BIAS_DEFINITIONS:
        if written == 1 and definition.key not in _FIRST_MEASURES:
            _get(path, results, "language_bias")[definition.key] = _no_figure(pairs=definition.by_pair)
        _check_summary(path, results, ("language_bias", definition.key), pairs=definition.by_pair)
    if written == 1:
        results |= {"format": RESULTS_FORMAT, "language_shares": None}
    _get(path, results, "language_shares")
    return results


def _no_figure(*, pairs: bool = False) -> dict[str, Any]:
    return {"mean": None, "by_language": {}, **({"by_pair": {}} if pairs else {})}


def _summary(summary: Summary) -> dict[str, Any]:
    parts: dict[str, Any] = {"mean": summary.mean, "by_language": dict(summary.by_language)}
    if summary.by_pair is not None:
        parts["by_pair"] = dict(summary.by_pair)
    return parts


def _shares(shares: LanguageShares | None) -> dict[str, Any] | None:
    if shares is None:
        return None
    return {
        "depth": shares.depth,
        "top": {language: dict(parts) for language, parts in shares.top.items()},
        "relevant": {language: dict(parts) for language, parts in shares.relevant.items()},
        "pool": dict(shares.pool),
    }


def _counts(counts: Counts) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "queries": counts.queries,
        "left_out": counts.left_out,
        "by_language": dict(counts.by_language),
    }
    if counts.by_pair is not None:
        parts["by_pair"] = dict(counts.by_pair)
    return parts


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


def _get(path: Path, results: dict[str, Any], *keys: str) -> Any:
    value: Any = results
    for depth, key in enumerate(keys):
        if not isinstance(value, dict) or key not in value:
            raise DataError(f"{path}: the results lack {'.'.join(keys[: depth + 1])}; evaluate again")
        value = value[key]
    return value


def _check_summary(path: Path, results: dict[str, Any], keys: tuple[str, ...], *, pairs: bool) -> None:
    mean = _get(path, results, *keys, "mean")
    if mean is not None and not _is_number(mean):
        raise DataError(
            f"{path}: {'.'.join(keys)}.mean is {mean!r}, neither a number nor null; evaluate again"
        )
    for part in ("by_language", "by_pair") if pairs else ("by_language",):
        values = _get(path, results, *keys, part)
        if not isinstance(values, dict) or not all(map(_is_number, values.values())):
            raise DataError(f"{path}: {'.'.join(keys)}.{part} does not hold a number a key; evaluate again")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
