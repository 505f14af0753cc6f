"""Requests and answers of the API, and what their texts may hold."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from isogloss.search.balance import Balance

# Line feed, carriage return and tab belong to ordinary text.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def check_text(value: str) -> str:
    """Return a text that has something in it, and nothing that is no text.

    Raises:
        ValueError: it has not.
    """
    if not value.strip():
        raise ValueError("the text is empty")
    return check_characters(value)


def check_characters(value: str) -> str:
    """Return a text without control characters and halves of characters.

    Raises:
        ValueError: it has one.
    """
    if found := _SURROGATE.search(value):
        raise ValueError(f"half of a character (U+{ord(found[0]):04X}) at {found.start()}")
    if found := _CONTROL.search(value):
        raise ValueError(f"the control character U+{ord(found[0]):04X} at {found.start()}")
    return value


Text = Annotated[str, Field(min_length=1), AfterValidator(check_text)]
Code = Annotated[str, Field(min_length=1, max_length=35), AfterValidator(check_text)]
Condition = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(check_text)]
Side = Literal["query", "passage"]


class _Request(BaseModel):
    # A misspelt name would otherwise be left out without a word.
    model_config = ConfigDict(extra="forbid")


class SearchRequest(_Request):
    """A question to the index."""

    question: Text = Field(description="In any language.")
    top_k: int = Field(10, ge=1, le=1000, description="Passages to find, at most.")
    languages: list[Code] = Field([], max_length=200, description="Of these languages alone; empty: of all.")
    where: list[Condition] = Field(
        [], max_length=16, description="On metadata, all must hold: 'year>=2020', 'topic in health,travel'."
    )
    balance: Balance = Field(
        "none",
        description="none; quota: an equal share of the places for each language; centred: scores less what a language"
        " as such gains.",
    )
    words: bool = Field(
        False, description="Rank by words too: finds codes and names, and favours the asker's language."
    )


class Hit(BaseModel):
    """A passage that was found."""

    rank: int
    score: float
    id: str
    language: str
    title: str | None
    text: str
    metadata: dict[str, Any]
    similarity: float | None
    words: float | None


class SearchAnswer(BaseModel):
    """What was found."""

    hits: list[Hit]
    languages: dict[str, float] = Field(description="The share of the hits in each language, largest first.")
    seconds: float


class EmbedRequest(_Request):
    """Texts to encode."""

    texts: list[Text] = Field(min_length=1)
    side: Side = Field("query", description="What they are: decides the prompt that is put before them.")


class EmbedAnswer(BaseModel):
    """Vectors of unit length, in the order of the texts."""

    vectors: list[list[float]]
    dimension: int
    model: str
    seconds: float


class OpenAIRequest(BaseModel):
    """OpenAI's request for embeddings, and which side the texts are on."""

    # Clients send fields of their own; what would change the vectors is looked at in the route.
    model_config = ConfigDict(extra="allow")

    input: Text | Annotated[list[Text], Field(min_length=1)]
    model: Annotated[str, AfterValidator(check_characters)] | None = None
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = Field(None, description="The model's own, if it is given.")
    user: Annotated[str, AfterValidator(check_characters)] | None = None
    input_type: Side = Field(
        "query", description="query or passage: decides the prompt that is put before them."
    )


class OpenAIVector(BaseModel):
    """One vector of OpenAI's answer."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class OpenAIUsage(BaseModel):
    """Tokens; 0 where the model's tokens cannot be counted."""

    prompt_tokens: int
    total_tokens: int


class OpenAIAnswer(BaseModel):
    """OpenAI's answer with embeddings."""

    object: Literal["list"] = "list"
    data: list[OpenAIVector]
    model: str
    usage: OpenAIUsage


class OpenAIModel(BaseModel):
    """One model of OpenAI's list."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "isogloss"


class OpenAIModels(BaseModel):
    """OpenAI's list of models: the one that is served."""

    object: Literal["list"] = "list"
    data: list[OpenAIModel]


class Limits(BaseModel):
    """What the server takes."""

    text_characters: int
    texts: int
    body_bytes: int
    top_k: int


class About(BaseModel):
    """What is served."""

    version: str
    model: str
    dimension: int
    words: bool
    passages: dict[str, int] = Field(description="By language.")
    balances: list[str]
    limits: Limits


class Health(BaseModel):
    """Whether the server answers questions."""

    status: Literal["ok", "stopping"]


class ErrorDetail(BaseModel):
    """What is wrong."""

    type: str
    message: str
    param: str | None
    code: int


class ErrorAnswer(BaseModel):
    """Any answer that is an error."""

    error: ErrorDetail
