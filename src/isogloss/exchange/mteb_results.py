"""Figures as result files of MTEB, which `mteb.TaskResult.from_disk` and what is built on it read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isogloss.evaluation import BIAS_DEFINITIONS, MEASURES, SETTINGS, Setting
from isogloss.exchange.mteb_languages import mteb_language
from isogloss.exchange.subsets import subset_name

SPLIT = "test"
MAIN_SCORE = "ndcg_at_10"
_FORM = "2.26.24"
"""The MTEB whose form the files have; by it MTEB decides how to read them."""
_NAMES = {"success": "hit_rate"}


def task_name(benchmark: str, setting: Setting) -> str:
    """The name of a benchmark's setting as an MTEB task."""
    return f"{benchmark}-{setting}"


def mteb_results(results: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Put results in MTEB's form, a task a setting.

    Scores are those of MTEB where it has them (`ndcg_at_10`, `recall_at_10`, `hit_rate_at_1`), and further ones under
    names of ours: `map` and `mrr` of whole rankings, which MTEB cuts (`map_at_1000`), and in multi the measures of
    language bias.

    Args:
        results: what `results_of` gives or `read_results` reads.

    Returns:
        By task name what its file holds. Settings without figures are left out.
    """
    name, languages = results["data"]["name"], results["data"]["languages"]
    found = {}
    for setting in SETTINGS:
        measured = results["settings"][setting]
        key = "by_pair" if setting == "cross" else "by_language"
        subsets = []
        for languages_of in measured["ndcg@10"][key]:
            query, _, candidate = languages_of.partition("->")
            pool = [candidate] if candidate else languages if setting == "multi" else [query]
            scores = {_score_name(one): measured[one][key][languages_of] for one in MEASURES}
            if setting == "multi":
                scores |= _bias(results, query)
            subsets.append(
                {
                    **scores,
                    "main_score": scores[MAIN_SCORE],
                    "hf_subset": subset_name(setting, query, candidate or None),
                    "languages": list(dict.fromkeys(map(mteb_language, [query, *pool]))),
                    "mteb_version": _FORM,
                }
            )
        if subsets:
            found[task_name(name, setting)] = {
                "dataset_revision": results["data"]["checksum"],
                "task_name": task_name(name, setting),
                "mteb_version": _FORM,
                "scores": {SPLIT: subsets},
                "evaluation_time": results["seconds"]["total"],
                "kg_co2_emissions": None,
            }
    return found


def write_mteb_results(results: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write a file a setting, `NAME-multi.json`, into a folder.

    Args:
        results: what `results_of` gives or `read_results` reads.
        folder: made if it is not there.

    Returns:
        The files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for task, content in mteb_results(results).items():
        path = folder / f"{task}.json"
        path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        paths.append(path)
    return paths


def _bias(results: Mapping[str, Any], language: str) -> dict[str, float]:
    found = {}
    for definition in BIAS_DEFINITIONS:
        by_language = results["language_bias"][definition.key]["by_language"]
        if language in by_language:
            found[_score_name(definition.key)] = by_language[language]
    return found


def _score_name(key: str) -> str:
    """`recall@10` as `recall_at_10`."""
    measure, at, depth = key.partition("@")
    return f"{_NAMES.get(measure, measure)}{'_at_' if at else ''}{depth}"
