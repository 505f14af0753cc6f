"""What `results.json` says of a model's evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isogloss.encoding.encoder import Encoder
from isogloss.encoding.versions import library_versions
from isogloss.evaluation import Evaluation, results_of
from isogloss.evaluation.model_evaluation import EncodedBenchmark


def model_results(evaluation: Evaluation, encoder: Encoder, encoded: EncodedBenchmark) -> dict[str, Any]:
    """Put the figures together with what they depend on: the model, its prompts, versions and seconds.

    Of a model with a cure, `transductive` says whether the cure was fitted on the data evaluated: the same texts, or
    data of the same name.
    """
    described = {**encoder.describe(), "dimension": encoded.candidate_vectors.shape[1]}
    if cure := described.get("debias"):
        fitted_on = cure["fitted_on"]
        # A benchmark in fewer of its languages has the same name and another checksum.
        pool = fitted_on["checksum"] == evaluation.checksum or fitted_on["name"] == evaluation.name
        described["debias"] = {**cure, "transductive": pool}
    return results_of(
        evaluation,
        model=described,
        versions=library_versions(),
        seconds={"encoding": encoded.seconds},
    )


def reading_notes(results: Mapping[str, Any]) -> list[str]:
    """What a reader has to know of the figures: that the model was trained on the data, or a cure fitted on them."""
    data, trained = results["data"]["name"], results.get("training", {})
    notes = []
    if data in trained.get("corpora", ()):
        notes.append(
            f"the model was trained on {data} ({trained['source']}) and is measured on it: the figures do not say how"
            " it does on questions that it has not met"
        )
    return notes + _cure_notes(results["model"])


def _cure_notes(model: object) -> list[str]:
    cure = model.get("debias") if isinstance(model, Mapping) else None
    if not cure:
        return []
    fitted_on, notes = cure["fitted_on"]["name"], []
    if cure["transductive"]:
        notes.append(
            f"{cure['method']} was fitted on {fitted_on}, the data evaluated (transductive): the figures say what it"
            " does for a pool that is known beforehand"
        )
    if cure["not_fitted"]:
        notes.append(
            f"{cure['method']} was not fitted on {', '.join(cure['not_fitted'])}: texts in these languages are treated"
            f" like the mean of the {len(cure['languages'])} languages of {fitted_on}"
        )
    return notes
