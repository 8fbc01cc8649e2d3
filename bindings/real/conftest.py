"""What the tests share: the servers, each started once, and their logs where a test fails."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import gateways
import servers
from facts import GATEWAY_KEY, KEY
from gateways import Ways
from ours import runners
from servers import ENVIRONMENTS, HERE, HOST, Server


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failure comes with what each server has said since the test before."""
    report = yield
    for server in Server.every:
        said = server.said() if report.failed or report.when == "teardown" else ""
        if report.failed and said:
            report.sections.append((f"log of {server.name}", said))
    return report


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For logs, configurations and plans."""
    return tmp_path_factory.mktemp("real")


@pytest.fixture(scope="session", autouse=True)
def ended() -> Iterator[None]:
    """Ends what was started, whatever happened."""
    yield
    for server in reversed(Server.every):
        server.stop()


@pytest.fixture(scope="session", autouse=True)
def environment(folder: Path) -> None:
    """Nobody's keys, and the Go programs built once."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        os.environ.pop(name, None)
        os.environ.pop(name.lower(), None)
    os.environ["NO_PROXY"] = "*"
    os.environ["LITER_LLM_RUNNER_GO"] = runners.command("go", folder)[0]


@pytest.fixture(scope="session")
def raw(folder: Path) -> Path:
    """The Go program that reads answers with net/http."""
    program = folder / "raw"
    source = HERE / "sdks" / "raw" / "main.go"
    subprocess.run(["go", "build", "-o", program, source], check=True)
    return program


@pytest.fixture(scope="session")
def programs(folder: Path) -> Callable[[str, str], list[str | Path]]:
    """How a program of this folder starts in a language."""
    place, built = HERE / "programs", folder / "programs"
    subprocess.run(["go", "-C", place / "go", "build", "-o", built, "."], check=True)

    def command(name: str, language: str) -> list[str | Path]:
        if language == "go":
            return [built, name] if name == "many" else [built]
        if language == "node":
            return ["node", place / f"{name}.mjs"]
        return [sys.executable, place / f"{name}.py"]

    return command


@pytest.fixture(scope="session")
def llama(folder: Path) -> Server:
    """A quick llama.cpp with one slot: requests run one after the other, so texts are the same."""
    model = servers.write_model(ENVIRONMENTS / "tiny.gguf", 64, 2)
    return servers.llama("llama", model, 1, folder).ready()


@pytest.fixture(scope="session")
def slow(folder: Path) -> Server:
    """A llama.cpp that needs seconds for the longest answer."""
    model = servers.write_model(ENVIRONMENTS / "slow.gguf", 256, 4)
    return servers.llama("slow", model, 4, folder).ready()


def mocked(name: str, **answer: Any) -> dict[str, Any]:
    """A model that LiteLLM answers for by itself."""
    return {"model_name": name, "litellm_params": {"model": "openai/mock", "api_key": "-"} | answer}


@pytest.fixture(scope="session")
def starting(folder: Path, llama: Server) -> Server:
    """LiteLLM's proxy, before it is ready: that takes it half a minute."""
    nobody = servers.free_port()
    call = {"id": "call_1", "type": "function"}
    call["function"] = {"name": "weather", "arguments": '{"city": "Oslo"}'}
    models = [
        mocked("hello", mock_response="Hello there, how are you today?"),
        mocked("tools", mock_response="", mock_tool_calls=[call]),
        mocked("limited", mock_response="litellm.RateLimitError"),
        mocked("broken", mock_response="litellm.InternalServerError"),
        mocked("tiny", model="openai/tiny", api_base=f"{llama.url}/v1", api_key=KEY, max_retries=0),
        mocked("dead", model="openai/x", api_base=f"http://{HOST}:{nobody}/v1", max_retries=0),
    ]
    return servers.litellm(folder, models, GATEWAY_KEY)


@pytest.fixture(scope="session", autouse=True)
def early(request: pytest.FixtureRequest) -> None:
    """Starts LiteLLM before the tests that run while it starts."""
    if any("litellm" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("starting")


@pytest.fixture(scope="session")
def litellm(starting: Server) -> Server:
    """LiteLLM's proxy in front of llama.cpp and of answers of its own."""
    return starting.ready()


@pytest.fixture(scope="session")
def silent() -> Iterator[socket.socket]:
    """A port that takes connections and never answers."""
    with gateways.listening_only() as silent:
        yield silent


@pytest.fixture(scope="session")
def ways(llama: Server, silent: socket.socket) -> Ways:
    """What nginx and HAProxy lead to."""
    return Ways(llama.port, silent.getsockname()[1], servers.free_port())


@pytest.fixture(scope="session")
def nginx(folder: Path, ways: Ways) -> Server:
    """nginx in front of llama.cpp."""
    return gateways.nginx(made(folder / "nginx"), ways).ready()


@pytest.fixture(scope="session")
def haproxy(folder: Path, ways: Ways) -> Server:
    """HAProxy in front of llama.cpp."""
    return gateways.haproxy(made(folder / "haproxy"), ways).ready()


def made(folder: Path) -> Path:
    """A new folder."""
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def proxies() -> Iterator[dict[str, Server]]:
    """Squid and tinyproxy."""
    with tempfile.TemporaryDirectory(prefix="liter-llm-real-") as folder:
        place = Path(folder)
        started = {"squid": gateways.squid(place), "tinyproxy": gateways.tinyproxy(place)}
        yield {name: server.ready() for name, server in started.items()}
        for server in started.values():
            server.stop()
