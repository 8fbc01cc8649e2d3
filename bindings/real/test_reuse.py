"""Connections that a server closes right after its answer cost no request, without retries too."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from facts import KEY
from ours import LANGUAGES
from servers import HOST, Server

COUNT, THREADS = 500, 16


def played(command: list[Any], entry: dict[str, Any]) -> dict[str, Any]:
    """What a program found that reads many short streams with one client."""
    entry = {"kind": "compatible", "api_key": KEY} | entry
    config = json.dumps({"retry": False, "providers": {"real": entry}})
    arguments = [*command, config, "tiny", str(COUNT), str(THREADS)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("language", LANGUAGES)
def test_llama_closes_after_each_stream(language: str, llama: Server, programs) -> None:
    found = played(programs("many", language), {"base_url": f"{llama.url}/v1"})
    assert found == {"whole": COUNT, "errors": []}


@pytest.mark.parametrize("language", LANGUAGES)
def test_nginx_closes_after_five_requests(language: str, nginx: Server, programs) -> None:
    authority = str(nginx.log.parent / "authority.pem")
    entry = {"base_url": f"https://{HOST}:{nginx.port}/v1", "ca_file": authority}
    found = played(programs("many", language), entry)
    assert found == {"whole": COUNT, "errors": []}
