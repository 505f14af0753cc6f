"""From an evaluation to an audit on disk: the page, what it rests on, and its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from isogloss.corpus import RetrievalBenchmark
from isogloss.evaluation import Evaluation, write_per_query, write_results
from isogloss.evaluation.model_evaluation import EncodedBenchmark
from isogloss.evaluation.score_histogram import score_histogram
from isogloss.evaluation.significance import read_saved_runs
from isogloss.evaluation.significance.intervals import figure_intervals
from isogloss.evaluation.worst_queries import worst_queries
from isogloss.files import finished_file, finished_folder
from isogloss.reporting.audit.earlier import COMPARED, earlier_table
from isogloss.reporting.audit.findings import QUALITY, Findings, findings
from isogloss.reporting.audit.forms import write_tables
from isogloss.reporting.audit.page import audit_page


def write_audit(
    folder: Path,
    results: Mapping[str, Any],
    evaluation: Evaluation,
    encoded: EncodedBenchmark,
    benchmark: RetrievalBenchmark,
    *,
    page: Path | None = None,
    against: Sequence[Path] = (),
    worst: int = 10,
    command: str = "",
) -> Findings:
    """Write an audit, whole or not at all.

    Args:
        folder: a new folder for results.json, per_query.parquet and the tables.
        results: as `results.json` holds them.
        evaluation: the figures, with the second pass.
        encoded: the vectors they come from.
        benchmark: what was asked.
        page: a new file for the page; None puts it into the folder as index.html.
        against: folders of earlier audits or evaluations of the same data.
        worst: how many of the worst queries to show.
        command: how the audit is made, for the page.

    Raises:
        DataError: an earlier audit cannot be read, or is of other data.
        OutputError: something is there already, or cannot be written.
    """
    with finished_folder(folder) as unfinished:
        write_results(results, unfinished / "results.json")
        write_per_query(evaluation, unfinished / "per_query.parquet")
        found = findings(
            results,
            benchmark,
            score_histogram(
                evaluation.pool,
                encoded.query_vectors,
                encoded.candidate_vectors,
                encoded.query_index,
                encoded.candidate_index,
            ),
            worst_queries(evaluation, worst) if worst else [],
            figure_intervals(read_saved_runs([unfinished], QUALITY).paired),
            earlier=[
                earlier_table(read_saved_runs([before, unfinished], COMPARED), before) for before in against
            ],
            command=command,
        )
        write_tables(found, unfinished / "tables")
        text = audit_page(found)
        if page is None:
            (unfinished / "index.html").write_text(text, encoding="utf-8")
        else:
            with finished_file(page, overwrite=False) as temporary:
                temporary.write_text(text, encoding="utf-8")
    return found
