"""Language codes as MTEB writes them: ISO 639-3 and a script, `deu-Latn`."""

from __future__ import annotations

import langcodes


def mteb_language(code: str) -> str:
    """The code of a language in MTEB's form, its usual script where the code names none: `zh` becomes `zho-Hans`.

    Args:
        code: a BCP-47 code in its standard form.
    """
    language = langcodes.Language.get(code)
    return f"{language.to_alpha3()}-{language.maximize().script}"
