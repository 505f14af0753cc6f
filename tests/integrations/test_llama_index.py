"""The retriever in the real LlamaIndex."""

import asyncio
import sys

import pytest

from isogloss.errors import ModelError, RecipeError

pytest.importorskip("llama_index.core", reason="needs isogloss[llama-index]")
from llama_index.core.schema import MetadataMode

from isogloss.integrations.llama_index import IsoglossRetriever


def test_nodes_are_the_searchers_hits(searcher):
    retriever = IsoglossRetriever(searcher, top_k=5, balance="centred")
    nodes = retriever.retrieve("gold is heavy")
    hits = searcher.search("gold is heavy", top_k=5, balance="centred", words=False)
    assert [(one.node.text, one.score) for one in nodes] == [(hit.text, hit.score) for hit in hits]
    assert nodes[0].node.id_ == "en-3@en"
    assert nodes[0].node.metadata["topic"] == ["a", "en"]


def test_a_language_model_is_shown_title_and_language(searcher):
    retriever = IsoglossRetriever(searcher, languages=["en"], where=["number=0"], words=True)
    (found,) = retriever.retrieve("water is wet")
    shown = found.node.get_content(MetadataMode.LLM)
    assert "language: en" in shown
    assert "title: <i>Water</i> & fire" in shown
    assert shown.endswith("water is wet")
    assert "score" not in shown
    assert "number" not in shown


def test_it_awaits(searcher):
    retriever = IsoglossRetriever(searcher, languages=["zh"])
    nodes = asyncio.run(retriever.aretrieve("火是热的"))
    assert [one.node.metadata["language"] for one in nodes] == ["zh", "zh"]


def test_what_is_wrong_is_said_at_once(searcher):
    with pytest.raises(RecipeError, match="the index has"):
        IsoglossRetriever(searcher, languages=["fr"])


def test_without_llama_index_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "llama_index.core.retrievers", None)
    monkeypatch.delitem(sys.modules, "isogloss.integrations.llama_index")
    with pytest.raises(ModelError, match=r"isogloss\[llama-index\]"):
        import isogloss.integrations.llama_index  # noqa: F401
