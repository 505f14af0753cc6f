"""What `results.json` says of a model's evaluation."""

from __future__ import annotations

from typing import Any

from isogloss.encoding.encoder import Encoder
from isogloss.encoding.versions import library_versions
from isogloss.evaluation import Evaluation, results_of
from isogloss.evaluation.model_evaluation import EncodedBenchmark


def model_results(evaluation: Evaluation, encoder: Encoder, encoded: EncodedBenchmark) -> dict[str, Any]:
    """Put the figures together with what they depend on: the model, its prompts, versions and seconds."""
    return results_of(
        evaluation,
        model={**encoder.describe(), "dimension": encoded.candidate_vectors.shape[1]},
        versions=library_versions(),
        seconds={"encoding": encoded.seconds},
    )
