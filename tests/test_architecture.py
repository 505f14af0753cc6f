"""The shape of the package: imports flow one way, and looking around costs nothing."""

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest

import isogloss

SOURCE = Path(isogloss.__file__).parent

BASE = {"errors", "files"}
RESULTS = {"_version", "corpus", "encoding", "evaluation"}

MAY_IMPORT = {
    "errors": set(),
    "_version": set(),
    "files": {"errors"},
    "items": set(),
    "corpus": {*BASE, "items"},
    "batching": {"errors", "items"},
    "endpoints": {"errors"},
    "translation": {*BASE, "corpus", "endpoints"},
    "encoding": {*BASE, "corpus", "endpoints"},
    "cleaning": {*BASE, "corpus", "encoding"},
    "search": {*BASE, "corpus", "encoding"},
    "evaluation": {*BASE, "_version", "corpus", "encoding"},
    "reporting": {*BASE, *RESULTS, "batching", "cleaning"},
    "exchange": {*BASE, *RESULTS, "reporting"},
    "mining": {*BASE, "corpus", "encoding", "evaluation", "reporting"},
    "training": {*BASE, *RESULTS, "batching", "cleaning", "exchange"},
    "study": {*BASE, *RESULTS, "batching", "exchange", "reporting", "training"},
    "export": {*BASE, *RESULTS},
    "integrations": {"errors", "search"},
    "serving": {"errors", "_version", "encoding", "search"},
    "cli": {
        *BASE,
        *RESULTS,
        "batching",
        "cleaning",
        "exchange",
        "export",
        "mining",
        "reporting",
        "search",
        "serving",
        "study",
        "training",
        "translation",
    },
    "__main__": {"cli"},
}


def imported_parts(path: Path) -> set[str]:
    parts = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            assert node.level == 0, f"{path}: a relative import"
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        parts |= {name.split(".")[1] for name in names if name.startswith("isogloss.")}
    return parts


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_flow_one_way(path):
    part = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    if part == "__init__":
        return
    assert imported_parts(path) - {part} <= MAY_IMPORT[part]


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_module_is_one_idea(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_every_exported_name_is_there():
    for name in isogloss.__all__:
        assert getattr(isogloss, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        isogloss.nothing  # noqa: B018


HEAVY = ("torch", "transformers", "sentence_transformers", "scipy", "pyarrow", "pandas", "datasets")


@pytest.mark.parametrize("code", ["import isogloss", "import isogloss.cli.app"])
def test_nothing_heavy_is_imported_to_look_around(code):
    script = f"import sys; {code}; print([name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_help_answers_in_half_a_second():
    command = [sys.executable, "-c", "from isogloss.cli import main; main(['--help'])"]
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.5
