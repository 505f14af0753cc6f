"""The benchmark of conversion at a small size, in one process: its steps give back what they took."""

from benchmarks import data_scale
from isogloss.corpus import check_corpus
from isogloss.corpus.streaming import stream_versions


def test_every_step_runs_and_is_checked(tmp_path):
    data_scale.write_corpus(tmp_path / "corpus.jsonl", 123)
    data_scale.write_mmarco(tmp_path / "mmarco", 60)
    for name in data_scale.STEPS:
        data_scale.step(name, tmp_path)
    data_scale.check(tmp_path)
    assert len(list(stream_versions(tmp_path / "corpus"))) == 123
    assert len(list(stream_versions(tmp_path / "mmarco-corpus"))) == 60
    assert {problem.kind for problem in check_corpus(tmp_path / "corpus.jsonl").problems} <= {
        "single-language"
    }


def test_the_report_has_a_row_a_step():
    measured = {"seconds": 2.0, "processor_s": 1.0, "peak_mib": 30.4, "anonymous_mib": 20.0}
    records = [{"records": 1000, "step": name, **measured} for name in data_scale.STEPS]
    report = data_scale.report(records)
    assert "| 1,000 | stats | 2.00 | 1.00 | 1,000 | 30 | 20 |" in report.as_markdown()
