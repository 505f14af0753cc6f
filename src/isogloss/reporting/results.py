"""What `results.json` says of a local model's evaluation."""

from __future__ import annotations

from typing import Any

from isogloss.encoding.encoder import SentenceTransformerEncoder
from isogloss.encoding.versions import library_versions
from isogloss.evaluation import Evaluation, results_of
from isogloss.evaluation.model_evaluation import EncodedBenchmark


def model_results(
    evaluation: Evaluation, encoder: SentenceTransformerEncoder, encoded: EncodedBenchmark
) -> dict[str, Any]:
    """Put the figures together with what they depend on: the model, its prompts, versions and seconds."""
    return results_of(
        evaluation,
        model=described_model(encoder, encoded.candidate_vectors.shape[1]),
        versions=library_versions(),
        seconds={"encoding": encoded.seconds},
    )


def described_model(encoder: SentenceTransformerEncoder, dimension: int | None) -> dict[str, Any]:
    """Say what a local model's vectors depend on, as far as a reader wants to know.

    Args:
        encoder: the model.
        dimension: of its vectors.
    """
    return {
        "name": encoder.name,
        "query_prompt": encoder.prompts.query,
        "passage_prompt": encoder.prompts.passage,
        "max_length": encoder.max_length or encoder.model.max_seq_length,
        "dimension": dimension,
        "precision": encoder.precision,
        "device": str(encoder.model.device),
    }
