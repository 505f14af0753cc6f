"""What to do at query time where a model ranks its favourite languages first.

none      the model's own order
quota     each language gets an equal share of the places, its best passages first; what a language cannot fill goes
          to the others
centred   each score less the mean score of the question with all passages of that language, which takes out what a
          language as such gains or loses; Python's ``Searcher`` does it on vectors' means, at no cost
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from isogloss.errors import RecipeError
from isogloss.search.backend import Ranked, best, best_first

Balance = Literal["none", "quota", "centred"]
BALANCES: tuple[Balance, ...] = get_args(Balance)


def check_balance(name: str) -> Balance:
    """Return a balance by its name.

    Raises:
        RecipeError: there is none of that name.
    """
    for balance in BALANCES:
        if balance == name:
            return balance
    raise RecipeError(f"balance {name!r}: there is none of that name; choose {', '.join(BALANCES)}")


def merge(of_language: Mapping[str, Ranked], count: int) -> Ranked:
    """Join the lists of languages in order of score, equal scores in ascending order of candidates.

    Args:
        of_language: the lists; no candidate is in two.
        count: how many to keep.
    """
    return best(of_language.values(), count)


def quota(of_language: Mapping[str, Ranked], count: int) -> Ranked:
    """Give each language an equal share of the places.

    Places are dealt in rounds, one to each language that has a passage left; in a round that is not whole, the
    languages with the best next passages go first. The chosen passages are then put in order of score.

    Args:
        of_language: candidates and scores of each language, the best first; no candidate is in two.
        count: the places.
    """
    chosen: Ranked = []
    deepest = max((len(ranked) for ranked in of_language.values()), default=0)
    for depth in range(deepest):
        if len(chosen) >= count:
            break
        row = best_first(ranked[depth] for ranked in of_language.values() if depth < len(ranked))
        chosen.extend(row[: count - len(chosen)])
    return best_first(chosen)
