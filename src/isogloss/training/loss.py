"""InfoNCE over a batch (van den Oord et al. 2018, arXiv 1807.03748, equation 4; Elmahdy et al. 2024, section 3.3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from isogloss.encoding.micro_batches import embed, embed_at_once
from isogloss.training.activation_memory import cached_token_budget, encoder_shape
from isogloss.training.grad_cache import embed_cached
from isogloss.training.packing import embedding_of, side_by_side, unread_features
from isogloss.training.processes import ALONE, Share, gather_candidates

TOKEN_BUDGET = 512
"""Tokens at once: enough to keep a processor's matrix units busy, few enough to leave little padding."""

PACKED_TOKEN_BUDGET = 3072
"""Likewise for texts in a row, of which none is padding: large products are quickest, until they wait for memory."""

UNLIMITED = 2**62
"""A token budget that splits nothing."""


NOBODY = -1
"""Whose positive a hard negative is."""


def info_nce(
    queries: Tensor,
    candidates: Tensor,
    temperature: float,
    first: int = 0,
    owners: Tensor | None = None,
) -> Tensor:
    """Mean over queries of -log softmax of the positive's cosine among all candidates' cosines.

    Args:
        queries: shape (B, d).
        candidates: shape (B + N, d): the positive of query i in row i, then the hard negatives of all queries, if any.
            Other queries' positives and negatives are negatives too.
        temperature: divides the cosines.
        first: the row of the first query's positive, where the queries are part of a batch.
        owners: int64, shape (B + N,): for each candidate the query of the whole batch that it answers, or `NOBODY`.
            Queries may then have several positives: the loss is the mean over each query's positives, of which none
            is a negative for another (Khosla et al. 2020, arXiv 2004.11362, the outer sum of equation 2); or none,
            and add nothing to the mean. None says that each query has the one positive of its row.

    Returns:
        The loss, a scalar.
    """
    queries = nn.functional.normalize(queries, dim=-1)
    candidates = nn.functional.normalize(candidates, dim=-1)
    # In half precision, as under the trainer's autocast, cosines would be rounded and the temperature magnify it.
    with torch.autocast(queries.device.type, enabled=False):
        scores = _at_least_single(queries) @ _at_least_single(candidates).T / temperature
    rows = torch.arange(first, first + len(queries), device=scores.device)
    if owners is None:
        return nn.functional.cross_entropy(scores, rows)
    positive = owners.to(scores.device) == rows[:, None]
    rivals = scores.masked_fill(positive, -torch.inf).logsumexp(dim=1, keepdim=True)
    # -log(e^s / (e^s + sum of rivals)) of each positive.
    each = nn.functional.softplus(rivals - scores).masked_fill(~positive, 0.0)
    return (each.sum(dim=1) / positive.sum(dim=1).clamp(min=1)).mean()


def _at_least_single(vectors: Tensor) -> Tensor:
    return vectors if vectors.dtype == torch.float64 else vectors.float()


class InfoNCELoss(nn.Module):
    """`info_nce` of a batch of tokenised queries and candidates, in the form the sentence-transformers trainer calls.

    Args:
        model: a sentence-transformers model.
        temperature: divides the cosines.
        token_budget: tokens that go through a processor at once, padding included; where None, `TOKEN_BUDGET`, or
            `PACKED_TOKEN_BUDGET` for a model whose texts need no padding. On other devices, which gain by large
            batches, a side of the batch goes through at once. Vectors are the same but for dropout's draws.
        memory_budget: gigabytes for the activations of a batch; one that `activation_bytes` says is larger is embedded
            by `embed_cached`, slower and with the same gradients. Never where it is None or 0, or the model's sizes
            are not known.
        share: this process among those that share each batch; the loss is the mean over its own queries, scored
            against the candidates of all.
        query_alignment: weight of a second `info_nce`, of queries and their parallel queries in other languages.
        passage_alignment: likewise of positives and the parallel passages among the candidates.
    """

    def __init__(
        self,
        model: nn.Module,
        temperature: float,
        token_budget: int | None = None,
        memory_budget: float | None = None,
        *,
        share: Share = ALONE,
        query_alignment: float = 0.0,
        passage_alignment: float = 0.0,
    ) -> None:
        super().__init__()
        self.model = model
        self.temperature = temperature
        self.memory_budget = memory_budget
        # Read now: the trainer may wrap the model, and the wrapper has no configuration.
        self.shape = encoder_shape(model)
        self.at_once = embedding_of(model)
        self.unread = unread_features(model) if self.packed else frozenset()
        usual = PACKED_TOKEN_BUDGET if self.packed else TOKEN_BUDGET
        self.token_budget = usual if token_budget is None else token_budget
        self.share = share
        self.query_alignment = query_alignment
        self.passage_alignment = passage_alignment

    @property
    def packed(self) -> bool:
        """Whether texts go through a processor in a row, without padding."""
        return self.at_once is not embed_at_once

    def forward(self, sentence_features: Iterable[dict[str, Tensor]], labels: Tensor | None = None) -> Tensor:
        """Embed queries and candidates and return the loss.

        Args:
            sentence_features: tokenised queries, then tokenised candidates (positives first), then perhaps parallel
                queries.
            labels: for each candidate the query of this process that it answers, or `NOBODY`, then for each parallel
                query the query that it translates; None where candidate i is the only positive of query i, and
                queries are not aligned.
        """
        queries, candidates, *parallel = self._embed(list(sentence_features))
        batch = len(queries)
        if labels is None:
            return self._info_nce(queries, candidates, None, batch)
        answers, translations = labels[: len(candidates)], labels[len(candidates) :]
        loss = self._info_nce(queries, candidates, answers, batch)
        # Where nothing of this process's has a translation, something of another's may have.
        if self.query_alignment:
            others = parallel[0] if parallel else queries[:0]
            loss = loss + self.query_alignment * self._info_nce(queries, others, translations, 0)
        if self.passage_alignment:
            positives, others, owners = candidates[:batch], candidates[batch:], answers[batch:]
            answer = owners != NOBODY
            loss = loss + self.passage_alignment * self._info_nce(
                positives, others[answer], owners[answer], 0
            )
        return loss

    def _info_nce(self, queries: Tensor, candidates: Tensor, owners: Tensor | None, in_front: int) -> Tensor:
        """`info_nce` with the candidates of all processes, of which each has as many in front."""
        first = self.share.rank * len(queries)
        if self.share.processes > 1:
            candidates = gather_candidates(candidates, in_front)
            if owners is not None:
                owners = gather_candidates(torch.where(owners == NOBODY, owners, owners + first), in_front)
        return info_nce(queries, candidates, self.temperature, first, owners)

    def _embed(self, sides: list[dict[str, Tensor]]) -> tuple[Tensor, ...]:
        # Without a graph, as in an evaluation, no activations are kept anyway.
        if self.memory_budget and self.shape and torch.is_grad_enabled():
            tokens = cached_token_budget(
                self.shape, sides, self.token_budget, self.memory_budget, packed=self.packed
            )
            if tokens is not None:
                return embed_cached(self.model, sides, tokens, self.at_once, padded=not self.packed)
        together = side_by_side(sides, self.unread) if self.packed else None
        if together is None:
            return tuple(
                embed(self.model, side, self.token_budget, self.at_once, padded=not self.packed)
                for side in sides
            )
        vectors = embed(self.model, together, self.token_budget, self.at_once, padded=False)
        return torch.split(vectors, [len(side["attention_mask"]) for side in sides])

    def get_config_dict(self) -> dict[str, Any]:
        """Return the arguments, as sentence-transformers' model cards show them."""
        return {"temperature": self.temperature}
