"""Round numbers along an axis, and the places of values between them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from math import ceil, floor, isfinite, log10

# Numbers nearer to each other than this share of their size are drawn as equal.
_EQUAL = 1e-9
_LARGEST = 1e300
_FEWEST = 3


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers that span an interval, with steps of 1, 2 or 5 times a power of ten.

    Args:
        low: the lowest value to be shown.
        high: the highest; where it equals `low`, room is left on both sides.
        most: the largest number of ticks, at least 3 (two cannot always span zero).

    Returns:
        As many as the finest such step gives: rising, the first at or below `low`, the last at or above `high`.

    Raises:
        ValueError: a value is not finite or beyond 1e300, `low` is above `high`, or `most` is below 3.
    """
    steps = _steps(low, high, most)
    return [_times(number * steps.mantissa, steps.exponent) for number in range(steps.first, steps.last + 1)]


def decimals_of(low: float, high: float, most: int = 6) -> int:
    """How many decimals the ticks of an interval have; negative: that many zeros before the point."""
    return -_steps(low, high, most).exponent


@dataclass(frozen=True)
class Scale:
    """An axis: values and their places in the picture.

    Attributes:
        values: the ticks.
        names: the ticks as they are written.
        start: the place of the first tick.
        end: the place of the last.
    """

    values: tuple[float, ...]
    names: tuple[str, ...]
    start: float
    end: float

    def place(self, value: float) -> float:
        """Where a value lies."""
        first, last = self.values[0], self.values[-1]
        # Halves, because the whole length may be too large for a float.
        share = (value / 2 - first / 2) / (last / 2 - first / 2)
        return self.start + share * (self.end - self.start)


def scale_over(low: float, high: float, most: int, start: float, end: float) -> Scale:
    """An axis over an interval of values, from one place to another; `ticks` says which ticks and errors."""
    values = tuple(ticks(low, high, most))
    return Scale(values, tuple(_names(values, _steps(low, high, most).exponent)), start, end)


@dataclass(frozen=True)
class _Steps:
    first: int
    last: int
    mantissa: int
    exponent: int


def _steps(low: float, high: float, most: int) -> _Steps:
    if not (isfinite(low) and isfinite(high)) or max(abs(low), abs(high)) > _LARGEST:
        raise ValueError(f"an axis cannot run from {low} to {high}")
    if low > high:
        raise ValueError(f"an axis runs from {low} down to {high}")
    if most < _FEWEST:
        raise ValueError(f"an axis needs room for {_FEWEST} ticks, not {most}")
    low, high = _widened(low, high)
    for exponent in count(floor(log10((high - low) / most))):
        for mantissa in (1, 2, 5):
            step = mantissa * 10.0**exponent
            # 0.3 / 0.1 is a little less than 3: a millionth of a step is nothing that could be seen.
            first, last = floor(low / step + 1e-6), ceil(high / step - 1e-6)
            if last - first < most:
                return _Steps(first, last, mantissa, exponent)
    raise AssertionError("a step large enough was not met")


def _widened(low: float, high: float) -> tuple[float, float]:
    size = max(abs(low), abs(high))
    if high - low > max(_EQUAL * size, 1 / _LARGEST):
        return low, high
    around = size / 10 if size > 1e-280 else 1.0
    return low - around, high + around


def _times(whole: int, exponent: int) -> float:
    """Count powers of ten, rounded once: 3 tenths are 0.3, not 0.30000000000000004."""
    return whole / 10**-exponent if exponent < 0 else float(whole * 10**exponent)


def _names(values: tuple[float, ...], exponent: int) -> list[str]:
    largest = max(map(abs, values))
    if largest >= 1e7 or exponent < -6:
        digits = max(0, floor(log10(largest)) - exponent)
        return [f"{value:.{digits}e}" if value else "0" for value in values]
    return [f"{value:,.{max(0, -exponent)}f}" for value in values]
