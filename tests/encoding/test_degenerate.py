"""Models that are none: each gives the figure that is right for it, or a clear error."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from isogloss.corpus import load_benchmark
from isogloss.encoding.encoder import SentenceTransformerEncoder
from isogloss.errors import EvaluationError
from isogloss.evaluation.model_evaluation import evaluate_model


class Degenerate:
    """Vectors of a function of the number of texts."""

    name = "degenerate"

    def __init__(self, make):
        self.make = make

    def encode(self, texts, side, progress=None, **_):
        return self.make(len(texts), side).astype(np.float32)

    def describe(self):
        return {"name": self.name}


@pytest.fixture
def benchmark(corpus_file):
    return load_benchmark(str(corpus_file))


def evaluated(make, benchmark):
    return evaluate_model(Degenerate(make), benchmark)[0]


def map_by_id(benchmark):
    """Multilingual mAP of the ranking by ascending id, worked out by hand."""
    of_language = {}
    for query, language in enumerate(benchmark.query_languages):
        ranks = np.sort(benchmark.qrels[benchmark.qrels[:, 0] == query, 1]) + 1
        of_language.setdefault(language, []).append(np.mean(np.arange(1, len(ranks) + 1) / ranks))
    return np.mean([np.mean(values) for values in of_language.values()])


@pytest.mark.parametrize("value", [1.0, 0.0, -3.0], ids=["constant", "zeros", "negative"])
def test_equal_vectors_rank_by_id(benchmark, value):
    evaluation = evaluated(lambda texts, _: np.full((texts, 4), value), benchmark)
    assert evaluation.settings["multi"].summaries["map"].mean == pytest.approx(
        map_by_id(benchmark), abs=1e-12
    )
    # A pool of 40 a language, one relevant: chance is 1/40 for the first place, the mean of 1/rank for mAP.
    assert evaluation.settings["mono"].summaries["recall@1"].mean == pytest.approx(1 / 40)
    chance = np.mean(1 / np.arange(1, 41))
    assert evaluation.settings["mono"].summaries["map"].mean == pytest.approx(chance)
    assert evaluation.settings["cross"].summaries["map"].mean == pytest.approx(chance)


def test_random_vectors_score_like_chance(benchmark):
    found = []
    for seed in range(20):
        draw = np.random.default_rng(seed)
        evaluation = evaluated(lambda texts, _, draw=draw: draw.standard_normal((texts, 16)), benchmark)
        found.append(evaluation.settings["mono"].summaries["map"].mean)
    assert np.mean(found) == pytest.approx(np.mean(1 / np.arange(1, 41)), abs=0.01)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("side", ["query", "passage"])
def test_vectors_that_are_not_finite(benchmark, value, side):
    def make(texts, asked):
        vectors = np.ones((texts, 4))
        if asked == side:
            vectors[3, 1] = value
        return vectors

    with pytest.raises(EvaluationError, match=r"1 of 160 .*vectors hold infinities or NaN"):
        evaluated(make, benchmark)


def test_queries_and_passages_of_two_dimensions(benchmark):
    with pytest.raises(EvaluationError, match="dimension"):
        evaluated(lambda texts, side: np.ones((texts, 4 if side == "query" else 5)), benchmark)


def test_a_model_whose_weights_are_nan(benchmark, tiny_bert):
    encoder = SentenceTransformerEncoder.load(tiny_bert, device="cpu")
    with torch.no_grad():
        next(encoder.model.parameters()).fill_(torch.nan)
    with pytest.raises(EvaluationError, match="vectors hold infinities or NaN"):
        evaluate_model(encoder, benchmark)


def test_a_model_that_gives_zeros_ranks_by_id(benchmark, tiny_bert):
    encoder = SentenceTransformerEncoder.load(tiny_bert, device="cpu")
    with torch.no_grad():
        for parameter in encoder.model.parameters():
            parameter.zero_()
    evaluation = evaluate_model(encoder, benchmark)[0]
    assert evaluation.settings["multi"].summaries["map"].mean == pytest.approx(
        map_by_id(benchmark), abs=1e-12
    )
