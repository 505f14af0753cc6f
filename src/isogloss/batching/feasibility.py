"""Whether a plan can be drawn from the datasets at all: every reason why not, in one error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isogloss.batching.cells import AvailabilityIndex
from isogloss.batching.data import PlanningData
from isogloss.batching.offers import Offer, distinct_groups, make_offer
from isogloss.batching.pairs import PairSpace
from isogloss.batching.plan import Mode, Plan
from isogloss.errors import PlanError

_REASONS_SHOWN = 10


@dataclass(frozen=True)
class LeftOut:
    """Something that a run goes without: too small (`skip_small`), or of no use to the modes that occur.

    Attributes:
        dataset: Name of the dataset.
        mode: The mode in which it is left out; None where the dataset serves no mode of the plan at all.
        language: The language left out; None where it is the dataset.
        reason: A sentence that says why.
    """

    dataset: str
    mode: Mode | None
    language: str | None
    reason: str


@dataclass(frozen=True)
class Offers:
    """What the datasets offer.

    Attributes:
        by_mode: For each mode of the plan, (dataset, offer) of the datasets that serve it; never empty.
        usable_items: For each dataset, the number of its items that some mode can draw.
        left_out: What the run goes without.
    """

    by_mode: dict[Mode, list[tuple[int, Offer]]]
    usable_items: tuple[int, ...]
    left_out: tuple[LeftOut, ...]


def make_offers(datasets: Sequence[PlanningData], plan: Plan, batch_size: int, space: PairSpace) -> Offers:
    """Find what each dataset offers in each mode of the plan, and that batches can be drawn from it.

    Raises:
        PlanError: A language asked for is in no dataset; a dataset serves no mode of the plan; no dataset
            serves one of the modes; or a dataset (in mono: a language of it) has fewer distinct items than a
            batch. All reasons are given together. With `plan.skip_small` such datasets and languages are
            left out, and only a mode that nobody serves is an error; a dataset that would serve a hybrid
            but for an alpha of 0 or 1 throughout is left out in any case.
    """
    reasons = [
        f"language {language!r} is in no dataset; they have {', '.join(space.languages) or 'none'}"
        for language in plan.languages or ()
        if language not in space.languages
    ]
    left_out: list[LeftOut] = []
    by_mode: dict[Mode, list[tuple[int, Offer]]] = {mode: [] for mode in plan.modes}
    absent: dict[Mode, list[str]] = {mode: [] for mode in plan.modes}
    idle: list[LeftOut] = []
    usable_items = []
    for number, data in enumerate(datasets):
        source = _Source(data, plan, space)
        usable = np.zeros(len(source.index.patterns), dtype=np.bool_)
        served = False
        why_not = []
        for mode in plan.modes:
            offer, small = source.offer(mode, batch_size)
            left_out.extend(small)
            served |= bool(small)  # too small is reported as that, not as unfit for the plan
            if offer is not None:
                by_mode[mode].append((number, offer))
                usable |= offer.usable
                served = True
            elif not small:
                why_not.append(source.why_not(mode))
                absent[mode].append(why_not[-1])
        usable_items.append(source.index.count(usable))
        if not served:
            left_out.append(LeftOut(data.name, None, None, why_not[0]))
            # A hybrid with alpha 0 or 1 throughout must not refuse what it takes with any other alpha.
            if plan.kind == "hybrid" and len(plan.modes) == 1 and source.languages_with_items():
                idle.append(left_out[-1])
    if not plan.skip_small:
        reasons.extend(left.reason for left in left_out if left not in idle)
    for mode, offers in by_mode.items():
        if not offers:
            reasons.extend(left.reason for left in left_out if left.mode == mode)
            reasons.extend(absent[mode])
    reasons = list(dict.fromkeys(reasons))
    if reasons:
        raise PlanError(_refusal(plan, batch_size, reasons))
    return Offers(by_mode, tuple(usable_items), tuple(left_out))


def _refusal(plan: Plan, batch_size: int, reasons: list[str]) -> str:
    lines = [f"  - {reason}" for reason in reasons[:_REASONS_SHOWN]]
    if len(reasons) > _REASONS_SHOWN:
        lines.append(f"  - and {len(reasons) - _REASONS_SHOWN} more")
    return "\n".join([f"plan {plan.kind} cannot be drawn in batches of {batch_size}:", *lines])


class _Source:
    """One dataset with the plan's languages laid over it."""

    def __init__(self, data: PlanningData, plan: Plan, space: PairSpace) -> None:
        columns = [
            column
            for column, language in sorted(enumerate(data.languages), key=lambda pair: pair[1])
            if plan.allows_language(language)
        ]
        self._data = data
        self._plan = plan
        self._languages = [data.languages[column] for column in columns]
        self._places = [space.languages.index(language) for language in self._languages]
        self.index = AvailabilityIndex(data.availability(), columns)

    def offer(self, mode: Mode, batch_size: int) -> tuple[Offer | None, list[LeftOut]]:
        """The offer in a mode, None where there is none, and what is too small to be in it."""
        choices = self._choices(mode)
        small = []
        if mode == "mono":
            large = []
            for column, _ in choices:
                holds = self.index.patterns[:, column]
                language = self._languages[column]
                found = distinct_groups(self.index, self._data.groups, holds, batch_size)
                if found >= batch_size:
                    large.append((column, column))
                elif found:
                    small.append(self._too_small(mode, language, found, batch_size))
            choices = large
        offer = make_offer(
            self.index,
            self._data.groups,
            choices,
            self._places,
            by_size=self._plan.language_weighting == "size",
        )
        if offer.size == 0:
            return None, small
        if mode != "mono":
            found = distinct_groups(self.index, self._data.groups, offer.usable, batch_size)
            if found < batch_size:
                return None, [self._too_small(mode, None, found, batch_size)]
        return offer, small

    def _choices(self, mode: Mode) -> list[tuple[int, int]]:
        """The allowed choices of a mode as columns of the index, in order of the codes."""
        columns = range(len(self._languages))
        return [
            (query, passage)
            for query in columns
            for passage in (columns if mode == "cross" else [query])
            if (mode != "cross" or query != passage)
            and self._plan.allows_pair(self._languages[query], self._languages[passage])
        ]

    def _too_small(self, mode: Mode, language: str | None, found: int, batch_size: int) -> LeftOut:
        name = self._data.name
        if mode == "mono":
            what, drop = f"language {language!r}", f"leave {language!r} out"
        else:
            what = "x-y pairs" if mode == "cross" else "all languages together"
            drop = "leave the dataset out"
        reason = (
            f"dataset {name!r}, {what}: {found} distinct {'item' if found == 1 else 'items'}, and a batch "
            f"needs {batch_size}; use a batch size of at most {found}, or {drop}"
            + ("" if self._plan.skip_small else " (skip_small does so)")
        )
        return LeftOut(name, mode, language, reason)

    def languages_with_items(self) -> list[str]:
        """The allowed languages that some item has."""
        return [
            language
            for column, language in enumerate(self._languages)
            if self.index.patterns[:, column].any()
        ]

    def why_not(self, mode: Mode) -> str:
        """Why the dataset serves a mode not at all."""
        name = self._data.name
        have = self.languages_with_items()
        listed = f"has items in {', '.join(have)} alone" if have else "has no item in an allowed language"
        if not have:
            named = ", ".join(self._data.languages) or "none"
            return f"dataset {name!r} {listed} (its languages: {named}); allow one of these, or leave it out"
        if mode == "cross" and len(have) == 1:
            return (
                f"dataset {name!r} {listed}; x-y pairs need items in at least two languages: "
                "add translations of its items, or choose x-x-mono"
            )
        if mode == "cross":
            return (
                f"dataset {name!r} has items in {', '.join(have)}, but none in two languages that may be "
                "paired; give translations of an item the same id, or hold out fewer pairs"
            )
        held = ", ".join(f"{language}-{language}" for language in have)
        return f"dataset {name!r} {listed}, and held_out_pairs has {held}; hold out fewer, or leave it out"
