import pytest

from isogloss.corpus.published.sentences import sentence_at, sentence_spans


@pytest.mark.parametrize(
    "sentences",
    [
        ["The mill is old.", "It grinds rye!", "Why?"],
        ["Dr. Weber, e.g. on Sundays, met Mr. A. Smith at 3 p.m. in Ulm.", "It cost 1.50 euros."],
        ['He said "Go."', "She went."],
        ["Wo?", "Z. B. hier, d.h. dort.", "Nr. 5 fehlt."],
        ["متى؟", "غدا."],
        ["यह पुराना है।", "कब?"],
        ["А. С. Пушкин жил здесь.", "Когда?"],
        ["One line", "Another line"],
    ],
)
def test_sentences(sentences):
    joined = ("\n" if sentences[0] == "One line" else " ").join(sentences)
    assert [joined[start:end] for start, end in sentence_spans(joined)] == sentences


def test_scripts_without_spaces():
    assert [slice(*span) for span in sentence_spans("老磨坊在河边。它是谁建的？不知道")] == [
        slice(0, 7),
        slice(7, 13),
        slice(13, 16),
    ]


def test_the_sentence_that_holds_a_place_and_the_others_nearest_first():
    text = "A. One here. Two there. Three."
    assert sentence_at(text, text.index("Two")) == ("Two there.", ["A. One here.", "Three."])
    assert sentence_at(text, 500) is None
    assert sentence_at("  ", 0) is None
