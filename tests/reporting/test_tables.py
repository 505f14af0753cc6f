from isogloss.reporting.tables import (
    Table,
    change_table,
    figure,
    language_table,
    markdown,
    pair_table,
    settings_table,
)


def results(scale=1.0, name="a-model"):
    def summary(value, pairs=False):
        found = {"mean": value, "by_language": {"de": value, "en": value}}
        return found | ({"by_pair": {"en->de": value, "de->en": value / 2}} if pairs else {})

    measures = {"map": 0.5 * scale, "recall@1": 0.4 * scale, "recall@10": 0.8 * scale}
    measures |= {"ndcg@10": 0.6 * scale, "mrr": 0.7 * scale, "success@1": 0.9 * scale}
    return {
        "model": {"name": name},
        "data": {"name": "tiny", "queries": 4, "candidates": 6, "languages": ["de", "en"]},
        "settings": {
            setting: {measure: summary(value, setting == "cross") for measure, value in measures.items()}
            for setting in ("mono", "cross", "multi")
        },
        "language_bias": {"rank_distance": summary(30.0 * scale)},
    }


def test_settings_table():
    table = settings_table(results())
    assert table.title == "a-model on tiny: 4 queries, 6 candidates, 2 languages"
    assert table.header == ("setting", "mAP", "R@1", "R@10", "nDCG@10", "MRR", "S@1", "rank distance")
    figures = ("0.500", "0.400", "0.800", "0.600", "0.700", "0.900")
    assert table.rows == (
        ("monolingual", *figures, ""),
        ("cross-lingual", *figures, ""),
        ("multilingual", *figures, "30"),
    )


def test_language_and_pair_tables():
    assert language_table(results()).rows[0] == ("de", "0.500", "0.500", "0.500", "0.800", "30")
    assert pair_table(results()).rows == (("de", "0.500", "0.250"), ("en", "0.500", "0.500"))


def test_change_table():
    rows = change_table(results(), results(0.5)).rows
    assert rows[0] == ("monolingual mAP", "0.500", "0.250", "-0.250")
    assert rows[-1] == ("rank distance (language bias)", "30.0", "15.0", "-15.0")


def test_a_figure_that_does_not_exist_is_a_dash():
    assert figure(None) == "–"
    one_language = results()
    one_language["settings"]["cross"]["map"] = {"mean": None, "by_language": {}, "by_pair": {}}
    assert settings_table(one_language).rows[1][1] == "–"
    assert pair_table(one_language).rows[0][2] == "–"
    assert change_table(one_language, results()).rows[3][1:] == ("–", "0.500", "–")


def test_markdown():
    table = Table("t", ("name", "n"), (("a|b", "1"),))
    assert markdown(table) == "| name | n |\n|---|--:|\n| a\\|b | 1 |"
