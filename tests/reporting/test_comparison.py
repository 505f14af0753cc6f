import csv
import io
import json

import pytest

from isogloss.evaluation.significance import SavedRuns, Settings, compare_runs
from isogloss.reporting.comparison import (
    Group,
    comparison_results,
    comparison_tables,
    notices,
    rows_table,
)
from isogloss.reporting.tables import Table, csv_text, latex, markdown
from tests.evaluation.significance.slow import random_paired

GROUPS = (Group("a", ("runs/a",), ("m",)), Group("b", ("runs/b0", "runs/b1"), ("n", "n")))


@pytest.fixture(scope="module")
def saved():
    paired = random_paired(4, runs=3, clusters=30, shift=0.5)
    return SavedRuns(
        {"name": "tiny", "checksum": "0"}, ("m", "n", "n"), paired, {"ndcg": "only in runs/a"}, 0
    )


@pytest.fixture(scope="module")
def comparison(saved):
    return compare_runs(saved.paired, [("a", [0]), ("b", [1, 2])], Settings(2000, 200, pairs=True))


def test_tables(comparison):
    overall, by_language, by_pair = comparison_tables(comparison, GROUPS)
    assert overall.title == "b against a"
    assert overall.header == (
        "setting", "measure", "a", "b", "difference", "95 % interval", "p", "p (Holm)", "verdict",
    )  # fmt: skip
    row = next(row for row in overall.rows if row[:2] == ("multilingual", "mAP"))
    assert row[2].count("±") == 0
    assert row[3].count("±") == 1
    assert row[4].startswith("+0.")
    assert row[5].startswith("[+0.")
    assert row[-1] == "better"
    assert [row[:2] for row in overall.rows][-1] == ("multilingual", "rank distance")
    assert by_language.header == ("query language", "mono mAP", "cross mAP", "multi mAP", "rank distance")
    assert "▲ better" in by_language.title
    assert [row[0] for row in by_language.rows] == ["ar", "de", "en"]
    assert by_language.rows[0][3].endswith("▲")
    assert {row[0] for row in by_pair.rows} == {
        f"{one}->{two}" for one in ("ar", "de", "en") for two in ("ar", "de", "en") if one != two
    }
    assert len(comparison_tables(comparison, GROUPS, ["rank_distance"])[1].header) == 2


def test_nothing_is_marked_without_its_interval(comparison):
    for table in comparison_tables(comparison, GROUPS):
        for row in table.rows:
            text = " ".join(row)
            if any(mark in text for mark in ("better", "worse", "▲", "▼")):
                assert "[" in text


def test_json_and_csv_hold_every_row_with_all_digits(comparison, saved):
    results = json.loads(json.dumps(comparison_results(comparison, saved, GROUPS), allow_nan=False))
    assert len(results["rows"]) == len(comparison.rows)
    assert results["groups"][1] == {"name": "b", "folders": ["runs/b0", "runs/b1"], "models": ["n", "n"]}
    assert results["method"]["holm_families"] == comparison.families
    read = list(csv.DictReader(io.StringIO(csv_text(rows_table(comparison)))))
    for row, text in zip(results["rows"], read, strict=True):
        assert float(text["difference"]) == row["difference"]
        assert [float(value) for value in text["by_run"].split()] == row["by_run"]
        assert text["query_language"] == (row["query_language"] or "")
        assert text["verdict"] == row["verdict"]
        assert row["mean"] == pytest.approx(sum(row["by_run"]) / 2)
        assert row["spread"] == pytest.approx(abs(row["by_run"][0] - row["by_run"][1]) / 2**0.5)
        assert row["baseline_spread"] is None


def test_what_is_not_covered_is_said(comparison, saved):
    text = "\n".join(notices(comparison, saved, GROUPS))
    assert "one run each: a. Training noise is not covered there" in text
    assert "over seeds" in text
    assert "the 4 macro-averages; the 12 figures by query language; the 6 figures by ordered pair" in text
    assert "left out: ndcg, only in runs/a" in text
    assert "too few permutations" not in text
    few = compare_runs(saved.paired, [("a", [0]), ("b", [1, 2])], Settings(100, 100))
    text = "\n".join(notices(few, saved, GROUPS))
    assert "with 12 figures by query language no drawn p can come below 0.05" in text


def test_latex_and_markdown():
    table = Table("t", ("name", "n"), (("a_b & c->d", "-0.5"), ("x-y", "[-1.0, +2.0] ▲"), ("[z]", "3 ± 1")))
    assert latex(table).splitlines() == [
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"name & n \\",
        r"\midrule",
        r"a\_b \& c$\to$d & $-$0.5 \\",
        r"x-y & {}[$-$1.0, +2.0] $\blacktriangle$ \\",
        r"{}[z] & 3 $\pm$ 1 \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]
    assert markdown(table).splitlines()[3] == "| x-y | [-1.0, +2.0] ▲ |"
    assert csv_text(table).splitlines()[1:3] == ["a_b & c->d,-0.5", 'x-y,"[-1.0, +2.0] ▲"']
