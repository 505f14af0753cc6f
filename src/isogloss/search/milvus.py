"""Milvus: a file with Milvus Lite, or a standalone or distributed cluster by its address; nothing else differs.

A collection has the row as its key, the language as a scalar field with an inverted index, and the vector, with inner
products. No word of a user's is put into Milvus's expressions: conditions on metadata are looked up among the passages
(`milvus_generation`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isogloss.corpus.languages import standard_language
from isogloss.errors import DataError, ModelError
from isogloss.search.backend import Ranked, best_first

M, EF_CONSTRUCTION, EF = 32, 200, 128
"""Of the graph (Malkov and Yashunin 2018, arXiv 1603.09320): neighbours a vector, candidates in building and search."""
_ADDED_AT_ONCE = 1000
_REMOVED_AT_ONCE = 10_000
MOST_FOUND = 16_384
"""Milvus's own limit of results."""


class MilvusCollection:
    """Vectors in a Milvus collection, found approximately by an HNSW graph.

    Args:
        address: a file for Milvus Lite, or the address of a server, `http://...`.
        collection: the collection's name.
        dimension: numbers a vector.
        create: whether a collection that is not there is made.
        token: of the server, `user:password` or an API key.

    Raises:
        ModelError: pymilvus is not installed.
        DataError: the server or the file cannot be opened, or the collection is not there.
    """

    def __init__(
        self,
        address: str | Path,
        collection: str,
        dimension: int,
        *,
        create: bool = False,
        token: str | None = None,
    ) -> None:
        self.address = str(address)
        self.collection = collection
        self.dimension = dimension
        try:
            import pymilvus

            if not is_server(self.address):
                import milvus_lite  # noqa: F401 - pymilvus looks for it only later, with another error
        except ImportError as error:
            raise ModelError(
                f"{self.address}: Milvus needs a client: pip install 'isogloss[milvus]'"
            ) from error
        # It prints each error that it also raises.
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
        with self._reported("opened"):
            self._client: Any = pymilvus.MilvusClient(self.address, **({"token": token} if token else {}))
        try:
            with self._reported("opened"):
                if not self._client.has_collection(collection):
                    if not create:
                        raise DataError(
                            f"{self.address}: has no collection {collection}; bring the index up to date with"
                            " `isogloss index`"
                        )
                    self._create(pymilvus)
                self._client.load_collection(collection)
        except BaseException:
            self._client.close()
            raise

    def nearest(
        self, queries: NDArray[np.float32], count: int, language: str | None = None, last: int | None = None
    ) -> list[Ranked]:
        """Find the rows nearest to each query, of all that are there.

        Args:
            queries: float32, shape (queries, dimension), unit length.
            count: rows a query, at most, and at most `MOST_FOUND`.
            language: of this language alone.
            last: the last row that may be found; None for any.

        Returns:
            The ranked rows of each query.

        Raises:
            DataError: the server does not answer.
        """
        # A language's name comes from a registry, or is refused.
        conditions = [] if language is None else [f'language == "{standard_language(language)}"']
        if last is not None:
            conditions.append(f"row <= {int(last)}")
        count = min(count, MOST_FOUND)
        with self._reported("searched"):
            hits = self._client.search(
                self.collection,
                data=list(queries),
                anns_field="vector",
                limit=count,
                filter=" and ".join(conditions),
                output_fields=["row"],
                search_params={"metric_type": "IP", "params": {"ef": max(EF, count)}},
            )
        return [best_first((int(hit["row"]), float(hit["distance"])) for hit in of) for of in hits]

    def add(self, rows: NDArray[np.int64], languages: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """As `WritableBackend.add`."""
        with self._reported("filled"):
            for start in range(0, len(rows), _ADDED_AT_ONCE):
                part = slice(start, start + _ADDED_AT_ONCE)
                self._client.upsert(
                    self.collection,
                    [
                        {"row": int(row), "language": language, "vector": vector}
                        for row, language, vector in zip(
                            rows[part], languages[part], vectors[part], strict=True
                        )
                    ],
                )

    def remove(self, rows: NDArray[np.int64]) -> None:
        """As `WritableBackend.remove`."""
        with self._reported("changed"):
            for start in range(0, len(rows), _REMOVED_AT_ONCE):
                part = [int(row) for row in rows[start : start + _REMOVED_AT_ONCE]]
                self._client.delete(self.collection, ids=part)

    def rows(self) -> NDArray[np.int64]:
        """As `WritableBackend.rows`."""
        found: list[int] = []
        with self._reported("read"):
            iterator = self._client.query_iterator(
                self.collection, batch_size=1000, filter="row >= 0", output_fields=["row"]
            )
            while part := iterator.next():
                found.extend(int(one["row"]) for one in part)
            iterator.close()
        return np.sort(np.array(found, np.int64))

    def count(self) -> int:
        """As `WritableBackend.count`."""
        with self._reported("read"):
            return int(self._client.query(self.collection, output_fields=["count(*)"])[0]["count(*)"])

    def settle(self) -> None:
        """As `WritableBackend.settle`."""
        with self._reported("written"):
            self._client.flush(self.collection)

    def describe(self) -> dict[str, Any]:
        """Say what it is."""
        return {
            "backend": "milvus",
            "index": f"HNSW, M {M}, efConstruction {EF_CONSTRUCTION}, ef {EF} or the number wanted",
            "collection": self.collection,
        }

    def close(self) -> None:
        """Close the connection, or the file."""
        self._client.close()

    def _create(self, pymilvus: Any) -> None:
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("row", pymilvus.DataType.INT64, is_primary=True)
        schema.add_field("language", pymilvus.DataType.VARCHAR, max_length=64)
        schema.add_field("vector", pymilvus.DataType.FLOAT_VECTOR, dim=self.dimension)
        indexes = self._client.prepare_index_params()
        indexes.add_index(
            "vector", index_type="HNSW", metric_type="IP", params={"M": M, "efConstruction": EF_CONSTRUCTION}
        )
        indexes.add_index("language", index_type="INVERTED")
        self._client.create_collection(
            self.collection, schema=schema, index_params=indexes, consistency_level="Strong"
        )

    @contextmanager
    def _reported(self, what: str) -> Iterator[None]:
        try:
            yield
        except DataError:
            raise
        except Exception as error:  # gRPC's, pymilvus's and Milvus Lite's have no common base
            said = getattr(error, "message", None) or str(error)
            raise DataError(
                f"Milvus at {self.address}: cannot be {what}: {said.strip()}; is the server running, and the file not"
                " open elsewhere?"
            ) from error


def is_server(address: str) -> bool:
    """Tell whether an address is a server's, and not a file."""
    return address.startswith(("http://", "https://", "tcp://", "unix:"))
