"""An index as a LangChain retriever.

retriever = IsoglossRetriever(searcher=Searcher.open("faq-index"), balance="quota")
retriever.invoke("Why do I sleep badly after coffee?")
retriever.invoke("Why do I sleep badly after coffee?", languages=["de"], top_k=3)
"""

from __future__ import annotations

from typing import Any

from isogloss.errors import ModelError
from isogloss.integrations.hits import metadata_of, unique_id
from isogloss.search import Searcher

try:
    from langchain_core.callbacks import CallbackManagerForRetrieverRun
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever
    from pydantic import ConfigDict
except ImportError as error:
    raise ModelError(f"the retriever needs {error.name}: pip install 'isogloss[langchain]'") from error


class IsoglossRetriever(BaseRetriever):
    """Finds passages of an index, in every language.

    A document's id is the passage's with its language; its metadata are the passage's, and its `id`, `language`,
    `title`, `rank` and `score`. The fields but the first can be given with each call too.

    Attributes:
        searcher: the index and its model; whoever opened it closes it.
        top_k: passages a question, at most.
        languages: of these alone; empty for all.
        where: conditions on metadata, see `isogloss.search.filters`.
        balance: ``none``, ``quota`` or ``centred``, see `isogloss.search.balance`.
        words: whether to rank by words too.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    searcher: Searcher
    top_k: int = 10
    languages: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    balance: str = "none"
    words: bool = False

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **how: Any
    ) -> list[Document]:
        given: dict[str, Any] = {
            "top_k": self.top_k,
            "languages": self.languages,
            "where": self.where,
            "balance": self.balance,
            "words": self.words,
        }
        hits = self.searcher.search(query, **{**given, **how})
        return [Document(page_content=hit.text, metadata=metadata_of(hit), id=unique_id(hit)) for hit in hits]
