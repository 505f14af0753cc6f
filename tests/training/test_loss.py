import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from torch import nn

from isogloss.training.loss import InfoNCELoss, info_nce


class Lookup(torch.nn.Module):
    """Stands for a model: the "tokens" are already the vectors."""

    def forward(self, features):
        return {"sentence_embedding": features["vectors"]}


def slow_info_nce(queries, candidates, temperature):
    """The definition, a query at a time."""
    losses = []
    for place, query in enumerate(queries):
        scores = [
            torch.dot(query, candidate) / (query.norm() * candidate.norm()) / temperature
            for candidate in candidates
        ]
        losses.append(-torch.log(torch.exp(scores[place]) / sum(torch.exp(score) for score in scores)))
    return sum(losses) / len(losses)


@given(st.integers(1, 6), st.integers(0, 5), st.integers(0, 1000), st.sampled_from([0.05, 0.2, 1.0]))
def test_value_and_gradient_equal_the_definition(batch, negatives, seed, temperature):
    generator = torch.Generator().manual_seed(seed)
    queries = torch.randn(batch, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    candidates = torch.randn(
        batch + negatives, 5, generator=generator, dtype=torch.float64, requires_grad=True
    )
    fast = info_nce(queries, candidates, temperature)
    fast_gradients = torch.autograd.grad(fast, (queries, candidates))
    slow = slow_info_nce(queries, candidates, temperature)
    slow_gradients = torch.autograd.grad(slow, (queries, candidates))
    torch.testing.assert_close(fast, slow)
    for ours, theirs in zip(fast_gradients, slow_gradients, strict=True):
        torch.testing.assert_close(ours, theirs)


def slow_info_nce_of_owners(queries, candidates, temperature, owners, first):
    """The definition with several positives, a query and a positive at a time."""
    losses = []
    for place, query in enumerate(queries):
        scores = [
            torch.dot(query, candidate) / (query.norm() * candidate.norm()) / temperature
            for candidate in candidates
        ]
        own = [score for score, owner in zip(scores, owners, strict=True) if owner == first + place]
        rivals = [score for score, owner in zip(scores, owners, strict=True) if owner != first + place]
        terms = [
            -torch.log(torch.exp(score) / (torch.exp(score) + sum(torch.exp(rival) for rival in rivals)))
            for score in own
        ]
        losses.append(sum(terms) / len(terms))
    return sum(losses) / len(losses)


@given(st.integers(1, 5), st.lists(st.integers(-1, 4), max_size=8), st.integers(0, 1000), st.integers(0, 4))
def test_several_positives_equal_the_definition(batch, more, seed, first):
    generator = torch.Generator().manual_seed(seed)
    owners = [*range(batch), *(owner for owner in more if owner < batch)]
    first = min(first, batch - 1)
    queries = torch.randn(batch - first, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    candidates = torch.randn(len(owners), 5, generator=generator, dtype=torch.float64, requires_grad=True)
    fast = info_nce(queries, candidates, 0.2, first, torch.tensor(owners))
    slow = slow_info_nce_of_owners(queries, candidates, 0.2, owners, first)
    torch.testing.assert_close(fast, torch.as_tensor(slow))
    for ours, theirs in zip(
        torch.autograd.grad(fast, (queries, candidates), allow_unused=True),
        torch.autograd.grad(slow, (queries, candidates), allow_unused=True),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)
    if len(owners) == batch and first == 0:
        torch.testing.assert_close(fast, info_nce(queries, candidates, 0.2))


def test_equals_the_loss_of_sentence_transformers():
    torch.manual_seed(0)
    columns = [torch.randn(7, 12, requires_grad=True) for _ in range(3)]
    theirs = MultipleNegativesRankingLoss(Lookup(), scale=50.0)([{"vectors": c} for c in columns], None)
    queries, passages, negatives = columns
    ours = InfoNCELoss(Lookup(), 0.02)([{"vectors": queries}, {"vectors": torch.cat([passages, negatives])}])
    torch.testing.assert_close(ours, theirs)


def test_by_hand():
    # One query on its positive, orthogonal to the other: -log(e / (e + 1)) for both queries.
    queries = torch.eye(2)
    assert info_nce(queries, queries, 1.0).item() == pytest.approx(math.log(1 + math.exp(-1)))


def test_one_pair_alone_costs_nothing():
    assert info_nce(torch.ones(1, 3), torch.ones(1, 3), 0.02).item() == 0.0


def test_autocast_does_not_round_the_scores():
    torch.manual_seed(0)
    queries, candidates = torch.randn(32, 384), torch.randn(32, 384)
    plain = info_nce(queries, candidates, 0.02)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(info_nce(queries, candidates, 0.02), plain)


def test_a_query_without_a_positive_adds_nothing():
    queries, candidates = torch.eye(3, 4), torch.eye(2, 4)
    loss = info_nce(queries, candidates, 0.5, owners=torch.tensor([0, 1]))
    alone = info_nce(queries[:2], candidates, 0.5, owners=torch.tensor([0, 1]))
    torch.testing.assert_close(loss, alone * 2 / 3)
    assert info_nce(queries, candidates[:0], 0.5, owners=torch.tensor([], dtype=torch.int64)) == 0


class Given(nn.Module):
    """Hands out the vectors that it is given."""

    def forward(self, features):
        return {"sentence_embedding": features["vectors"]}


def test_aligned_queries_add_their_own_loss():
    generator = torch.Generator().manual_seed(0)
    queries, candidates, parallel = (torch.randn(n, 5, generator=generator) for n in (3, 4, 2))
    sides = [{"vectors": vectors} for vectors in (queries, candidates, parallel)]
    labels = torch.tensor([0, 1, 2, -1, 2, 0])
    loss = InfoNCELoss(Given(), 0.1, query_alignment=0.7)(sides, labels)
    passages = info_nce(queries, candidates, 0.1, owners=labels[:4])
    translations = slow_info_nce_of_owners(queries[[0, 2]], parallel[[1, 0]], 0.1, [0, 1], 0)
    torch.testing.assert_close(loss, passages + 0.7 * translations * 2 / 3)
    none = InfoNCELoss(Given(), 0.1, query_alignment=0.7)(sides[:2], labels[:4])
    torch.testing.assert_close(none, passages)


def test_aligned_passages_add_their_own_loss():
    generator = torch.Generator().manual_seed(1)
    queries, candidates, parallel = (torch.randn(n, 5, generator=generator) for n in (3, 7, 1))
    labels = torch.tensor([0, 1, 2, 1, 1, -1, 0])
    sides = [{"vectors": vectors} for vectors in (queries, candidates)]
    loss = InfoNCELoss(Given(), 0.1, passage_alignment=0.3)(sides, labels)
    passages = info_nce(queries, candidates, 0.1, owners=labels)
    positives = slow_info_nce_of_owners(candidates[:2], candidates[[3, 4, 6]], 0.1, [1, 1, 0], 0)
    torch.testing.assert_close(loss, passages + 0.3 * positives * 2 / 3)
    both = InfoNCELoss(Given(), 0.1, query_alignment=0.7, passage_alignment=0.3)(
        [*sides, {"vectors": parallel}], torch.cat([labels, torch.tensor([1])])
    )
    translations = slow_info_nce_of_owners(queries[[1]], parallel, 0.1, [0], 0)
    torch.testing.assert_close(both, loss + 0.7 * translations / 3)
