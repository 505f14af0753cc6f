"""How a batch is composed: pure arithmetic on integers, without texts or models.

`BatchPlanner` turns a `Plan` and the datasets' `PlanningData` into batches of pair numbers, each a function
of (seed, step); `PairSpace` takes the numbers apart; `compose` says what a run will hold.
"""

from isogloss.batching.composition import Composition, CompositionCounter, DatasetShare, compose
from isogloss.batching.data import PlanningData
from isogloss.batching.feasibility import LeftOut
from isogloss.batching.pairs import PairSpace
from isogloss.batching.plan import MODES, PLAN_KINDS, LanguageWeighting, Mode, Plan, PlanKind
from isogloss.batching.planner import BatchPlanner, PlannedBatch
from isogloss.batching.schedule import AlphaSchedule

__all__ = [
    "MODES",
    "PLAN_KINDS",
    "AlphaSchedule",
    "BatchPlanner",
    "Composition",
    "CompositionCounter",
    "DatasetShare",
    "LanguageWeighting",
    "LeftOut",
    "Mode",
    "PairSpace",
    "Plan",
    "PlanKind",
    "PlannedBatch",
    "PlanningData",
    "compose",
]
