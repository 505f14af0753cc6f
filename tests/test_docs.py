"""The README and the docs say what is so: their commands run, and the generated pages are up to date."""

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from isogloss.cli import main
from isogloss.evaluation import DEFINITIONS
from isogloss.study.definition import read_study
from isogloss.study.runs import runs_of
from tests.conftest import make_tiny_model

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
RUN = [
    # What it shows loads OpenVINO.
    pytest.param(page, id=page.name, marks=[pytest.mark.openvino] if page.name == "export.md" else [])
    for page in PAGES
]
SLOW_WORDS = ("demo", "fetch", "xquad-r", "mlqa-r", "miracl", "recipes/", "study", "openai:", ".onnx")
SLOW_WORDS += ("isogloss serve", "--uri")
SLOW_WORDS += ("transformers:", "ctranslate2:")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def commands(page: Path) -> list[str]:
    """The lines after `$ ` in console blocks that call isogloss; a backslash carries on."""
    joined = "\n".join(blocks(page, "console")).replace("\\\n", " ")
    return [line[2:] for line in joined.splitlines() if line.startswith("$ isogloss ")]


@pytest.fixture
def user(tmp_path, monkeypatch):
    """A user's folder, where the offline base is a tiny random model."""
    (tmp_path / "cache" / "models").mkdir(parents=True)
    make_tiny_model(tmp_path / "cache" / "models" / "multilingual-e5-small", "bert")
    (tmp_path / "cache" / "models" / "multilingual-e5-small" / "modules.json").write_text(
        '[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},'
        ' {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]'
    )
    pooling = tmp_path / "cache" / "models" / "multilingual-e5-small" / "1_Pooling"
    pooling.mkdir()
    (pooling / "config.json").write_text('{"word_embedding_dimension": 32, "pooling_mode_mean_tokens": true}')
    monkeypatch.setenv("ISOGLOSS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@pytest.mark.parametrize("page", RUN)
def test_the_commands_of_a_page_run_one_after_the_other(page, user, capsys):
    if "apertium" in " ".join(commands(page)) and not shutil.which("cg-proc"):
        for command in commands(page):
            check_options(shlex.split(command, comments=True)[1:])
        pytest.skip("needs Apertium: apt-get install apertium apertium-eng-spa apertium-spa-cat cg3")
    for command in commands(page):
        words = shlex.split(command, comments=True)[1:]
        if any(slow in command for slow in SLOW_WORDS):
            # Too long, or in need of data or a network: that the options exist is still checked.
            check_options(words)
            continue
        code = exit_code(words)
        assert code == 0, f"{command}\n{capsys.readouterr().err}"


def exit_code(words):
    try:
        main(words)
    except SystemExit as exit_:
        return exit_.code or 0
    return 0


@pytest.mark.parametrize("page", RUN)
def test_the_python_of_a_page_runs(page, user):
    code = "\n".join(blocks(page, "python"))
    if not code:
        return
    exec(compile(code, str(page), "exec"), {"__name__": "page"})


def check_options(words):
    reference = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for word in words:
        if word.startswith("--"):
            assert f"  {word.split('=')[0]} " in reference, word


def test_the_command_line_page_is_up_to_date():
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        from make_cli_reference import reference
    finally:
        sys.path.pop(0)
    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert reference() == written, "docs/cli.md is not up to date: run `make docs`"


def test_the_study_of_the_docs_is_one(tmp_path):
    (block,) = blocks(ROOT / "docs" / "studies.md", "toml")
    (tmp_path / "study.toml").write_text(block, encoding="utf-8")
    assert len(runs_of(read_study(tmp_path / "study.toml"))) == 15
    for path in (ROOT / "studies").glob("*.toml"):
        assert runs_of(read_study(path))


def test_the_measures_page_is_up_to_date():
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        from make_measures_page import page
    finally:
        sys.path.pop(0)
    written = (ROOT / "docs" / "measures.md").read_text(encoding="utf-8")
    assert page(written) == written, "docs/measures.md is not up to date: run `make docs`"
    for definition in DEFINITIONS.values():
        assert f"`{definition.key}`" in written


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_readme_names_its_two_commands():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in readme
    assert "make test" in readme
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
