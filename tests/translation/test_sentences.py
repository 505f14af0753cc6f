"""Sentences: found by language, and put together again with nothing lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isogloss.translation.sentences import join_sentences, split_sentences


@pytest.mark.parametrize(
    ("language", "text", "sentences"),
    [
        (
            "en",
            "Dr. Smith paid $3.50 on Jan. 5. He left, e.g. by car.  Why?",
            ["Dr. Smith paid $3.50 on Jan. 5.", "He left, e.g. by car.", "Why?"],
        ),
        ("de", "Am 3. Mai kam z. B. Dr. Meier. Er ging.", ["Am 3. Mai kam z. B. Dr. Meier.", "Er ging."]),
        ("zh-Hans", "今天很好。明天呢？", ["今天很好。", "明天呢？"]),
        ("hi", "यह है। वह है।", ["यह है।", "वह है।"]),
        ("en", "A heading\n\nfirst line\r\n  second. third", ["A heading", "first line", "second.", "third"]),
        ("en", "- one\n2) two\n• three", ["one", "two", "three"]),
        ("en", "Press 7. https://a.example/b?c=1\nx@y.example\n---\n42", ["Press 7."]),
        ("en", "42", []),
    ],
)
def test_sentences_are_found(language, text, sentences):
    split = split_sentences(text, language)
    assert list(split.texts) == sentences
    assert join_sentences(split.texts, split.between, language, language) == text


@given(
    st.text(alphabet=st.sampled_from("aB éß水。?!.,;:-*1) \n\r\t\u2028😀'\"")),
    st.sampled_from(["en", "zh", "xh"]),
)
@settings(max_examples=200, deadline=None)
def test_any_text_comes_back_as_it_was(text, language):
    split = split_sentences(text, language)
    assert len(split.between) == len(split.texts) + 1
    assert all(sentence == sentence.strip() and "\n" not in sentence for sentence in split.texts)
    assert join_sentences(split.texts, split.between, language, language) == text


def test_a_space_comes_and_goes_with_the_script():
    split = split_sentences("One. Two.\nThree.  Four.", "en")
    assert (
        join_sentences(["一。", "二。", "三。", "四。"], split.between, "en", "zh") == "一。二。\n三。  四。"
    )
    split = split_sentences("一。二。\n三。", "zh")
    assert join_sentences(["One.", "Two.", "Three."], split.between, "zh", "en") == "One. Two.\nThree."
    assert join_sentences(["いち。", "に。", "さん。"], split.between, "zh", "ja") == "いち。に。\nさん。"
