"""Everything that isogloss raises on purpose.

    IsoglossError                 catch this to catch them all; the command line prints it and exits with 2
    ├── DataError                 what was read is wrong: says the file and line, the id, the language
    │   ├── CorpusError           a parallel corpus or one of its records
    │   └── BenchmarkError        a retrieval benchmark: its files, checksums, qrels
    ├── PlanError                 no batch of the wanted plan can be drawn from these data
    ├── RecipeError               a recipe, option or combination of options is not valid
    ├── ModelError                a model cannot be found, loaded or made
    ├── EvaluationError           scores or qrels that cannot be measured
    ├── OutputError               an output cannot be written, or would overwrite something
    └── Interrupted               stopped by a signal; what was done is kept (exit code 130)

Every message says what is wrong, where, and what to do about it.
"""

from __future__ import annotations


class IsoglossError(Exception):
    """Base of all errors that isogloss raises on purpose."""


class DataError(IsoglossError):
    """Input data are wrong."""


class CorpusError(DataError):
    """A parallel corpus, or a record in one, is wrong."""


class BenchmarkError(DataError):
    """A retrieval benchmark is missing, incomplete or not the expected one."""


class PlanError(IsoglossError):
    """No batch of the wanted plan can be drawn from these data."""


class RecipeError(IsoglossError):
    """A recipe or an option is not valid."""


class ModelError(IsoglossError):
    """A model cannot be found, loaded or made."""


class EvaluationError(IsoglossError):
    """Scores, candidates or qrels cannot be measured."""


class OutputError(IsoglossError):
    """An output cannot be written, or would overwrite something."""


class Interrupted(IsoglossError):  # noqa: N818 - nothing went wrong
    """Stopped by a signal; what was done is kept."""
