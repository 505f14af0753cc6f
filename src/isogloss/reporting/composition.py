"""What the batches of a run hold, as tables."""

from __future__ import annotations

from isogloss.batching import Composition
from isogloss.reporting.tables import Table, figure


def composition_tables(composition: Composition, kind: str, batch_size: int, seed: int) -> list[Table]:
    """Tables of the kinds of batches, the languages, the ordered pairs and the datasets."""
    batches, pairs = composition.batches, composition.pairs
    modes = tuple(
        (mode, str(count), f"{count / batches:.1%}")
        for mode, count in composition.mode_batches.items()
        if count
    )
    title = (
        f"plan {kind}, seed {seed}: {batches} batches of {batch_size} pairs; alpha planned "
        f"{composition.planned_alpha:.3f}, realised {composition.realised_alpha:.3f}"
    )
    languages = tuple(
        (
            language,
            str(count),
            f"{count / pairs:.1%}",
            str(composition.passage_languages[language]),
            f"{composition.passage_languages[language] / pairs:.1%}",
        )
        for language, count in composition.query_languages.items()
    )
    names = tuple(composition.query_languages)
    matrix = tuple(
        (query, *(str(composition.language_pairs.get((query, passage), 0)) for passage in names))
        for query in names
    )
    datasets = tuple(
        (share.name, str(share.usable_items), str(share.batches), str(share.pairs), figure(share.epochs, 2))
        for share in composition.datasets
    )
    return [
        Table(title, ("batches", "number", "share"), modes),
        Table("pairs by language", ("language", "as query", "share", "as passage", "share"), languages),
        Table("pairs by query language (rows) and passage language (columns)", ("", *names), matrix),
        Table("datasets", ("dataset", "items", "batches", "pairs", "epochs"), datasets),
    ]
