"""`isogloss study` as a user meets it."""

import json
import shutil

import pytest

from tests.study.making import STUDY, write_study


@pytest.fixture
def study(tmp_path, monkeypatch, tiny_bert):
    monkeypatch.chdir(tmp_path)
    return write_study(tmp_path, tiny_bert)


def test_a_study_from_beginning_to_report(run, study, tmp_path):
    code, out, err = run("study", "status", "study.toml")
    assert (code, "x-x-mono" in out) == (0, True), err
    code, out, err = run("study", "study.toml")
    assert code == 0, err
    assert "held-out" in out
    assert "left" not in err.splitlines()[-1]
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "study").rglob("*.safetensors")}
    assert len(before) == 9
    assert run("study", "run", "study.toml")[0] == 0
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "study").rglob("*.safetensors")}
    # Nothing of the test set was read so far: it may even be missing.
    (tmp_path / "test.jsonl").rename(tmp_path / "elsewhere")
    assert run("study", "status", "study")[0] == 0
    code, _, err = run("study", "report", "study.toml", "--permutations", 200, "--resamples", 200)
    assert (code, "test.jsonl" in err) == (2, True) or code == 1
    (tmp_path / "elsewhere").rename(tmp_path / "test.jsonl")
    code, out, err = run(
        "study",
        "report",
        "study.toml",
        "--retry",
        "--permutations",
        200,
        "--resamples",
        200,
        "--device",
        "cpu",
    )
    assert code == 0, err
    assert "written: study/report/index.html" in out
    report = tmp_path / "study" / "report"
    page = (report / "index.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert page.count("<h3>") >= 6
    text = (report / "report.md").read_text(encoding="utf-8")
    for words in (
        "hybrid + centre",
        "base, not trained",
        "pair unseen",
        "held-out",
        "read by this report alone",
    ):
        assert words in text
    for picture in (report / "pictures").iterdir():
        assert f"pictures/{picture.name}" in text
    assert list((report / "tables").glob("*.tex"))
    assert list((report / "tables").glob("*.csv"))
    # Again: nothing is measured anew, the report is replaced.
    code, _, err = run("study", "report", "study", "--permutations", 200, "--resamples", 200)
    assert (code, "encoding" in err) == (0, False)
    # Published without the models: the same report.
    code, out, err = run("study", "records", "study.toml", "--to", "published")
    assert (code, "records of 9 runs" in out) == (0, True), err
    shutil.rmtree(tmp_path / "study")
    assert not list((tmp_path / "published").rglob("*.safetensors"))
    code, _, err = run("study", "report", "published", "--permutations", 200, "--resamples", 200)
    assert (code, "encoding" in err) == (0, False)
    again = (tmp_path / "published" / "report" / "report.md").read_text(encoding="utf-8")
    assert without_command(again) == without_command(text)
    assert run("study", "records", "published", "--to", "published")[0] == 2
    assert run("study", "records", "study.toml", "--to", "elsewhere")[0] == 2


def without_command(text):
    return [line for line in text.splitlines() if not line.startswith("- command: ")]


def test_one_arm_alone_and_a_run_that_fails(run, study, tmp_path):
    code, out, err = run("study", "study.toml", "--arm", "x-y")
    assert code == 0, err
    records = sorted((tmp_path / "study").rglob("run.json"))
    assert [path.parent.parent.name for path in records] == ["x-y"] * 3
    assert json.loads(records[0].read_text())["pairs"] == 16
    broken = STUDY.replace("batch_size = 4", "batch_size = 400").replace(
        'bases = ["{base}"]', 'bases = ["nowhere/x"]'
    )
    other = tmp_path / "other"
    other.mkdir()
    write_study(other, "", broken)
    code, out, err = run("study", "run", other / "study.toml", "--arm", "x-y")
    assert code == 1
    assert "failed" in out
    assert "batch" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("study", "nothing.toml"), "nothing.toml: cannot read the study"),
        (("study", "status", "nothing.toml"), "nothing.toml: cannot read the study"),
        (("study", "report", "study.toml"), "no run is finished"),
        (("study", "run", "study.toml", "--arm", "what"), "--arm what: no such arm"),
    ],
)
def test_bad_input(run, study, tmp_path, arguments, message):
    before = sorted(path.name for path in tmp_path.iterdir())
    code, _, err = run(*arguments)
    assert (code, message in err, "Traceback" in err) == (2, True, False), err
    assert sorted(path.name for path in tmp_path.iterdir()) == before
