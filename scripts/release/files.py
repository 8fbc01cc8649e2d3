"""Archives that are the same bytes for the same content: sorted, one time, no owner."""

from __future__ import annotations

import gzip
import shutil
import tarfile
from pathlib import Path


def fresh(folder: Path) -> Path:
    """An empty folder in the place of what was there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def tarball(folder: Path, output: Path, time: int) -> Path:
    """Packs `folder`, under its own name, into a .tar.gz."""
    with (
        output.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=9, fileobj=raw, mtime=time) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        for path in [folder, *sorted(folder.rglob("*"))]:
            entry = tar.gettarinfo(path, str(path.relative_to(folder.parent)))
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mtime = time
            # Whatever the builder's umask: anyone may read, and only folders and links are entered.
            entry.mode = 0o644 if entry.isreg() else 0o755
            if entry.isreg():
                with path.open("rb") as content:
                    tar.addfile(entry, content)
            else:
                tar.addfile(entry)
    return output
