"""The precompiled character map against a replacement in Python, one code point after the other."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import normalizers

from isogloss.encoding.charsmap import build_charsmap, code_point_normaliser

CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
# Marks, joiners, jamo and line ends make graphemes of several characters, which is where the package errs.
CLUSTERING = st.sampled_from(
    "\r\n\u0301\u0308\u0483\u05b0\u064e\u0651\u093c\u093e\u0e33\u200c\u200d\ufe0f\uff9e🏽각"
)
TEXTS = st.text(st.one_of(CHARACTERS, CLUSTERING, st.sampled_from("abc ªº½ǅٵ①ｱﬁ㎏﷼ﷺ𝔸")), max_size=12)

FIXED = {
    "\t": " ",
    "\n": " ",
    "\r": " ",
    "\x02": "",
    "ª": "a",
    "½": "1⁄2",
    "ǅ": "Dž",
    "ٵ": "اٴ",
    "①": "1",
    "ｱ": "ア",
    "\uff9e": "\u3099",
    "\u200d": " ",
    "ﷺ": "صلى الله عليه وسلم",
    "𝔸": "A",
}


def slow_normalise(replacements: dict[str, str], text: str) -> str:
    return "".join(replacements.get(character, character) for character in text)


FIXED_NORMALISER = code_point_normaliser(FIXED)


@settings(max_examples=1000)
@given(TEXTS)
@example("ª\u0301")
@example("①\u0301")
@example("ª\u200d")
@example("ٵ\u0651")
@example("\r\n")
@example("\x02\x02a")
def test_every_code_point_is_replaced_by_itself(text):
    expected = slow_normalise({**FIXED, "\x01": ""}, text)
    assert FIXED_NORMALISER.normalize_str(text) == expected


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(CHARACTERS, st.text(CHARACTERS, max_size=4), max_size=60), st.data())
def test_random_maps(replacements, data):
    normaliser = code_point_normaliser(replacements)
    mapped = st.sampled_from(sorted(replacements)) if replacements else st.nothing()
    texts = data.draw(st.lists(st.text(st.one_of(mapped, CHARACTERS, CLUSTERING), max_size=12), max_size=20))
    for text in texts:
        assert normaliser.normalize_str(text) == slow_normalise({**replacements, "\x01": ""}, text)


def test_a_large_map_holds_every_key_and_nothing_else():
    replacements = {
        chr(code): f"<{code % 97}>" for code in [*range(0xA0, 0x3000, 3), *range(0x1D400, 0x1D800)]
    }
    normaliser = normalizers.Precompiled(build_charsmap(replacements))
    for code in [*range(1, 0x3100), *range(0x1D300, 0x1D900)]:
        assert normaliser.normalize_str(f"a{chr(code)}") == "a" + replacements.get(chr(code), chr(code))


def test_the_package_loses_the_mark_after_a_replaced_letter():
    # Why `code_point_normaliser` does more than build the map; where this fails, it need do so no longer.
    assert normalizers.Precompiled(build_charsmap({"ª": "a"})).normalize_str("ª\u0301") == "a"


def test_the_zero_character_is_kept():
    assert FIXED_NORMALISER.normalize_str("a\0ª") == "a\0a"


def test_offsets_survive():
    from isogloss.encoding.offline_base import tokenizer_from_vocabulary
    from isogloss.encoding.packed_e5 import Vocabulary

    pieces = [(piece, 0.0) for piece in ("<s>", "<pad>", "</s>", "<unk>", "▁", "a", "b")]
    tokenizer = tokenizer_from_vocabulary(Vocabulary(pieces, 0, 2, 1, 3), FIXED)
    for text in ("", "\x02", "\x02ab", "a\x02", "\x02ﷺ", "ª\u0301b"):
        encoding = tokenizer.encode(text)
        assert len(encoding.ids) >= 2
        assert all(0 <= start <= end <= len(text) for start, end in encoding.offsets)


@pytest.mark.parametrize("replacements", [{"ab": "c"}, {"": "c"}, {"\0": "c"}, {"a": "b\0"}])
def test_what_no_map_can_hold(replacements):
    with pytest.raises(ValueError, match="no entry of a character map"):
        build_charsmap(replacements)
