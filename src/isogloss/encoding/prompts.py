"""The prompts that well-known encoders expect before queries and passages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Prompts:
    """Text put before every query and every passage.

    Attributes:
        query: before a query, for example ``"query: "``.
        passage: before a passage, for example ``"passage: "``.
    """

    query: str = ""
    passage: str = ""


_FAMILIES = (
    # Wang et al. 2022 (arXiv 2212.03533) and 2024 (arXiv 2402.05672); the instruct variants take other prompts.
    (
        re.compile(r"(^|/)(multilingual-)?e5-(small|base|large)(-v2|-unsupervised)?$"),
        Prompts("query: ", "passage: "),
    ),
)


def known_prompts(model: str) -> Prompts:
    """Return the prompts of a model family by the model's name; empty ones where the family is not known."""
    for pattern, prompts in _FAMILIES:
        if pattern.search(model.rstrip("/")):
            return prompts
    return Prompts()


def saved_prompts(prompts: Mapping[str, str]) -> Prompts | None:
    """Return the prompts in a sentence-transformers configuration, or None where it has neither side.

    `sentence-transformers` names the passage side ``document``, ``passage`` or ``corpus``, looked up in this order.
    """
    query = prompts.get("query", "")
    passage = next((prompts[name] for name in ("document", "passage", "corpus") if prompts.get(name)), "")
    return Prompts(query, passage) if query or passage else None
