"""When a difference may be called one."""

from __future__ import annotations

from isogloss.evaluation.measures import DEFINITIONS, Better

BETTER: dict[str, Better] = {key: definition.better for key, definition in DEFINITIONS.items()}
"""Which way a measure improves. One that is not here, or improves neither way, is called higher or lower."""

NO_CLEAR_DIFFERENCE = "no clear difference"


def verdict(measure: str, low: float | None, high: float | None, p_holm: float, alpha: float) -> str:
    """Put an interval and an adjusted p-value into words; both must speak for a difference.

    Args:
        measure: which measure, for its direction.
        low: the interval's lower end; None where there is no interval.
        high: its upper end.
        p_holm: Holm's adjusted p-value.
        alpha: the p-value must lie below this; 1 - the interval's confidence.

    Returns:
        "better", "worse" or "no clear difference"; "higher" or "lower" where neither is better, or it is
        not known which is.
    """
    if low is None or high is None or low <= 0 <= high or p_holm >= alpha:
        return NO_CLEAR_DIFFERENCE
    direction = "higher" if low > 0 else "lower"
    better = BETTER.get(measure, "neither")
    if better == "neither":
        return direction
    return "better" if direction == better else "worse"
