"""Timing in turn, ratios, reports, and the command that runs benchmarks."""

import json
import platform
import types

import pytest

from benchmarks import __main__ as command
from benchmarks.harness import Ratio, Report, Spread, bars, interleaved, machine, machine_line, number
from isogloss.errors import EvaluationError

MACHINE = {"processor": "Abacus", "cores": 2, "memory_gib": 7.8, "versions": {"python": "3.11"}}


def report(**changes):
    parts = {
        "name": "sums",
        "title": "Sums",
        "columns": ("way", "n", "s", "times as fast"),
        "rows": (("by | hand", 12345, 0.01234, None), ("by head", 2, 1234.5, Ratio(2.0, 1.0, 12.34))),
        "notes": ("both agree",),
        "machine": MACHINE,
    }
    return Report(**(parts | changes))


def test_cases_take_turns_in_changing_order():
    calls = []
    seconds = interleaved({name: lambda name=name: calls.append(name) for name in "abc"}, 4)
    assert "".join(calls[:3]) == "abc"
    rounds = ["".join(calls[start : start + 3]) for start in range(3, len(calls), 3)]
    assert rounds == ["abc", "acb", "cab", "cba"]
    assert {name: len(times) for name, times in seconds.items()} == dict.fromkeys("abc", 4)
    assert all(one >= 0 for times in seconds.values() for one in times)


def test_no_case_and_no_repeat():
    assert interleaved({}, 3) == {}
    assert interleaved({"a": lambda: None}, 0) == {"a": []}


def test_ratios_are_those_of_the_same_repeats():
    # The median of the ratios 4, 1 and 2, not the ratio 6 / 3 of the medians of other figures.
    assert Ratio.of([8, 3, 6], [2, 3, 3]) == Ratio(2, 1, 4)
    assert str(Ratio.of([10, 10], [1, 4])) == "6.25 (2.50 to 10.0)"
    assert Spread.over([5, 1, 2]) == Spread(2, 1, 5)
    with pytest.raises(ValueError, match="zip"):
        Ratio.of([1, 2], [1])


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.00"), (0.01234, "0.0123"), (1.234, "1.23"), (12.34, "12.3"), (-123.4, "-123"), (1234.5, "1,234")],
)
def test_numbers(value, text):
    assert number(value) == text


def test_the_machine_is_told_without_its_name():
    found = machine()
    assert found["processor"]
    assert found["cores"] >= 1
    assert found["versions"].keys() >= {"python", "numpy", "torch"}
    text = json.dumps(found)
    assert platform.node() not in text
    assert "/home" not in text
    assert machine_line(MACHINE | {"gpu": "Rake", "torch_threads": 1}) == (
        "Abacus, 2 cores, 8 GiB, 1 thread in torch, Rake, python 3.11"
    )


def test_markdown():
    assert report().as_markdown().splitlines() == [
        "Sums",
        "",
        "| way | n | s | times as fast |",
        "|---|--:|--:|--:|",
        "| by \\| hand | 12,345 | 0.0123 |  |",
        "| by head | 2 | 1,234 | 2.00 (1.00 to 12.3) |",
        "",
        "- both agree",
        "- Abacus, 2 cores, 8 GiB, python 3.11",
    ]


def test_json_holds_all_digits():
    found = json.loads(report(measured={"seconds": {"by head": [1.5]}}).as_json())
    assert found["rows"][0] == {"way": "by | hand", "n": 12345, "s": 0.01234, "times as fast": None}
    assert found["rows"][1]["times as fast"] == {"median": 2.0, "low": 1.0, "high": 12.34}
    assert found["machine"] == MACHINE
    assert found["measured"] == {"seconds": {"by head": [1.5]}}


def test_a_row_fits_its_columns():
    with pytest.raises(ValueError, match="sums: a row of 1 cells under 4 columns"):
        report(rows=(("by hand",),))


def test_what_is_written(tmp_path):
    assert report().write(tmp_path / "new") == [tmp_path / "new" / "sums.json", tmp_path / "new" / "sums.md"]
    assert (tmp_path / "new" / "sums.md").read_text(encoding="utf-8") == report().as_markdown()


def test_the_same_figures_give_the_same_plot(tmp_path):
    pytest.importorskip("matplotlib")
    plotted = report(plot=bars("times as fast", {"by hand": Ratio(1, 1, 1), "by head": Ratio(2, 1, 3)}))
    for folder in ("a", "b"):
        assert plotted.write(tmp_path / folder)[-1].name == "sums.svg"
    first, second = ((tmp_path / folder / "sums.svg").read_bytes() for folder in "ab")
    assert first == second
    assert b"by head" in first


@pytest.fixture
def modules(monkeypatch):
    """Two benchmarks: one that works, and one whose sides differ."""

    def broken(quick):
        raise EvaluationError("ranks differ")

    found = {
        "benchmarks.sums": types.SimpleNamespace(run=lambda quick: report(title=f"Sums, quick {quick}")),
        "benchmarks.broken": types.SimpleNamespace(run=broken),
    }
    monkeypatch.setattr(command, "NAMES", ("broken", "sums"))
    monkeypatch.setattr(command.importlib, "import_module", found.__getitem__)


def test_the_command_runs_all_and_says_what_failed(modules, tmp_path, capsys):
    assert command.main(["--output", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert "Sums, quick False" in out
    assert "broken: ranks differ" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sums.json", "sums.md"]


def test_a_quick_run_leaves_the_results_alone(modules, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results")
    assert command.main(["sums", "--quick"]) == 0
    assert "Sums, quick True" in capsys.readouterr().out
    assert not (tmp_path / "results").exists()
    assert command.main(["sums"]) == 0
    assert (tmp_path / "results" / "sums.json").is_file()


def test_an_unknown_benchmark(modules, capsys):
    with pytest.raises(SystemExit) as refused:
        command.main(["products"])
    assert refused.value.code == 2
    assert "no benchmark is called products; there are broken, sums" in capsys.readouterr().err
