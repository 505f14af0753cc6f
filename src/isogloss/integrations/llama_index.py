"""An index as a LlamaIndex retriever.

retriever = IsoglossRetriever(Searcher.open("faq-index"), balance="quota")
retriever.retrieve("Why do I sleep badly after coffee?")
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from isogloss.errors import ModelError
from isogloss.integrations.hits import metadata_of, unique_id
from isogloss.search import Searcher

try:
    from llama_index.core.callbacks import CallbackManager
    from llama_index.core.retrievers import BaseRetriever
    from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
except ImportError as error:
    raise ModelError(f"the retriever needs {error.name}: pip install 'isogloss[llama-index]'") from error

_NOT_FOR_THE_MODEL = ["id", "rank", "score"]


class IsoglossRetriever(BaseRetriever):
    """Finds passages of an index, in every language.

    A node's id is the passage's with its language; its metadata are the passage's, and its `id`, `language`, `title`,
    `rank` and `score`, of which a language model is shown the language and the title.

    Args:
        searcher: the index and its model; whoever opened it closes it.
        top_k: passages a question, at most.
        languages: of these alone; empty for all.
        where: conditions on metadata, see `isogloss.search.filters`.
        balance: ``none``, ``quota`` or ``centred``, see `isogloss.search.balance`.
        words: whether to rank by words too.
        callback_manager: LlamaIndex's.

    Raises:
        RecipeError: an argument is wrong, or the index has no such language.
    """

    def __init__(
        self,
        searcher: Searcher,
        *,
        top_k: int = 10,
        languages: Iterable[str] = (),
        where: Iterable[str] = (),
        balance: str = "none",
        words: bool = False,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        self._searcher = searcher
        self._top_k, self._balance, self._words = top_k, balance, words
        self._languages, self._where = tuple(languages), tuple(where)
        searcher.request(
            top_k=top_k, languages=self._languages, where=self._where, balance=balance, words=words
        )
        super().__init__(callback_manager=callback_manager)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        hits = self._searcher.search(
            query_bundle.query_str,
            top_k=self._top_k,
            languages=self._languages,
            where=self._where,
            balance=self._balance,
            words=self._words,
        )
        return [
            NodeWithScore(
                node=TextNode(
                    id_=unique_id(hit),
                    text=hit.text,
                    metadata=metadata_of(hit),
                    excluded_llm_metadata_keys=[*_NOT_FOR_THE_MODEL, *hit.metadata],
                ),
                score=hit.score,
            )
            for hit in hits
        ]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)
