"""Is a difference between runs real? Randomisation tests, bootstrap intervals, Holm's correction, verdicts.

`compare_runs` is where to start; `read_saved_runs` reads what `isogloss evaluate --output` wrote. Method and
assumptions: docs/statistics.md.
"""

from isogloss.evaluation.significance.clusters import (
    Cell,
    ClusterSums,
    Column,
    Figure,
    PairedValues,
    add_up,
    average,
)
from isogloss.evaluation.significance.comparing import (
    LEVELS,
    Comparison,
    Row,
    Settings,
    compare_runs,
)
from isogloss.evaluation.significance.holm import holm
from isogloss.evaluation.significance.randomisation import SignFlips, sign_flip_test
from isogloss.evaluation.significance.resampling import (
    Replicates,
    SeedIntervals,
    percentile_interval,
    resample,
    seed_intervals,
    weight_blocks,
)
from isogloss.evaluation.significance.saved_runs import SavedRuns, read_saved_runs
from isogloss.evaluation.significance.verdict import BETTER, NO_CLEAR_DIFFERENCE, verdict

__all__ = [
    "BETTER",
    "LEVELS",
    "NO_CLEAR_DIFFERENCE",
    "Cell",
    "ClusterSums",
    "Column",
    "Comparison",
    "Figure",
    "PairedValues",
    "Replicates",
    "Row",
    "SavedRuns",
    "SeedIntervals",
    "Settings",
    "SignFlips",
    "add_up",
    "average",
    "compare_runs",
    "holm",
    "percentile_interval",
    "read_saved_runs",
    "resample",
    "seed_intervals",
    "sign_flip_test",
    "verdict",
    "weight_blocks",
]
