"""The recipes that are scripts run, on the readers' fixtures in the places of the downloads."""

import re
import shlex
from pathlib import Path

from isogloss.cli import main
from isogloss.corpus import read_corpus
from tests.corpus.published.reading import fixture

SCRIPT = Path(__file__).parents[1] / "recipes" / "published-mixture.sh"

DOWNLOADS = {
    "WikiQACorpus": "wikiqa",
    "mr-tydi": "mr-tydi-hub",
    "yahoo-answers": "sentence-transformers",
    "entity-questions": "entity-questions-dpr",
}


def test_the_published_mixture_becomes_corpora(tmp_path):
    data, out = tmp_path / "downloads", tmp_path / "corpora"
    data.mkdir()
    lines = [line for line in SCRIPT.read_text(encoding="utf-8").splitlines() if line.startswith("isogloss ")]
    for name in set(re.findall(r"\$DATA/([\w-]+)", "\n".join(lines))):
        (tmp_path / "made").mkdir(exist_ok=True)
        fixture(tmp_path / "made", DOWNLOADS.get(name, name)).rename(data / name)
    for line in lines:
        words = shlex.split(line.replace("$DATA", str(data)).replace("$OUT", str(out)))
        assert exit_code(words[1:]) == 0, line
    made = {path.name for path in out.iterdir()}
    assert len(made) == len(lines)  # a corpus a line, and stats.md
    assert read_corpus(out / "mmarco").languages == ("de", "en")
    table = (out / "stats.md").read_text(encoding="utf-8")
    for name in ("wikiqa", "mr-tydi", "yahoo-answers", "mmarco", "all"):
        assert f"| {name} |" in table


def exit_code(words):
    try:
        main(words)
    except SystemExit as exit_:
        return exit_.code or 0
    return 0
