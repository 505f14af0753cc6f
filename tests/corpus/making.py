"""Small corpora made by hand or drawn by hypothesis, and the folder of real data."""

import os
from pathlib import Path

import pytest
from hypothesis import strategies as st

real_data = pytest.mark.skipif(
    not os.environ.get("ISOGLOSS_DATA"), reason="ISOGLOSS_DATA names no folder with xquad-r/ and mlqa-r/"
)


def record(item, language, query=None, passage=None, **optional):
    return {
        "id": item,
        "language": language,
        "query": query or f"query {item} {language}",
        "passage": passage or f"passage {item} {language}",
        **optional,
    }


def records(items=3, languages=("de", "en", "ru")):
    return [record(f"item{item}", language) for item in range(items) for language in languages]


def squad_paragraph(sentences, questions):
    """A paragraph of sentences with one space between; questions are (id, text, sentence number)."""
    breaks, start = [], 0
    for sentence in sentences:
        breaks.append([start, start + len(sentence)])
        start += len(sentence) + 1
    return {
        "context": " ".join(sentences),
        "sentences": sentences,
        "sentence_breaks": breaks,
        "qas": [
            {"id": item, "question": text, "answers": [{"text": "?", "answer_start": breaks[number][1] - 1}]}
            for item, text, number in questions
        ],
    }


def data_folder() -> Path:
    return Path(os.environ["ISOGLOSS_DATA"])


# Texts of any script, with line feeds and tabs, never empty and never with other control characters.
texts = st.text(
    st.one_of(st.characters(exclude_categories=["C"]), st.sampled_from("\n\t\r éß")), min_size=1, max_size=12
).filter(lambda text: text.strip())
languages = st.sampled_from(["ar", "de", "en", "hi", "ru", "zh-Hans"])
drawn_records = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(["a", "b", "c d", "é", "5"]),
            "language": languages,
            "query": texts,
            "passage": texts,
        },
        optional={
            "title": st.none() | texts,
            "negatives": st.none() | st.lists(texts, max_size=3),
            "dataset": st.none() | st.sampled_from(["one", "two"]),
        },
    ),
    min_size=1,
    max_size=16,
    unique_by=lambda drawn: (drawn["id"], drawn["language"]),
)
