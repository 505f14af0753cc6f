"""Why a record was removed, in words."""

from __future__ import annotations

from isogloss.cleaning.state import RULES, CorpusState

_WORDS = {
    "too-short": "{value:.0f} letters and digits in the query or the passage",
    "few-letters": "letters are {value:.0%} of the query or the passage",
    "repeated-character": "one character {value:.0f} times in a row",
    "repetition": "{value:.0%} of the runs of four words have come before in the text",
    "markup": "{value:.0%} of the text are addresses, tags and entities",
    "script": "{value:.0%} of the letters are of the language's script",
    "repeated-id": "the id comes twice in this language; first as record {other}",
    "exact-duplicate": "query and passage are those of another item, in record {other}",
    "near-duplicate": "query and passage are nearly ({value:.2f}) those of another item, in record {other}",
    "untranslated": "a text is word for word that of another language, in record {other}",
    "query-passage-ratio": "for its query, the passage is {value:.3g} times as long as the language's median",
    "length-ratio": "{value:.3g} times as long as the item's other languages say",
    "translation": "similarity {value:.3f} with the item in the reference language, record {other}",
    "in-other-split": "query or passage is in another split (similarity {value:.2f} in some language)",
    "few-languages": "languages that the item is left in: {value:.0f}",
}


def reason(state: CorpusState, number: int, problem: str) -> str:
    """Say why a record was removed; `problem` is what made it invalid."""
    rule = RULES[state.rules[number]]
    value = float(state.values[number])
    if rule == "invalid":
        return problem or "no valid record"
    if rule == "language":
        return f"the text is in {state.names[state.found[number]]}, with probability {value:.2f}"
    return _WORDS[rule].format(value=value, other=int(state.others[number]) + 1)
