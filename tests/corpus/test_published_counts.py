"""XQuAD-R and MLQA-R as published: the counts, and what is relevant to what."""

from collections import Counter

import numpy as np
import pytest

from isogloss.corpus import load_benchmark, read_corpus
from tests.corpus.making import data_folder, real_data

pytestmark = real_data

# Queries and candidates of each language, as in the statistics of the data sets in Elmahdy, Lin, Ahmad,
# arXiv 2408.10536.
PUBLISHED = {
    "xquad-r": {
        "ar": (1190, 1222),
        "de": (1190, 1276),
        "el": (1190, 1234),
        "en": (1190, 1180),
        "es": (1190, 1215),
        "hi": (1190, 1244),
        "ru": (1190, 1219),
        "th": (1190, 852),
        "tr": (1190, 1167),
        "vi": (1190, 1209),
        "zh": (1190, 1196),
    },
    "mlqa-r": {
        "ar": (517, 2545),
        "de": (512, 2362),
        "en": (1148, 6264),
        "es": (500, 1787),
        "hi": (507, 2426),
        "vi": (511, 2828),
        "zh": (504, 2322),
    },
}


@pytest.fixture(scope="module", params=PUBLISHED)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def benchmark(name):
    return load_benchmark(name)


@pytest.fixture(scope="module")
def corpus(name):
    return read_corpus(name)


def test_queries_and_candidates_are_as_many_as_published(name, benchmark):
    queries, candidates = Counter(benchmark.query_languages), Counter(benchmark.candidate_languages)
    assert {language: (queries[language], candidates[language]) for language in candidates} == PUBLISHED[name]


def test_a_query_has_one_relevant_candidate_in_each_language_of_its_item(name, benchmark, corpus):
    languages_of_item = {
        item: sorted(np.array(corpus.languages)[there])
        for item, there in zip(corpus.ids, corpus.available, strict=True)
    }
    found: dict[int, list[str]] = {}
    for query, candidate in benchmark.qrels.tolist():
        found.setdefault(query, []).append(benchmark.candidate_languages[candidate])
    for query, languages in found.items():
        assert sorted(languages) == languages_of_item[benchmark.query_parallel_ids[query]]
    sizes = {len(languages) for languages in found.values()}
    assert sizes == ({11} if name == "xquad-r" else {2, 3, 4})


def test_the_corpus_holds_the_relevant_sentences(benchmark, corpus):
    items = {item: number for number, item in enumerate(corpus.ids)}
    for query, candidate in benchmark.qrels.tolist():
        item = items[benchmark.query_parallel_ids[query]]
        assert (
            corpus.passage(item, benchmark.candidate_languages[candidate])
            == benchmark.candidate_texts[candidate]
        )
        assert corpus.query(item, benchmark.query_languages[query]) == benchmark.query_texts[query]


def test_questions_with_one_answer_sentence_are_in_one_group(name, benchmark, corpus):
    groups = dict(zip(corpus.ids, corpus.groups.tolist(), strict=True))
    shared = [items for items in benchmark.candidate_parallel_ids if len(items) > 1]
    assert shared
    for items in shared:
        assert len({groups[item] for item in items}) == 1
    assert len(set(groups.values())) < len(groups)


def test_a_name_and_a_path_load_the_same(name, benchmark):
    assert load_benchmark(data_folder() / name).checksum == benchmark.checksum
    assert load_benchmark(name, data_dir=data_folder()).checksum == benchmark.checksum
