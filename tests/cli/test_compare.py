"""`isogloss compare` as a user meets it."""

import json
import shutil

import pytest

from tests.evaluation.significance.test_saved_runs import save


@pytest.fixture
def compare(run):
    def compare(*arguments):
        return run("compare", *arguments, "--permutations", 500, "--resamples", 200)

    return compare


@pytest.fixture
def runs(tmp_path, monkeypatch):
    for number, name in enumerate(("base", "seed0", "seed1", "seed2")):
        save(tmp_path / name, 10 * number)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_two_runs(compare, runs):
    code, out, err = compare("base", "seed0")
    assert (code, "resamples: 200/200" in err) == (0, True)
    for words in (
        "seed0 against base",
        "rank distance",
        "95 % interval",
        "by query language",
        "no clear difference",
    ):
        assert words in out
    assert "one run each: base, seed0" in out
    assert "by ordered pair" not in out
    assert "de->en" in compare("base", "seed0", "--pairs")[1]
    assert "99 % interval" in compare("base", "seed0", "--confidence", 0.99)[1]


@pytest.mark.parametrize("group", ["trained=seed0,seed1,seed2", "trained=seed*", "trained=seed0,seed[12]"])
def test_a_group_of_seeds(compare, runs, group):
    code, out, _ = compare("base=base", group, "--json")
    assert code == 0
    found = json.loads(out)
    assert [one["folders"] for one in found["groups"]] == [["base"], ["seed0", "seed1", "seed2"]]
    assert all(len(row["by_run"]) == 3 and row["p_seeds"] is not None for row in found["rows"])


def test_files_of_every_form(compare, runs):
    names = ["out/c.json", "c.csv", "c.md", "c.tex"]
    code, _, _ = compare("base", "seed0", *(word for name in names for word in ("--output", name)))
    assert code == 0
    found = json.loads((runs / "out" / "c.json").read_text())
    assert found["rows"]
    assert (runs / "c.csv").read_bytes().count(b"\r\n") == len(found["rows"]) + 1
    assert "**seed0 against base**" in (runs / "c.md").read_text()
    assert r"\toprule" in (runs / "c.tex").read_text()
    assert not [path for path in runs.iterdir() if "part" in path.name]


def test_chosen_measures(compare, runs):
    _, out, _ = compare("base", "seed0", "--measure", "rank_distance", "--json")
    found = json.loads(out)
    assert {row["measure"] for row in found["rows"]} == {"rank_distance"}
    assert found["method"]["holm_families"]["overall"] == 1


def test_the_same_names_and_folders_with_equals_signs(compare, runs):
    shutil.copytree(runs / "base", runs / "other" / "base")
    code, _, err = compare("base", "other/base")
    assert (code, "base: two runs of this name" in err) == (2, True)
    (runs / "seed0").rename(runs / "lr=1,wd=2")
    code, out, _ = compare("base", "lr=1,wd=2")
    assert (code, "lr=1,wd=2 against base" in out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("base",), "one run cannot be compared"),
        (("base", "none"), "none: no such folder"),
        (("base", "x=none*"), "'none*' names no folder"),
        (("base", "x="), "NAME=DIR"),
        (("base", "=seed0"), "NAME=DIR"),
        (("base", "seed0,seed1"), "several runs need a name"),
        (("base", "x=base,seed0"), "base: given twice"),
        (("base", "seed0", "--output", "c.txt"), "c.txt: give a name that ends in .json"),
        (("base", "seed0", "--measure", "mapp"), "no measure 'mapp'"),
        (("base", "seed0", "--confidence", "95"), "--confidence 95"),
    ],
)
def test_bad_input_gets_a_clear_error(compare, runs, arguments, said):
    code, _, err = compare(*arguments)
    assert code == 2
    assert err.startswith("error: ")
    assert said in err
    assert "Traceback" not in err
