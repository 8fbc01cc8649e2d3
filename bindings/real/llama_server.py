"""llama.cpp's own HTTP server, from its wheel: `python llama_server.py MODEL PORT SLOTS`.

It ends with its standard input, so that tests which are killed leave nothing behind.
"""

from __future__ import annotations

import os
import sys

import xllamacpp  # pyright: ignore[reportMissingImports]

from facts import KEY, SLOT

if __name__ == "__main__":
    model, port, slots = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    parameters = xllamacpp.CommonParams()
    parameters.model.path = model
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    parameters.n_parallel = slots
    parameters.n_ctx = slots * SLOT
    parameters.use_jinja = True
    parameters.warmup = False
    parameters.fit_params = False
    parameters.cpuparams.n_threads = 1
    parameters.endpoint_slots = True
    parameters.api_keys = [KEY]
    server = xllamacpp.Server(parameters)
    sys.stdin.read()
    # Its own end waits for streams; nobody reads them any more.
    os._exit(0)
