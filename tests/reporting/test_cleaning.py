import json

import pytest

from isogloss.cleaning.decontamination import Contamination, ContaminationReport
from isogloss.cleaning.report import CleaningReport, Removal
from isogloss.cleaning.translation_quality import Threshold
from isogloss.errors import OutputError
from isogloss.reporting.cleaning import (
    check_report_names,
    cleaning_tables,
    contamination_json,
    contamination_tables,
    write_report,
)


@pytest.fixture
def report():
    one = CleaningReport("corpus.jsonl", records=4, items=3, items_written=2, seconds=2.0)
    one.read.update({"en": 2, "de": 1})
    one.written.update({"en": 1, "fr": 1})
    one.relabelled["de", "fr"] = 1
    one.thresholds.append(Threshold("fr", "query", 0.8, 10, 0.9, None))
    one.add_removed(Removal("markup", 0.5, "50% | tags", "c:1", "1", "en", "<b>\nx</b>", "y" * 200))
    one.add_removed(Removal("invalid", 0, "bad JSON", "c:2", "", "", "", ""))
    return one


def test_tables(report):
    title, tables = cleaning_tables(report)
    assert title == "corpus.jsonl: 2 of 4 records kept, 2 records a second"
    by_title = {table.title: table for table in tables}
    removed = by_title["removed by rule and language"]
    assert removed.header == ("rule", "removed", "share", "de", "en", "fr", "none")
    assert removed.rows == (
        ("invalid", "1", "25.00%", "0", "0", "0", "1"),
        ("markup", "1", "25.00%", "0", "1", "0", "0"),
    )
    assert ("fr", "0", "1", "–") in by_title["by language"].rows
    assert by_title["relabelled"].rows == (("de", "fr", "1"),)
    assert by_title["similarity of translations"].rows == (("fr", "query", "0.800", "10", "0.900", "–"),)
    assert len(by_title["examples"].rows[1][-1]) == 90


def test_each_form_is_written(tmp_path, report):
    title, tables = cleaning_tables(report)
    for name in ("r.html", "r.md", "r.json"):
        write_report(tmp_path / name, title, tables, report.as_json())
    page = (tmp_path / "r.html").read_text()
    assert "&lt;b&gt; x&lt;/b&gt;" in page
    assert "<b>" not in page
    lines = (tmp_path / "r.md").read_text().splitlines()
    assert lines[0] == f"# {title}"
    assert any("50% \\| tags" in line for line in lines)
    assert json.loads((tmp_path / "r.json").read_text())["removed"] == {
        "markup": {"en": 1},
        "invalid": {"": 1},
    }


def test_names_of_reports_are_checked_first(tmp_path):
    check_report_names([tmp_path / "a.md", tmp_path / "b.md"], [None, tmp_path / "c.jsonl"])
    with pytest.raises(OutputError, match=r"written as \.html"):
        check_report_names([tmp_path / "a.txt"])
    with pytest.raises(OutputError, match="two outputs"):
        check_report_names([tmp_path / "a.json"], [tmp_path / "a.json"])


def test_contamination():
    report = ContaminationReport({"b": 7, "c": 3}, versions=9)
    report.add(Contamination("1", "en", "query", "t", "exact", 1.0, "b", "x", "t"))
    report.languages["b", "en"] = 1
    title, tables = contamination_tables(report, "corpus.jsonl")
    assert title == "corpus.jsonl: 1 contaminated items in 9 language versions"
    assert tables[0].rows[0] == ("b", "7", "1", "0", "1", "0", "0", "0")
    assert tables[0].rows[1] == ("c", "3", "0", "0", "0", "0", "0", "0")
    assert tables[2].rows[0][:3] == ("exact", "1.00", "1")
    assert contamination_json(report)["items"] == {"b": {"exact": 1}, "c": {}}
    assert len(contamination_tables(ContaminationReport({"b": 7}), "x")[1]) == 1
