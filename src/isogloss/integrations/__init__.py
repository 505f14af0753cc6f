"""An index as a retriever of other frameworks: a module each, which needs that framework.

`isogloss.integrations.langchain` with the extra `langchain`; `isogloss.integrations.llama_index` with `llama-index`.
"""
