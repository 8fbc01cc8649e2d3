"""Finds the system's programs that tests run: `python3 scripts/setup_system.py`.

What is missing is installed where that can be done: as root on Debian. Elsewhere this stops and
names the packages. Servers are installed only for tests, which start their own: Debian may start
none of them, neither now nor with the system.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# Each program with Debian's package.
PACKAGES = {
    "valgrind": "valgrind",
    "openssl": "openssl",
    "nginx": "nginx-light",
    "haproxy": "haproxy",
    "squid": "squid",
    "tinyproxy": "tinyproxy",
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "redis-server": "redis-server",
}
SERVERS = ("nginx", "haproxy", "squid", "tinyproxy", "prometheus", "redis-server")
# Debian's packages ask this program whether they may start what they bring.
POLICY = Path("/usr/sbin/policy-rc.d")


def missing() -> list[str]:
    """The programs that are not there. Servers are not on every user's PATH."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    return [name for name in PACKAGES if not shutil.which(name, path=path)]


@contextlib.contextmanager
def nothing_starts() -> Iterator[None]:
    """Forbids packages to start servers."""
    if POLICY.exists():
        yield  # somebody has decided that already
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


def main() -> int:
    """Installs; the exit code."""
    names = missing()
    if not names:
        return 0
    packages = sorted({PACKAGES[name] for name in names})
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(
            f"missing: {' '.join(names)}. Install with the system's packages "
            f"(Debian: apt-get install {' '.join(packages)})",
            file=sys.stderr,
        )
        return 1
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with nothing_starts():
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
        subprocess.run(install, env=os.environ | quiet, check=True, stdout=subprocess.DEVNULL)
    if shutil.which("systemctl"):
        for name in set(names).intersection(SERVERS):
            subprocess.run(["systemctl", "disable", name], capture_output=True, check=False)
    if names := missing():
        print(f"still missing after the installation: {' '.join(names)}", file=sys.stderr)
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main())
