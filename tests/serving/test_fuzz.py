"""Requests made up from the API's own description: none may break the server."""

import pytest

schemathesis = pytest.importorskip("schemathesis", reason="needs schemathesis")
from hypothesis import HealthCheck, Phase, assume, given, settings  # noqa: E402
from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
LONGEST_HEAD = 60_000
MODES = {
    "/search": schemathesis.GenerationMode,
    "/embed": schemathesis.GenerationMode,
    "/v1/embeddings": schemathesis.GenerationMode,
    # Nothing can be wrong where nothing is taken.
    **dict.fromkeys(("/v1/models", "/health", "/about", "/metrics"), (schemathesis.GenerationMode.POSITIVE,)),
}


def test_every_path_is_tried(server):
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    assert {found.ok().path for found in schema.get_all_operations()} == set(MODES)


@pytest.mark.parametrize("path", MODES)
def test_no_request_that_can_be_made_up_breaks_the_server(server, path):
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    for found in schema.get_all_operations():
        if found.ok().path == path:
            for mode in MODES[path]:
                assert fuzz(found.ok().as_strategy(generation_mode=mode)) > 0


def fuzz(cases):
    """Send requests, and return how many."""
    sent = []

    @settings(
        max_examples=25,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def one(case):
        # What does not fit into a request's head is hung up on; it never comes to the API.
        assume(len(case.as_curl_command()) < LONGEST_HEAD)
        sent.append(case.call_and_validate(checks=CHECKS).status_code)

    one()
    return len(sent)
