import unicodedata

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from isogloss.cleaning import characters as module
from isogloss.cleaning.characters import comparable_characters, raw_characters, sums

SPACELESS = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")


def slow_comparable(text):
    """Character by character what `comparable_characters` does with arrays."""
    kept, separated = [], False
    seen = "".join(character for character in text if unicodedata.category(character) != "Cf")
    for character in unicodedata.normalize("NFKC", seen).casefold():
        if ord(character) >= module.CHARACTERS - 1 or unicodedata.category(character)[0] not in "LMN":
            separated = True
            continue
        spaceless = is_spaceless(character)
        if separated and kept and not spaceless and not is_spaceless(kept[-1]):
            kept.append(" ")
        separated = False
        kept.append(character)
    return "".join(kept)


def is_spaceless(character):
    return (
        unicodedata.category(character)[0] in "LM"
        and unicodedata.name(character, "").split(" ")[0] in SPACELESS
    )


def as_text(codes):
    return "".join(map(chr, codes))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello,  World! ", "hello world"),
        ("", ""),
        (" … ", ""),
        ("Straße", "strasse"),
        ("你好， 世界 abc d", "你好世界abc d"),
        ("ที่ นี่", "ที่นี่"),
        ("हिन्दी में?", "हिन्दी में"),
        ("ﬁne\n\nx", "fine x"),
        ("１２", "12"),
    ],
)
def test_worked_cases(text, expected):
    assert as_text(comparable_characters([text])[0]) == expected


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cn"]), max_size=20), max_size=6))
@example(["a\nb", "", "你 好", "e\u0301 \u0e33"])
def test_like_the_slow_twin(texts):
    found = comparable_characters(texts)
    assert [as_text(found[number]) for number in range(len(texts))] == [
        slow_comparable(text) for text in texts
    ]


def test_many_texts_are_cut_into_parts(monkeypatch):
    texts = [f"Text number {number}!" for number in range(50)]
    whole = comparable_characters(texts)
    monkeypatch.setattr(module, "_AT_ONCE", 40)
    parts = comparable_characters(texts)
    assert np.array_equal(whole.values, parts.values)
    assert np.array_equal(whole.starts, parts.starts)


def test_raw_characters_and_sums():
    raw = raw_characters(["ab", "", "ü"])
    assert [as_text(raw[number]) for number in range(3)] == ["ab", "", "ü"]
    assert sums(np.array([1, 2, 3]), raw.starts).tolist() == [3, 0, 3]
    assert sums(np.ones(300, np.bool_), np.array([0, 0, 300, 300])).tolist() == [0, 300, 0]
    assert sums(np.ones(0, np.bool_), np.array([0, 0])).tolist() == [0]
    assert sums(np.ones(0, np.bool_), np.array([0])).tolist() == []
