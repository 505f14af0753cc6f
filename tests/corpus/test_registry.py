import hashlib
import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from isogloss.corpus import fetch_benchmark, known_benchmarks, load_benchmark, read_corpus, registry
from isogloss.errors import BenchmarkError, OutputError
from tests.corpus.making import squad_paragraph

FILES = {
    f"/xquad-r/{language}.json": json.dumps(
        {"data": [{"title": "T", "paragraphs": [squad_paragraph([f"One {language}."], [("q", "one?", 0)])]}]}
    ).encode()
    for language in ("de", "en")
}


class Server(BaseHTTPRequestHandler):
    files = FILES
    requests = ()
    announce = True

    def do_GET(self):
        type(self).requests += (self.path,)
        content = self.files.get(self.path)
        self.send_response(200 if content is not None else 404)
        if self.announce and content is not None:
            self.send_header("Content-Length", str(len(FILES[self.path])))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    """A server with a benchmark of two languages, which the registry takes for the public repository."""
    handler = type("Handler", (Server,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        monkeypatch.setattr(registry, "_BASE_URL", f"http://127.0.0.1:{running.server_port}")
        yield handler
        running.shutdown()


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    """No data folder is named, the cache is empty, and the benchmark is the small one."""
    monkeypatch.delenv("ISOGLOSS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    checksums = {path[9:11]: hashlib.sha256(content).hexdigest() for path, content in FILES.items()}
    small = replace(registry.KNOWN_BENCHMARKS["xquad-r"], checksums=checksums)
    monkeypatch.setattr(registry, "KNOWN_BENCHMARKS", {**registry.KNOWN_BENCHMARKS, "xquad-r": small})
    monkeypatch.setattr(registry, "_BASE_URL", "http://127.0.0.1:9")


def put(folder, **changes):
    (folder / "xquad-r").mkdir(parents=True)
    for path, content in FILES.items():
        (folder / path[1:]).write_bytes(changes.get(path[9:11], content))
    return folder


def test_a_benchmark_is_fetched_whole(server, tmp_path):
    assert fetch_benchmark("xquad-r", tmp_path / "data" / "xquad-r") == tmp_path / "data" / "xquad-r"
    assert {file.name: file.read_bytes() for file in (tmp_path / "data" / "xquad-r").iterdir()} == {
        path[9:]: content for path, content in FILES.items()
    }
    assert load_benchmark("xquad-r", data_dir=tmp_path / "data").languages == ("de", "en")
    with pytest.raises(OutputError, match="not empty"):
        fetch_benchmark("xquad-r", tmp_path / "data" / "xquad-r")


def test_a_named_benchmark_that_is_nowhere_is_fetched_into_the_cache_once(server, tmp_path):
    assert load_benchmark("xquad-r").name == "xquad-r"
    assert (tmp_path / "cache" / "isogloss" / "xquad-r" / "en.json").is_file()
    assert len(server.requests) == 2
    assert read_corpus("xquad-r").ids == ["q"]
    assert len(server.requests) == 2


def test_local_data_are_not_fetched(server, tmp_path, monkeypatch):
    monkeypatch.setenv("ISOGLOSS_DATA", str(put(tmp_path / "data")))
    assert load_benchmark("xquad-r").languages == ("de", "en")
    assert not server.requests


def test_nothing_is_fetched_for_an_explicit_data_folder(server, tmp_path):
    with pytest.raises(BenchmarkError, match="no folder xquad-r in this data folder; leave out --data-dir"):
        load_benchmark("xquad-r", data_dir=tmp_path)
    assert not server.requests


def test_a_file_with_another_checksum_is_refused(server, tmp_path):
    server.files = {**FILES, "/xquad-r/en.json": FILES["/xquad-r/en.json"].replace(b"One", b"Two")}
    with pytest.raises(
        BenchmarkError, match=r"en.json: not the published file: its checksum is .*ISOGLOSS_DATA"
    ):
        fetch_benchmark("xquad-r", tmp_path / "xquad-r")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("announce", "message"), [(True, "cut off after 100 of"), (False, "its checksum is")]
)
def test_a_transfer_that_is_cut_off_leaves_nothing(server, tmp_path, announce, message):
    server.files = {**FILES, "/xquad-r/en.json": FILES["/xquad-r/en.json"][:100]}
    server.announce = announce
    with pytest.raises(BenchmarkError, match=message):
        fetch_benchmark("xquad-r", tmp_path / "xquad-r")
    assert not list(tmp_path.iterdir())


def test_a_file_that_the_server_lacks_is_an_error(server, tmp_path):
    server.files = {}
    with pytest.raises(BenchmarkError, match=r"de.json: cannot download: Not Found; without a network"):
        fetch_benchmark("xquad-r", tmp_path / "xquad-r")


def test_without_a_network_the_error_says_what_to_do(tmp_path):
    with pytest.raises(BenchmarkError, match=r"cannot download: .*by --data-dir or ISOGLOSS_DATA"):
        load_benchmark("xquad-r")
    assert not list(tmp_path.glob("cache/isogloss/*"))


def test_a_local_benchmark_must_be_whole_and_as_published(tmp_path):
    put(tmp_path / "changed", en=b"{}")
    with pytest.raises(
        BenchmarkError, match=r"en.json: not the file of xquad-r as published .*give the folder's path"
    ):
        load_benchmark("xquad-r", data_dir=tmp_path / "changed")
    put(tmp_path / "partial")
    (tmp_path / "partial" / "xquad-r" / "de.json").unlink()
    with pytest.raises(BenchmarkError, match=r"de.json: missing; xquad-r has de, en"):
        load_benchmark("xquad-r", data_dir=tmp_path / "partial")
    assert load_benchmark(tmp_path / "partial" / "xquad-r").languages == ("en",)


def test_an_unknown_name_is_an_error():
    with pytest.raises(BenchmarkError, match="'squad' is not a known benchmark; known are xquad-r, mlqa-r"):
        fetch_benchmark("squad")


def test_known_benchmarks_say_where_they_are(tmp_path, monkeypatch):
    assert [(known.name, known.path) for known in known_benchmarks()] == [("xquad-r", None), ("mlqa-r", None)]
    put(tmp_path / "data")
    assert known_benchmarks(tmp_path / "data")[0].path == tmp_path / "data" / "xquad-r"
    monkeypatch.setenv("ISOGLOSS_DATA", str(tmp_path / "data"))
    xquad, mlqa = known_benchmarks()
    assert xquad.path == tmp_path / "data" / "xquad-r"
    assert (mlqa.licence, mlqa.languages) == ("CC BY-NC 4.0", ("ar", "de", "en", "es", "hi", "vi", "zh"))
    assert all(known.description and "354d67d" in known.source for known in (xquad, mlqa))
