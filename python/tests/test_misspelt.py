"""A misspelt attribute, keyword or option is an error for strict type checkers."""

import json
import re
import subprocess
import sys
from pathlib import Path

FILE = Path(__file__).parent / "misspelt.py"
WRONG = {n for n, line in enumerate(FILE.read_text().splitlines(), 1) if "# WRONG" in line}


def run(*command):
    done = subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, check=False
    )
    return done.stdout


def test_pyright():
    report = run("pyright", "--outputjson", "--pythonpath", sys.executable, str(FILE))
    found = json.loads(report)["generalDiagnostics"]
    assert {one["range"]["start"]["line"] + 1 for one in found} == WRONG, found


def test_mypy(tmp_path):
    report = run("mypy", "--strict", "--cache-dir", str(tmp_path), str(FILE))
    found = {int(line) for line in re.findall(r"misspelt\.py:(\d+): error", report)}
    assert found == WRONG, report
