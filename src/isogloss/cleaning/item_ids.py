"""Which ids say by themselves what item they are of: those that no two data sets give to two items."""

from __future__ import annotations

import re
from functools import lru_cache

from isogloss.corpus.languages import is_language

# Hashes and object ids, such as SQuAD's 24 hexadecimal digits and MLQA's 40; UUIDs; random 64-bit numbers, such as
# those of Natural Questions and MKQA. Decimal numbers of fewer digits may be times: 20240115103000123.
_NUMBER = re.compile(
    r"(?<![0-9a-z])(?:"
    r"(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{16,}"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|[0-9]{18,}"
    r")(?![0-9a-z])"
)
# What counters filled up with zeros have, and random numbers do not.
_RUN = re.compile(r"([0-9a-f])\1{5}")
_FEWEST_DIGITS = 6
_WITH_LANGUAGE = re.compile(r"([a-z]{2,3}(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?)-(.+)", re.DOTALL)

_is_language = lru_cache(maxsize=1024)(is_language)


def telling_id(item: str) -> str | None:
    """The form in which the ids of two data sets are compared; None where such an id may be another item's elsewhere.

    An id is telling if it has a number in it that no one gives twice: 16 hexadecimal digits or more, letters among
    them, a UUID, or 18 decimal digits or more, and no counter filled up with zeros. `faq-12`, `train-00000-of-00002-7`
    and `customer-question-0012` are not. The whole id is compared, without letter case and without a language in front
    (`de-56beb4343aeaaa14008c925b`), with which translations are told apart.
    """
    item = item.lower()
    if not any(map(_looks_random, _NUMBER.findall(item))):
        return None
    match = _WITH_LANGUAGE.fullmatch(item)
    return match[2] if match is not None and _is_language(match[1]) else item


def _looks_random(number: str) -> bool:
    digits = number.replace("-", "")
    return len(set(digits)) >= _FEWEST_DIGITS and _RUN.search(digits) is None
