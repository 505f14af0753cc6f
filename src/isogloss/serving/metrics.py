"""What the server counts, in Prometheus's text form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from isogloss.serving.guard import Served

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counters of one server, apart from those of any other in the process.

    Args:
        waiting: gives the texts that wait for the model.
    """

    def __init__(self, waiting: Callable[[], float]) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "isogloss_requests", "Requests.", ("route", "method", "status"), registry=self._registry
        )
        self.seconds = Histogram(
            "isogloss_request_seconds",
            "From a request's head to the end of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.batch_texts = Histogram(
            "isogloss_batch_texts", "Texts encoded at once.", buckets=_TEXTS, registry=self._registry
        )
        self.batch_seconds = Histogram(
            "isogloss_batch_seconds", "Encoding a batch.", buckets=_SECONDS, registry=self._registry
        )
        self.answer_seconds = Histogram(
            "isogloss_answer_seconds", "Searching the index.", buckets=_SECONDS, registry=self._registry
        )
        self.hits = Counter(
            "isogloss_hits", "Passages found, by their language.", ("language",), registry=self._registry
        )
        self.passages = Gauge(
            "isogloss_passages", "Passages of the index.", ("language",), registry=self._registry
        )
        Gauge(
            "isogloss_waiting_texts", "Texts that wait for the model.", registry=self._registry
        ).set_function(waiting)
        ProcessCollector(registry=self._registry)

    def batch_done(self, texts: int, seconds: float) -> None:
        """A batch was encoded."""
        self.batch_texts.observe(texts)
        self.batch_seconds.observe(seconds)

    def found(self, languages: Iterable[str]) -> None:
        """Passages of these languages were found."""
        for language in languages:
            self.hits.labels(language).inc()

    def served(self, request: Served) -> None:
        """A request is over."""
        self.requests.labels(request.route, request.method, str(request.status)).inc()
        self.seconds.labels(request.route).observe(request.seconds)

    def as_text(self, passages: Mapping[str, int]) -> bytes:
        """Write all figures; `passages` are those of the index now, by language."""
        self.passages.clear()
        for language, count in passages.items():
            self.passages.labels(language).set(count)
        return generate_latest(self._registry)
