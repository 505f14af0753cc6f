"""The HTTP API over a searcher, and the page that asks it."""

from __future__ import annotations

import base64
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import numpy as np
from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from numpy.typing import NDArray
from starlette.exceptions import HTTPException
from starlette.routing import Route

from isogloss._version import __version__
from isogloss.errors import IsoglossError
from isogloss.search import Searcher
from isogloss.search.balance import BALANCES
from isogloss.serving import page
from isogloss.serving import schemas as form
from isogloss.serving.guard import App, Guard, Served
from isogloss.serving.logs import ServerLog
from isogloss.serving.metrics import CONTENT_TYPE
from isogloss.serving.refusals import TYPES, Refused, as_json, error_body
from isogloss.serving.service import Service
from isogloss.serving.settings import ServingSettings

_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": form.ErrorAnswer, "description": name.replace("_", " ").capitalize()}
    for status, name in TYPES.items()
}


def make_app(
    searcher: Searcher, settings: ServingSettings | None = None, log: ServerLog | None = None
) -> App:
    """Make the ASGI application that serves an index.

    Args:
        searcher: the index and its model; whoever opened it closes it, after the application has stopped.
        settings: what to keep to; None takes the defaults.
        log: where to write what happens; None writes to standard error.
    """
    settings = settings or ServingSettings()
    log = log or ServerLog(questions=settings.log_questions)
    service = Service(searcher, settings)

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        try:
            yield
        finally:
            await service.close()

    app = FastAPI(
        title="isogloss",
        description="Search one index in every language at once; vectors of the model that it was made with.",
        version=__version__,
        lifespan=running,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=_ERRORS,
        # Only shown in the description; `Guard` does the check.
        dependencies=[Depends(HTTPBearer(auto_error=False))] if settings.api_key is not None else [],
    )
    _add_errors(app, service, log)
    _add_searching(app, service)
    _add_openai(app, service)
    _add_looking_after(app, service)
    page.add_page(app)
    routes = [route.path for route in app.routes if isinstance(route, Route)]
    routes += [path for path in app.openapi()["paths"] if path not in routes]

    def served(request: Served) -> None:
        service.metrics.served(request)
        log.served(request)

    return Guard(
        app,
        settings,
        routes=routes,
        open_paths=("/health", *page.PATHS),
        served=served,
    )


def _add_searching(app: FastAPI, service: Service) -> None:
    async def answered(asked: form.SearchRequest, request: Request) -> Response:
        began = time.perf_counter()
        facts = request.state.served.facts
        facts["question"] = asked.question
        how = asked.model_dump(exclude={"question"})
        hits = await service.search(asked.question, **how)
        shares = Counter(hit.language for hit in hits)
        facts |= {"hits": len(hits), "languages": dict(shares), "balance": asked.balance}
        return _json(
            {
                "hits": [hit.as_record() for hit in hits],
                "languages": {language: count / len(hits) for language, count in shares.most_common()},
                "seconds": round(time.perf_counter() - began, 6),
            }
        )

    @app.post("/search", response_model=form.SearchAnswer, operation_id="search", summary="Find passages")
    async def search(asked: form.SearchRequest, request: Request) -> Response:
        return await answered(asked, request)

    @app.get(
        "/search",
        response_model=form.SearchAnswer,
        operation_id="search_by_address",
        summary="Find passages, asked in the address",
    )
    async def search_by_address(asked: Annotated[form.SearchRequest, Query()], request: Request) -> Response:
        return await answered(asked, request)

    @app.post("/embed", response_model=form.EmbedAnswer, operation_id="embed", summary="Encode texts")
    async def embed(asked: form.EmbedRequest, request: Request) -> Response:
        began = time.perf_counter()
        request.state.served.facts["texts"] = len(asked.texts)
        vectors = await service.embed(asked.texts, asked.side, "texts")
        return _json(
            {
                "vectors": vectors.tolist(),
                "dimension": service.dimension,
                "model": service.model,
                "seconds": round(time.perf_counter() - began, 6),
            }
        )


def _add_openai(app: FastAPI, service: Service) -> None:
    @app.post(
        "/v1/embeddings",
        response_model=form.OpenAIAnswer,
        operation_id="openai_embeddings",
        summary="Encode texts, as with OpenAI's API",
    )
    async def embeddings(asked: form.OpenAIRequest, request: Request) -> Response:
        if asked.model not in (None, service.model):
            raise Refused(404, f"the model served is {service.model}", param="model")
        if asked.dimensions not in (None, service.dimension):
            raise Refused(422, f"the model's vectors have {service.dimension} dimensions", param="dimensions")
        texts = [asked.input] if isinstance(asked.input, str) else asked.input
        request.state.served.facts["texts"] = len(texts)
        vectors = await service.embed(texts, asked.input_type, "input")
        tokens = await service.count_tokens(texts)
        pack = _base64 if asked.encoding_format == "base64" else _floats
        return _json(
            {
                "object": "list",
                "data": [
                    {"object": "embedding", "index": index, "embedding": pack(vector)}
                    for index, vector in enumerate(vectors)
                ],
                "model": service.model,
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
            }
        )

    @app.get(
        "/v1/models", response_model=form.OpenAIModels, operation_id="openai_models", summary="The model"
    )
    async def models() -> Response:
        model = form.OpenAIModel(id=service.model)
        return _json(form.OpenAIModels(data=[model]).model_dump())


def _add_looking_after(app: FastAPI, service: Service) -> None:
    @app.get(
        "/health", response_model=form.Health, operation_id="health", summary="Whether it works; needs no key"
    )
    async def health() -> Response:
        if service.stopping:
            return _json({"status": "stopping"}, 503)
        return _json({"status": "ok"})

    @app.get("/about", response_model=form.About, operation_id="about", summary="What is served")
    async def about() -> Response:
        settings = service.settings
        limits = {name: getattr(settings, name) for name in form.Limits.model_fields}
        limits["texts"] = service.most_texts
        return _json(
            {
                "version": __version__,
                "model": service.model,
                "dimension": service.dimension,
                "words": service.has_words,
                "passages": await service.passages(),
                "balances": list(BALANCES),
                "limits": limits,
            }
        )

    @app.get("/metrics", operation_id="metrics", summary="Figures for Prometheus", response_class=_Prometheus)
    async def metrics() -> Response:
        return _Prometheus(service.metrics.as_text(await service.passages()))


def _add_errors(app: FastAPI, service: Service, log: ServerLog) -> None:
    """Give every error the one form, and let none say more than its client may know."""

    async def refused(_: Request, error: Any) -> Response:
        return Response(error.body(), error.status, headers=error.headers, media_type="application/json")

    async def ours(request: Request, error: Any) -> Response:
        refusal = service.refusal(error)
        if refusal.status >= 500:
            log.failed(request.state.served.number, error)
        return await refused(request, refusal)

    async def of_http(_: Request, error: Any) -> Response:
        messages = {404: "there is nothing at this address; /openapi.json lists what there is"}
        message = messages.get(error.status_code, str(error.detail))
        return Response(
            error_body(error.status_code, message),
            error.status_code,
            headers=error.headers,
            media_type="application/json",
        )

    async def invalid(_: Request, error: Any) -> Response:
        # What was sent is not sent back: it may be anything.
        first = error.errors()[0]
        place = [str(part) for part in first["loc"][1:]]
        if first["type"] == "json_invalid":
            return Response(
                error_body(400, f"the body is no JSON, at character {first['loc'][-1]}"),
                400,
                media_type="application/json",
            )
        name = ".".join(place) or None
        said = first["msg"].removeprefix("Value error, ")
        message = f"{name}: {said}" if name else f"{first['loc'][0]}: {said}"
        if place == [] and first["loc"][0] == "body":
            message += "; send a JSON object with Content-Type: application/json"
        return Response(error_body(422, message, name), 422, media_type="application/json")

    async def unforeseen(request: Request, _: Any) -> Response:
        number = request.state.served.number
        return Response(
            error_body(500, f"something went wrong in the server: {number}"),
            500,
            media_type="application/json",
        )

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(IsoglossError, ours)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, unforeseen)


class _Prometheus(Response):
    media_type = CONTENT_TYPE


def _json(value: Any, status: int = 200) -> Response:
    return Response(as_json(value), status, media_type="application/json")


def _floats(vector: NDArray[np.float32]) -> Any:
    return vector.tolist()


def _base64(vector: NDArray[np.float32]) -> Any:
    return base64.b64encode(np.ascontiguousarray(vector, dtype="<f4").tobytes()).decode("ascii")
