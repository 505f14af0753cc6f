"""The retriever in the real LangChain."""

import asyncio
import sys

import pytest

from isogloss.errors import ModelError, RecipeError

pytest.importorskip("langchain_core", reason="needs isogloss[langchain]")
from langchain_core.runnables import RunnableLambda

from isogloss.integrations.langchain import IsoglossRetriever


def test_documents_are_the_searchers_hits(searcher):
    retriever = IsoglossRetriever(searcher=searcher, top_k=5, balance="quota")
    documents = retriever.invoke("gold is heavy")
    hits = searcher.search("gold is heavy", top_k=5, balance="quota", words=False)
    assert [document.page_content for document in documents] == [hit.text for hit in hits]
    assert documents[0].id == "en-3@en"
    assert documents[0].metadata == {
        "number": 3, "topic": ["a", "en"], "id": "en-3", "language": "en", "rank": 1, "score": hits[0].score,
    }  # fmt: skip


def test_titles_and_the_way_of_searching_of_one_call(searcher):
    retriever = IsoglossRetriever(searcher=searcher, words=True)
    (document,) = retriever.invoke("water", languages=["en"], where=["number=0"], top_k=3)
    assert document.metadata["title"] == "<i>Water</i> & fire"
    with pytest.raises(RecipeError, match="the index has"):
        retriever.invoke("water", languages=["fr"])


def test_it_is_a_part_of_a_chain_and_awaits(searcher):
    retriever = IsoglossRetriever(searcher=searcher, languages=("zh",))
    chain = retriever | RunnableLambda(lambda documents: [one.metadata["language"] for one in documents])
    assert chain.invoke("火是热的") == ["zh", "zh"]
    assert asyncio.run(chain.ainvoke("火是热的")) == ["zh", "zh"]
    assert [len(one) for one in retriever.batch(["火是热的", "水是湿的"])] == [2, 2]


def test_without_langchain_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "langchain_core.retrievers", None)
    monkeypatch.delitem(sys.modules, "isogloss.integrations.langchain")
    with pytest.raises(ModelError, match=r"isogloss\[langchain\]"):
        import isogloss.integrations.langchain  # noqa: F401
