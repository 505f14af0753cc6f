"""The container files can be read, and go together; no container engine is needed."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
yaml = pytest.importorskip("yaml")


@pytest.fixture
def services():
    return yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))


def container_commands():
    text = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    return [line.split(maxsplit=1) for line in lines if line.strip()]


def test_services_name_each_other_and_their_volumes(services):
    assert set(services["services"]) == {"etcd", "minio", "milvus", "search"}
    for service in services["services"].values():
        assert set(service.get("depends_on", {})) <= set(services["services"])
        for name in service.get("depends_on", {}):
            assert "healthcheck" in services["services"][name]
        for volume in service["volumes"]:
            assert volume.split(":")[0] in services["volumes"]
        if "image" in service:
            assert re.search(r":[\w.-]*\d", service["image"]), "a version is pinned"


def test_only_the_search_server_can_be_reached_and_only_with_a_key(services):
    reached = {name: service["ports"] for name, service in services["services"].items() if "ports" in service}
    assert reached == {"search": ["127.0.0.1:8000:8000"]}
    assert services["services"]["search"]["environment"]["ISOGLOSS_API_KEY"].startswith(
        "${ISOGLOSS_API_KEY:?"
    )
    assert "minioadmin" not in json.dumps(services)


def test_the_commands_are_those_of_the_command_line(services):
    from typer.main import get_command

    from isogloss.cli.app import app

    words = dict(container_commands())
    assert json.loads(words["ENTRYPOINT"]) == ["isogloss"]
    serve = get_command(app).commands["serve"]
    for command in (json.loads(words["CMD"]), services["services"]["search"]["command"]):
        assert command[0] == "serve"
        parsed = serve.make_context("serve", command[1:])
        assert parsed.params["host"] == "0.0.0.0"
        assert str(parsed.params["index"]).startswith("/index")


def test_the_image_copies_what_there_is_and_runs_without_rights():
    commands = container_commands()
    for word, rest in commands:
        if word == "COPY" and not rest.startswith("--from"):
            for name in rest.split()[:-1]:
                assert (ROOT / name).exists(), name
    assert ["USER", "10001"] in commands
    extras = re.search(r"'\.\[([\w,]+)\]'", next(rest for word, rest in commands if "pip install" in rest))[1]
    known = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for extra in extras.split(","):
        assert re.search(rf"^{extra} = \[", known, re.MULTILINE)
