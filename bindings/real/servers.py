"""The servers of the tests: each on a free port of this machine, with its log in a file.

A server is ready when it answers; nothing else is waited for. It is ended by its process id.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
ENVIRONMENTS = ROOT / "target" / "real"
HOST = "127.0.0.1"
# LiteLLM takes half a minute where both cores are busy.
DEADLINE_S = 120

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_given: set[int] = set()


def free_port() -> int:
    """A port that nobody listens on, never the same one twice."""
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = probe.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


def fetch(url: str, key: str | None = None, timeout: float = 10) -> bytes:
    """The body of a GET, past every proxy."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    with _opener.open(urllib.request.Request(url, headers=headers), timeout=timeout) as answer:
        return answer.read()


def wait_for(what: str, ready: Callable[[], Any], seconds: float = DEADLINE_S) -> Any:
    """Asks again until `ready` says something true; what it said."""
    end = time.monotonic() + seconds
    while True:
        if found := ready():
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


class Server:
    """A running program that listens on `port`."""

    every: list[Server] = []  # noqa: RUF012 — one list for the whole run, for the report of a failure

    def __init__(
        self,
        name: str,
        command: list[str | Path],
        port: int,
        folder: Path,
        environment: dict[str, str] | None = None,
        health: str | None = None,
    ) -> None:
        self.name, self.command, self.port = name, list(map(str, command)), port
        self.log = folder / f"{name}.log"
        self.url = f"http://{HOST}:{port}"
        # Debian's servers are not on every user's PATH.
        path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
        self._environment = os.environ | {"PATH": path} | (environment or {})
        self._health = health
        self._process: subprocess.Popen[bytes] | None = None
        self._shown = 0
        Server.every.append(self)
        self.start()

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Starts it, without waiting for it."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ready(self) -> Server:
        """Waits until it answers."""
        wait_for(f"{self.name} on port {self.port}", self._answers)
        return self

    def _answers(self) -> bool:
        assert self._process is not None
        if (status := self._process.poll()) is not None:
            raise RuntimeError(f"{self.name} ended with status {status}:\n{self.said()}")
        try:
            if self._health:
                fetch(self.url + self._health, timeout=2)
            else:
                socket.create_connection((HOST, self.port), timeout=2).close()
        except OSError:
            return False
        return True

    def said(self) -> str:
        """The end of its log, since it was last asked for."""
        data = self.log.read_bytes() if self.log.exists() else b""
        fresh, self._shown = data[self._shown :], len(data)
        return fresh[-6_000:].decode(errors="replace")

    def kill(self) -> None:
        """SIGKILL, as the system's own memory killer would send."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Ends it and its workers."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        # Its session was made for it alone, so nobody else's processes are in this group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


def llama(name: str, model: Path, slots: int, folder: Path) -> Server:
    """llama.cpp's server with that model."""
    port = free_port()
    python = ENVIRONMENTS / "llama" / "bin" / "python"
    command: list[str | Path] = [python, HERE / "llama_server.py", model, str(port), str(slots)]
    return Server(name, command, port, folder, health="/health")


def litellm(folder: Path, models: list[dict[str, Any]], key: str) -> Server:
    """LiteLLM's proxy with those models."""
    port = free_port()
    config = folder / "litellm.json"  # what JSON says, YAML says
    settings = {"num_retries": 0, "request_timeout": 60}
    document = {"model_list": models, "litellm_settings": settings}
    config.write_text(json.dumps(document | {"general_settings": {"master_key": key}}))
    program = ENVIRONMENTS / "litellm" / "bin" / "litellm"
    command: list[str | Path] = [program, "--config", config, "--host", HOST, "--port", str(port)]
    # Its table of prices would come from the network, and its telemetry would go there.
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
    return Server("litellm", command, port, folder, quiet, "/health/liveliness")


def write_model(path: Path, width: int, layers: int) -> Path:
    """A model file, written once for each version of the script that writes it."""
    script = HERE / "model.py"
    if not path.exists() or path.stat().st_mtime < script.stat().st_mtime:
        python = ENVIRONMENTS / "llama" / "bin" / "python"
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        subprocess.run([python, script, fresh, str(width), str(layers)], check=True)
        fresh.rename(path)
    return path


OPENSSL = f"""
[req]
distinguished_name = name
prompt = no
[name]
CN = localhost
[authority]
basicConstraints = critical, CA:TRUE
[server]
basicConstraints = critical, CA:FALSE
subjectAltName = IP:{HOST}, DNS:localhost
"""


def certificate(folder: Path) -> Path:
    """A server's key and certificate in `both.pem`; returns the certificate of its authority."""
    config, authority = folder / "openssl.cnf", folder / "authority.pem"
    config.write_text(OPENSSL)
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    make += ["-nodes", "-days", "2", "-config", str(config)]
    signed = ["-CA", str(authority), "-CAkey", f"{authority}.key"]
    for name, path, more in (
        ("authority", authority, ["-subj", "/CN=authority"]),
        ("server", folder / "server.pem", signed),
    ):
        where = ["-extensions", name, "-keyout", f"{path}.key", "-out", str(path)]
        subprocess.run([*make, *where, *more], check=True, capture_output=True)
    parts = [folder / "server.pem", folder / "server.pem.key"]
    (folder / "both.pem").write_text("".join(part.read_text() for part in parts))
    return authority


def negotiated(port: int, authority: Path) -> str | None:
    """What a TLS server chooses by ALPN."""
    context = ssl.create_default_context(cafile=str(authority))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection((HOST, port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=HOST) as secure,
    ):
        return secure.selected_alpn_protocol()
