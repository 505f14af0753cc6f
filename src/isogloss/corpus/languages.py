"""Language codes: BCP-47 tags, checked against the registry and written in one standard form."""

from __future__ import annotations

from functools import lru_cache

import langcodes

from isogloss.errors import CorpusError


@lru_cache(maxsize=4096)
def standard_language(code: str) -> str:
    """The standard form of a BCP-47 language code.

    Deprecated and three-letter codes are accepted and replaced (`iw` becomes `he`, `eng` becomes `en`), so
    that two files which name one language differently still hold parallel texts; letter case and underscores
    are mended (`zh_cn` becomes `zh-CN`). Region and script are kept: `zh-Hans` and `zh` stay two languages.

    Raises:
        CorpusError: the code, or one of its parts, is not in the registry of language codes.
    """
    if not langcodes.tag_is_valid(code):
        raise CorpusError(
            f"{code!r} is not a known language code; use a BCP-47 code such as 'en', 'de' or 'zh-Hans'"
        )
    return str(langcodes.standardize_tag(code))


def is_language(code: str) -> bool:
    """Whether `code` is a valid BCP-47 language code, deprecated ones included."""
    return bool(langcodes.tag_is_valid(code))
