import inspect

from benchmarks import ranking as benchmark
from isogloss.cli.evaluate import evaluate
from isogloss.evaluation import MEMORY_BUDGET


def test_the_benchmark_checks_and_reports(monkeypatch):
    monkeypatch.setattr(benchmark, "QUICK_SIZES", ((30, 2500),))
    report = benchmark.run(quick=True, repeats=2)
    cases = report.measured["cases"]
    assert [(case["relevant"], case["memory_budget"]) for case in cases] == [(1, 2.1), (10, 2.1), (10, 0.6)]
    assert all(len(case["ratios"]) == 2 for case in cases)
    assert report.as_markdown().count("2,500") == 3
    assert '"ratios"' in report.as_json()


def test_the_command_has_the_default_of_the_library():
    assert inspect.signature(evaluate).parameters["memory_budget"].default == MEMORY_BUDGET
