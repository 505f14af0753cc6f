import numpy as np

from isogloss.exchange.subsets import parse_subset_name, subset_name, subsets_of
from tests.exchange.making import small_benchmark


def test_the_subsets_are_the_settings_that_evaluation_averages():
    benchmark = small_benchmark()
    subsets = {subset.name: subset for subset in subsets_of(benchmark)}
    names = [f"mono-{one}" for one in ("de", "en", "zh")]
    names += [
        f"cross-{one}-{other}" for one in ("de", "en", "zh") for other in ("de", "en", "zh") if one != other
    ]
    names += [f"multi-{one}" for one in ("de", "en", "zh")]
    assert list(subsets) == names
    for subset in subsets.values():
        slow = []
        for query, candidate in benchmark.qrels.tolist():
            of_candidate = benchmark.candidate_languages[candidate]
            wanted = benchmark.query_languages[query] == subset.query_language
            if wanted and subset.candidate_language in (None, of_candidate):
                slow.append([query, candidate])
        assert subset.relevant.tolist() == slow
        assert subset.queries.tolist() == sorted({query for query, _ in slow})
        assert subset.candidates.tolist() == [
            number
            for number, language in enumerate(benchmark.candidate_languages)
            if subset.candidate_language in (None, language)
        ]
        assert subset.candidates.dtype == np.int64


def test_a_pair_without_parallel_items_has_no_subset():
    benchmark = small_benchmark(items=3, languages=("de", "en"))
    only = benchmark.subset(["en"])
    assert [subset.name for subset in subsets_of(only)] == ["mono-en", "multi-en"]


def test_names_are_read_back_even_where_codes_have_hyphens():
    languages = ("en", "zh", "zh-Hans")
    for query in languages:
        for candidate in languages:
            setting = "mono" if query == candidate else "cross"
            name = subset_name(setting, query, candidate)
            assert parse_subset_name(name, languages) == (setting, query, candidate)
        assert parse_subset_name(subset_name("multi", query, None), languages) == ("multi", query, None)
    for other in ("default", "de-en", "cross-en-en", "cross-en-fr", "mono-fr", "cross-en"):
        assert parse_subset_name(other, languages) is None
