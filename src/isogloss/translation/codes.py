"""Language codes as translation systems write them, from BCP-47."""

from __future__ import annotations

from collections.abc import Iterator

import langcodes

_STANDS_FOR = {
    "ar": "arb", "az": "azj", "et": "est", "fa": "pes", "ff": "fuv", "gn": "grn", "ku": "kmr", "lv": "lvs",
    "mg": "plt", "mn": "khk", "ms": "zsm", "ne": "npi", "no": "nob", "om": "gaz", "or": "ory", "ps": "pbt",
    "qu": "quy", "sq": "als", "sw": "swh", "tl": "tgl", "fil": "tgl", "uz": "uzn", "yi": "ydd", "ay": "ayr",
    "kr": "knc", "din": "dik",
}  # fmt: skip
"""For macrolanguages, the one language of them that FLORES-200 has under its own code, or the one most spoken."""


def iso_639_3(language: str) -> str:
    """The three-letter code of a language: `eng` for `en` and for `en-GB`."""
    return str(langcodes.Language.get(language).to_alpha3())


def flores_codes(language: str) -> Iterator[str]:
    """Codes that NLLB may know a language by, the likeliest first: `deu_Latn`; `arb_Arab`, `ara_Arab`."""
    full = langcodes.Language.get(language).maximize()
    script = {"Jpan": "Jpan", "Kore": "Hang"}.get(full.script, full.script)
    if full.language in _STANDS_FOR:
        yield f"{_STANDS_FOR[full.language]}_{script}"
    yield f"{iso_639_3(full.language)}_{script}"


def short_codes(language: str) -> Iterator[str]:
    """Codes that M2M100 may know a language by, the likeliest first: `pt-BR`, `pt`, `por`."""
    yield language
    base = langcodes.Language.get(language).language
    yield base
    # The codes of its training set are older or coarser than the registry's.
    yield from {"nb": ("no",), "nn": ("no",), "nso": ("ns",), "fil": ("tl",)}.get(base, ())
    yield iso_639_3(base)


def opus_codes(language: str) -> Iterator[str]:
    """Codes that OPUS-MT models may know a language by, the likeliest first: `deu`, `deu_Latn`, `de`; `cmn_Hans`."""
    full = langcodes.Language.get(language).maximize()
    threes = dict.fromkeys(
        (iso_639_3(full.language), _STANDS_FOR.get(full.language, iso_639_3(full.language)))
    )
    if full.language == "zh":
        threes = {"cmn": None, "zho": None}
    for three in threes:
        yield three
        yield f"{three}_{full.script}"
    yield language
    yield full.language


def same_language(code: str, language: str) -> bool | None:
    """Whether a model's code (`eng`, `de`, `zho_Hans`) is of a language; None where it is of no single one."""
    try:
        known = langcodes.Language.get(langcodes.standardize_tag(code.replace("_", "-")))
    except ValueError:
        return None
    if not known.is_valid():
        return None
    return bool(known.language == langcodes.Language.get(language).language)
