import pytest

from isogloss.evaluation import (
    BIAS_DEFINITIONS,
    TrainedPairs,
    evaluate_vectors,
    results_of,
    with_training,
)
from isogloss.reporting.bias import (
    bias_language_table,
    bias_table,
    pool_recall_table,
    seen_table,
    share_table,
)
from isogloss.reporting.tables import figure, markdown, settings_table
from tests.evaluation.benchmarks import integer_vectors, random_benchmark


@pytest.fixture(params=[True, False], ids=["second pass", "one pass"])
def results(request):
    benchmark = random_benchmark(3, languages=("ar", "de", "en"), queries=30, candidates=40, relevant=150)
    return results_of(
        evaluate_vectors(benchmark, integer_vectors(4, 30), integer_vectors(5, 40), second=request.param),
        model={"name": "a-model"},
    )


def test_bias_stands_beside_quality(results):
    table = bias_table(results)
    assert [row[0] for row in table.rows[:2]] == ["multilingual mAP", "multilingual R@10"]
    assert table.rows[0][1] == figure(results["settings"]["multi"]["map"]["mean"])
    assert [row[0] for row in table.rows[2:]] == [definition.label for definition in BIAS_DEFINITIONS]
    for row, definition in zip(table.rows[2:], BIAS_DEFINITIONS, strict=True):
        value = results["language_bias"][definition.key]["mean"]
        assert row[1:] == (
            figure(value, definition.decimals),
            definition.range,
            definition.better,
            definition.even,
        )
    assert settings_table(results).header[-1] == "rank distance"
    assert "multi mAP" in bias_language_table(results).header
    assert [row[0] for row in bias_language_table(results).rows] == ["ar", "de", "en"]


def test_shares_and_recall_in_the_pool(results):
    table = share_table(results)
    if results["language_shares"] is None:
        assert table is None
    else:
        assert [row[0] for row in table.rows] == ["ar", "de", "en", "of the relevant", "of the pool"]
        for row in table.rows:
            assert sum(map(float, row[1:])) == pytest.approx(1, abs=0.002)
    by_pair = results["language_bias"]["pool_recall@10"]["by_pair"]
    assert pool_recall_table(results).rows[0][2] == figure(by_pair["ar->de"])


def test_seen_and_unseen(results):
    assert seen_table(results) is None
    table = seen_table(with_training(results, TrainedPairs.of(["de"], [], "the options")))
    assert table.title.endswith("after the options")
    assert [row[:3] for row in table.rows] == [
        ("monolingual", "pair seen", "1"),
        ("monolingual", "both unseen", "2"),
        ("cross-lingual", "query language unseen", "2"),
        ("cross-lingual", "candidate language unseen", "2"),
        ("cross-lingual", "both unseen", "2"),
        ("multilingual", "query language seen", "1"),
        ("multilingual", "query language unseen", "2"),
        ("multilingual, by pair", "pair seen", "1"),
        ("multilingual, by pair", "query language unseen", "2"),
        ("multilingual, by pair", "candidate language unseen", "2"),
        ("multilingual, by pair", "both unseen", "4"),
    ]
    assert table.rows[0][3] == figure(results["settings"]["mono"]["map"]["by_language"]["de"])
    assert len({len(row) for row in table.rows} | {len(table.header)}) == 1
    assert markdown(table).startswith("| setting | languages | number |")
