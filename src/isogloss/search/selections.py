"""Which rows meet a filter, kept for the next question with the same one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from isogloss.search.backend import Selection
from isogloss.search.filters import Condition

Filter = frozenset[Condition]
MOST_KEPT = 64
MOST_BYTES = 64 << 20


class Selections:
    """The selections of the filters asked last; several threads may ask.

    To find one is a pass over all passages' metadata. What is kept is an eighth of a byte a row.

    Args:
        most: how many are kept.
        most_bytes: their bytes in all; the last one is kept even if it has more.
    """

    def __init__(self, most: int = MOST_KEPT, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._kept: OrderedDict[Filter, Selection] = OrderedDict()
        self._making: dict[Filter, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, asked: Filter, make: Callable[[], Selection | None]) -> Selection | None:
        """The selection of a filter; made once, however many ask for it at a time.

        Args:
            asked: the filter.
            make: makes it; None where it cannot be made any more, which is not kept.
        """
        if (there := self._there(asked)) is not None:
            return there
        with self._lock:
            turn = self._making.setdefault(asked, threading.Lock())
        with turn:
            if (there := self._there(asked)) is not None:
                return there
            try:
                made = make()
                if made is not None:
                    self._keep(asked, made)
                return made
            finally:
                with self._lock:
                    self._making.pop(asked, None)

    def _there(self, asked: Filter) -> Selection | None:
        with self._lock:
            if asked in self._kept:
                self._kept.move_to_end(asked)
            return self._kept.get(asked)

    def _keep(self, asked: Filter, made: Selection) -> None:
        with self._lock:
            self._kept[asked] = made
            while len(self._kept) > 1 and (
                len(self._kept) > self._most
                or sum(one.bits.nbytes for one in self._kept.values()) > self._most_bytes
            ):
                self._kept.popitem(last=False)
