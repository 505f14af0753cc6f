"""What a cleaning did, as figures and examples."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from isogloss.cleaning.translation_quality import Threshold

EXAMPLES_PER_RULE = 5


@dataclass(frozen=True)
class Removal:
    """A removed record, as the report shows it.

    Attributes:
        rule: that removed it.
        value: the figure that the rule went by.
        why: in words.
        place: where the record stands.
        id: of the item; likewise `language`, `query` and `passage`; empty where the record has none.
    """

    rule: str
    value: float
    why: str
    place: str
    id: str
    language: str
    query: str
    passage: str


@dataclass
class CleaningReport:
    """What a cleaning did.

    Attributes:
        source: the corpus.
        records: records read.
        items: items read.
        read: by language, the records read.
        written: by language, the records written.
        removed: by rule and language, the records removed.
        relabelled: by the language said and the language found, the records that got another language.
        normalised: records of which a text was changed by normalisation.
        items_written: items written.
        thresholds: of translation quality.
        examples: of each rule.
        seconds: how long it took.
    """

    source: str
    records: int = 0
    items: int = 0
    read: Counter[str] = field(default_factory=Counter)
    written: Counter[str] = field(default_factory=Counter)
    removed: Counter[tuple[str, str]] = field(default_factory=Counter)
    relabelled: Counter[tuple[str, str]] = field(default_factory=Counter)
    normalised: int = 0
    items_written: int = 0
    thresholds: list[Threshold] = field(default_factory=list)
    examples: list[Removal] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def written_records(self) -> int:
        """Records written."""
        return self.written.total()

    def removed_by(self, rule: str) -> int:
        """Records that a rule removed."""
        return sum(count for (name, _), count in self.removed.items() if name == rule)

    def add_removed(self, removal: Removal) -> None:
        """Count a removed record, and keep it if there are few of its rule."""
        self.removed[removal.rule, removal.language] += 1
        if self.removed_by(removal.rule) <= EXAMPLES_PER_RULE:
            self.examples.append(removal)

    def as_json(self) -> dict[str, Any]:
        """Everything, in JSON's types."""
        rules = dict.fromkeys(rule for rule, _ in self.removed)
        return {
            "source": self.source,
            "records": self.records,
            "items": self.items,
            "read": dict(self.read),
            "written": dict(self.written),
            "items_written": self.items_written,
            "normalised": self.normalised,
            "removed": {
                rule: {language: count for (name, language), count in self.removed.items() if name == rule}
                for rule in rules
            },
            "relabelled": {f"{said}->{found}": count for (said, found), count in self.relabelled.items()},
            "thresholds": [vars(one) for one in self.thresholds],
            "examples": [vars(one) for one in self.examples],
            "seconds": round(self.seconds, 3),
            "records_per_second": round(self.records / self.seconds, 1) if self.seconds else None,
        }
