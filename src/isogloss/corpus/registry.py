"""Known benchmarks: what they are, where they lie on this machine, and how to fetch them."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from isogloss.errors import BenchmarkError
from isogloss.files import cache_folder, finished_folder

DATA_VARIABLE = "ISOGLOSS_DATA"

_COMMIT = "354d67d1cd066854cdfbf5ad0e6105528976141d"
_SOURCE = "https://github.com/google-research-datasets/lareqa"
_BASE_URL = f"https://raw.githubusercontent.com/google-research-datasets/lareqa/{_COMMIT}"
_TIMEOUT_SECONDS = 30.0
_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True)
class KnownBenchmark:
    """A benchmark that isogloss knows by name.

    Attributes:
        name: what to call it by.
        description: what it holds, in a sentence.
        licence: the licence of its data.
        source: where it comes from.
        checksums: SHA-256 in hexadecimal of each language's file `<language>.json`.
        path: its folder on this machine, or None where it was not looked for or not found.
    """

    name: str
    description: str
    licence: str
    source: str
    checksums: Mapping[str, str]
    path: Path | None = None

    @property
    def languages(self) -> tuple[str, ...]:
        """Its languages, sorted."""
        return tuple(sorted(self.checksums))


KNOWN_BENCHMARKS: Mapping[str, KnownBenchmark] = {
    benchmark.name: benchmark
    for benchmark in (
        KnownBenchmark(
            name="xquad-r",
            description="1,190 Wikipedia questions, each in all of eleven languages",
            licence="CC BY-SA 4.0",
            source=f"{_SOURCE}, xquad-r at commit {_COMMIT[:7]}",
            checksums={
                "ar": "c52922d3b8ac1ae03ed5ac38647ad59870dca3dda2beefe18ecdc30729acb69d",
                "de": "16fb0f4bf4916154b585a20c24c66074591c9718a1affe764ff4697572328949",
                "el": "163fd43ee785a30eb534ae2061e9eaa766a7ee4e8ffce5e4b422480c150f64b6",
                "en": "7b0954f39297c27a31fef610f0883337dd2907fa8699151dc922afdd0fa12ffe",
                "es": "f8e836b2d91009c4363e04315f7ede363eedbbb49c67dda60de6c4aa782f58de",
                "hi": "ea45ba8ae4513d1533b222bebdc02a90bc319c055d3aeea68584a053d2e92872",
                "ru": "7f4dff853538b9a5fcc28c070b8bb983a5c5d190ac747b8e005a1ada9cab18f1",
                "th": "c3a041864c3a9fb0b4dd91cfdf99cf36b411b3e704c58a303c97bc6dc786cfe4",
                "tr": "f3e8c13002bbce154a4578f535f7533cb70f3da08840e6b62735935baec7bd94",
                "vi": "e35926bf5cc6fc6ecbdfca49467aabeb454f08d152d7818143a906bd31dde995",
                "zh": "80c2cde7b9c2fb134c303cbb52f2ba396ead9eb0014aec43993543d2ba9e93ed",
            },
        ),
        KnownBenchmark(
            name="mlqa-r",
            description="1,148 Wikipedia questions, each in two to four of seven languages",
            licence="CC BY-NC 4.0",
            source=f"{_SOURCE}, mlqa-r at commit {_COMMIT[:7]}",
            checksums={
                "ar": "2132fbc03208535c0fe01f2e2c5121d06f9c2aa799af93b0a719dbc105bdf137",
                "de": "ce9454dc5aa6f2d85c23cd6e49cb367fbb7c4c6e62d7f71e355c6b5dae4d0886",
                "en": "fedd9a5cc0848dda80caf84aa36f482adaae230526a3f6e9e86926a93ef3b1e4",
                "es": "70ecba276b8c96a692b120693a595d076ce94ad21d4b28311538a9fcbfe0f9d7",
                "hi": "4dd0fb3c06f737a5481d705bc1dcac7876712a5815c9265908fbb3a0696cb654",
                "vi": "9d3baff6ba03e6793b25594217265ea59a136b9733833dca8a9582a84a78ff85",
                "zh": "57f01d2fff50cf3392805635b01445339f225ad5bf28ba8443b12f8dbd1e69dc",
            },
        ),
    )
}


def known_benchmarks(data_dir: str | Path | None = None) -> list[KnownBenchmark]:
    """The known benchmarks, each with the `path` of its folder on this machine, or None."""
    return [
        KnownBenchmark(**{**vars(benchmark), "path": locate_benchmark(name, data_dir)})
        for name, benchmark in KNOWN_BENCHMARKS.items()
    ]


def locate_benchmark(name: str, data_dir: str | Path | None = None) -> Path | None:
    """The folder of a known benchmark on this machine, or None.

    It is looked for as `<data folder>/<name>`; the data folder is `data_dir` alone where that is given, or
    else the one named by the environment variable ISOGLOSS_DATA, then the user's cache folder.
    """
    if data_dir is not None:
        places = [Path(data_dir)]
    else:
        named = os.environ.get(DATA_VARIABLE)
        places = [Path(named)] if named else []
        places.append(cache_folder())
    return next((place / name for place in places if (place / name).is_dir()), None)


def obtain_benchmark(name: str, data_dir: str | Path | None = None) -> Path:
    """The folder of a known benchmark, whole and unchanged; fetched into the cache folder if need be.

    Nothing is fetched where `data_dir` is given: a benchmark missing there is an error.

    Raises:
        BenchmarkError: the benchmark is not known, not there and not to be fetched, or not the published one.
    """
    benchmark = _known(name)
    folder = locate_benchmark(name, data_dir)
    if folder is None:
        if data_dir is not None:
            raise BenchmarkError(
                f"{data_dir}: no folder {name} in this data folder; leave out --data-dir to use "
                f"{DATA_VARIABLE}, the cache or a download"
            )
        return fetch_benchmark(name)
    for language, checksum in benchmark.checksums.items():
        file = folder / f"{language}.json"
        if not file.is_file():
            raise BenchmarkError(f"{file}: missing; {name} has {', '.join(benchmark.languages)}")
        if hashlib.sha256(file.read_bytes()).hexdigest() != checksum:
            raise BenchmarkError(
                f"{file}: not the file of {name} as published ({benchmark.source}), so figures would not "
                "compare; fetch it again, or give the folder's path instead of the name to use it as it is"
            )
    return folder


def fetch_benchmark(name: str, destination: str | Path | None = None) -> Path:
    """Download a known benchmark from its public repository at a pinned commit, whole or not at all.

    Args:
        name: a known benchmark.
        destination: the folder to make; `<name>` in the cache folder if left out. Call it `<name>` too, and
            the folder that holds it serves as `data_dir` or ISOGLOSS_DATA.

    Returns:
        The folder.

    Raises:
        BenchmarkError: the benchmark is not known, cannot be downloaded, or a file is cut off or not as
            published.
        OutputError: the folder is there already or cannot be written.
    """
    benchmark = _known(name)
    target = cache_folder() / name if destination is None else Path(destination)
    with finished_folder(target) as folder:
        for language, checksum in benchmark.checksums.items():
            _download(f"{_BASE_URL}/{name}/{language}.json", folder / f"{language}.json", checksum, name)
    return target


def _known(name: str) -> KnownBenchmark:
    if name not in KNOWN_BENCHMARKS:
        raise BenchmarkError(f"{name!r} is not a known benchmark; known are {', '.join(KNOWN_BENCHMARKS)}")
    return KNOWN_BENCHMARKS[name]


def _download(url: str, file: Path, checksum: str, name: str) -> None:
    elsewhere = (
        f"without a network, get the folder {name} on another machine and name the folder that holds it by "
        f"--data-dir or {DATA_VARIABLE}"
    )
    found, size = hashlib.sha256(), 0
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer, file.open("wb") as output:
            announced = answer.headers.get("Content-Length")
            while chunk := answer.read(_CHUNK_BYTES):
                output.write(chunk)
                found.update(chunk)
                size += len(chunk)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise BenchmarkError(f"{url}: cannot download: {reason}; {elsewhere}") from error
    if announced is not None and size != int(announced):
        raise BenchmarkError(f"{url}: cut off after {size} of {announced} bytes; try again, or {elsewhere}")
    if found.hexdigest() != checksum:
        raise BenchmarkError(
            f"{url}: not the published file: its checksum is {found.hexdigest()}, not {checksum}; "
            f"try again, or {elsewhere}"
        )
