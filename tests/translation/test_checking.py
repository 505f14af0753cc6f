"""Defects that can be seen without knowing the languages, and good translations that look odd."""

import pytest

from isogloss.translation.checking import defect, is_copy


@pytest.mark.parametrize(
    ("sentence", "translation", "wrong"),
    [
        ("Where is it?", "", "empty"),
        ("Where is it?", "Wo ist\x07 es?", "control characters"),
        ("Where is it?", "Wo ist \ud83d es?", "control characters"),
        ("Where is it?", "Wo ist \ufffd?", "broken characters"),
        ("Where is it?", "Wo ist es? " + "und dann " * 6, "repetition"),
        ("Where is it?", "lalalalalalalalalalalalala", "repetition"),
        ("它在哪里？", "哈" * 30, "repetition"),
        ("Yes.", "Ja, aber das will ich nun doch etwas genauer erklären: zuerst kam die Katze.", "too long"),
        ("Where is it?", "Wo ist es?", None),
        ("It is very, very, very far.", "Es ist sehr, sehr, sehr weit.", None),
        ("no " * 12, "nein " * 12, None),
        ("Fill in: ______________________________", "Trage ein: ______________________________", None),
        ("它在哪里？我不知道。", "Where is it? I do not know, and neither does anyone else here.", None),
        ("OK.", "In Ordnung, einverstanden.", None),
    ],
)
def test_defects(sentence, translation, wrong):
    assert defect(sentence, translation) == wrong


def test_copies_are_long_enough_to_be_none_by_chance():
    assert is_copy("Where is the house?", "where is  the house?")
    assert not is_copy("Paris", "Paris")
    assert not is_copy("New York City", "New York City")
    assert not is_copy("Where is the house?", "Wo ist das Haus?")
    assert is_copy("今天天气很好明天", "今天天气很好明天")
