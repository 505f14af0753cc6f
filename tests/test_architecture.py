"""The shape of the package: imports flow one way, and looking around costs nothing."""

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest

import isogloss

SOURCE = Path(isogloss.__file__).parent

MAY_IMPORT = {
    "errors": set(),
    "_version": set(),
    "files": {"errors"},
    "items": set(),
    "corpus": {"errors", "files", "items"},
    "batching": {"errors", "items"},
    "encoding": {"errors", "files", "corpus"},
    "evaluation": {"errors", "_version", "files", "corpus", "encoding"},
    "reporting": {"errors", "_version", "files", "corpus", "batching", "encoding", "evaluation"},
    "exchange": {"errors", "_version", "files", "corpus", "encoding", "evaluation", "reporting"},
    "training": {"errors", "_version", "files", "corpus", "batching", "encoding", "evaluation", "exchange"},
    "search": {"errors", "files", "corpus", "encoding"},
    "integrations": {"errors", "search"},
    "serving": {"errors", "_version", "encoding", "search"},
    "study": {
        "errors",
        "_version",
        "files",
        "corpus",
        "batching",
        "encoding",
        "evaluation",
        "exchange",
        "reporting",
        "training",
    },
    "cli": {
        "errors",
        "_version",
        "files",
        "corpus",
        "batching",
        "encoding",
        "evaluation",
        "training",
        "reporting",
        "exchange",
        "search",
        "serving",
        "study",
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
