"""What Squid and tinyproxy refuse is told with the proxy's name and status, and no password."""

from __future__ import annotations

from pathlib import Path

import pytest

import ours
import servers
from gateways import USER
from ours import LANGUAGES
from servers import HOST, Server
from test_proxies import PASSWORDS, rows, through


def problems(outcomes: dict[str, ours.Members], kind: str, *words: str) -> str:
    """Outcomes that are not this kind of error, of one attempt, with these words in its text."""
    found = []
    for name, outcome in outcomes.items():
        error = outcome.get("error") or {"kind": None, "message": "an answer", "attempts": []}
        wrong = [word for word in words if word not in error["message"]]
        if error["kind"] != kind or wrong or "wrong-password" in str(outcome):
            found.append(f"{name}: {error['kind']} {error['message']!r}, without {wrong}")
    return "\n".join(found)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("name", "status"), [("squid", "407"), ("tinyproxy", "401")])
def test_a_wrong_password(
    name: str, status: str, language: str, proxies, llama: Server, haproxy: Server, folder: Path
) -> None:
    port = proxies[name].port
    variables = through(f"http://{USER}:wrong-password@{HOST}:{port}")
    outcomes = ours.play(language, rows(llama.url, haproxy, retry={}), folder, variables)
    tunnels = {name: outcome for name, outcome in outcomes.items() if name.startswith("tls")}
    assert problems(outcomes, "authentication") == ""
    assert problems(tunnels, "authentication", f"{HOST}:{port}", status) == ""
    assert all(len(outcome["error"]["attempts"]) == 1 for outcome in outcomes.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_proxy_that_is_down(language: str, llama: Server, haproxy: Server, folder: Path) -> None:
    port = servers.free_port()
    variables = through(f"http://{USER}:wrong-password@{HOST}:{port}")
    outcomes = ours.play(language, rows(llama.url, haproxy), folder, variables)
    assert problems(outcomes, "connection", f"proxy http://{HOST}:{port}") == ""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("name", "status"), [("squid", "503"), ("tinyproxy", "500")])
def test_a_dead_origin(
    name: str, status: str, language: str, proxies, haproxy: Server, folder: Path
) -> None:
    port = proxies[name].port
    variables = through(f"http://{USER}:{PASSWORDS[name]}@{HOST}:{port}")
    dead = servers.free_port()
    asked = [row for row in rows(f"http://{HOST}:{dead}", haproxy) if row.name.startswith("plain")]
    outcomes = ours.play(language, asked, folder, variables)
    found = {name: outcome.get("error", {}) for name, outcome in outcomes.items()}
    assert all(error.get("status") == int(status) for error in found.values()), found
    for row in asked:
        row.entry["base_url"] = f"https://{HOST}:{dead}/v1"
    outcomes = ours.play(language, asked, folder, variables)
    errors = [outcome.get("error") for outcome in outcomes.values()]
    assert all(
        f"{HOST}:{port}" in error["message"] and status in error["message"] for error in errors
    )
