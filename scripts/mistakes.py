"""Makes each mistake in each language, and writes what one is told: docs/mistakes.md.

    python3 scripts/mistakes.py              runs them all, and writes the page
    python3 scripts/mistakes.py --check      compares with the page
    python3 scripts/mistakes.py --show [--language python] [ID …]      writes to the terminal

`scripts/mistakes/README.md` says how a mistake is written. Each one has to be told: a program that
writes nothing, or that does not end, is a failure. Addresses, paths, ids and times are replaced, so
that the page is the same on each machine. Ends with the plain line `N passed, N failed`.
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from simulator import ROOT, Simulator
from snippets import Ended, Snippets

FOLDER = ROOT / "scripts" / "mistakes"
PAGE = ROOT / "docs" / "mistakes.md"
SECONDS = 120
AT_ONCE = 2

HEAD = """\
<!-- Written by scripts/mistakes.py from scripts/mistakes/*.json. Do not edit. -->
# Mistakes

Everybody makes these. Below each program is what it says when it runs. `make docs` runs all of
them, and fails where this page says something else.

The programs have the same environment: keys and base URLs, a default provider and a default model.
`LITER_LLM_DEMO_URL` is the URL of a server that plays the provider. `PORT` stands for its port.
"""

STABLE = (
    (r"(127\.0\.0\.1|localhost):\d{4,5}\b", r"\1:PORT"),
    (r"\bllm_[0-9a-f]{32}\b", "llm_…"),
    (r"\breq_[0-9A-Za-z]+\b", "req_…"),
    (r"\b0x[0-9a-f]{6,}\b", "0x…"),
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?Z?", "2026-01-02T03:04:05Z"),
    (r"\b\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\b", "2026/01/02 03:04:05"),
    (r"\(node:\d+\)", "(node)"),
)
"""What differs from run to run, and what stands for it."""


@dataclass(frozen=True)
class Told:
    """A mistake in one language: its program, what it wrote, what is wrong with that or ""."""

    language: str
    program: str
    text: str
    fault: str


def main() -> int:
    """Runs the mistakes; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="compare with the page")
    parser.add_argument("--show", action="store_true", help="write to the terminal only")
    parser.add_argument("--language", choices=LANGUAGES, help="with --show: one language")
    parser.add_argument("ids", nargs="*", metavar="ID", help="with --show: some mistakes")
    arguments = parser.parse_args()
    if (arguments.language or arguments.ids) and not arguments.show:
        parser.error("the page has all of them: add --show")
    titles = {one["id"]: one["title"] for one in json.loads(read("titles.json"))}
    snippets = written(arguments.language)
    faults = [f"{name}: is not in titles.json" for name in {*snippets, *arguments.ids} - {*titles}]
    faults += [f"{name}: no language makes it" for name in titles if name not in snippets]
    told = all_told(titles, snippets, arguments.ids)
    for name, several in told.items():
        faults += [f"{name}: {one.language}: {one.fault}" for one in several if one.fault]
    text = page(titles, told)
    if arguments.show:
        print(text.removeprefix(HEAD))
        faults = [fault for fault in faults if "no language" not in fault]
    elif not arguments.check:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.is_file() or (old := PAGE.read_text(encoding="utf-8")) != text:
        was = old.splitlines() if PAGE.is_file() else []
        diff = difflib.unified_diff(was, text.splitlines(), "docs/mistakes.md", "now", lineterm="")
        faults.append("docs/mistakes.md is not what they say now: run scripts/mistakes.py")
        print(*diff, sep="\n")
    print(*faults, sep="\n", end="\n" if faults else "", file=sys.stderr)
    passed = sum(not one.fault for several in told.values() for one in several)
    print(f"{passed} passed, {len(faults)} failed")
    return 1 if faults else 0


def read(name: str) -> str:
    """A file of the mistakes."""
    return (FOLDER / name).read_text(encoding="utf-8")


def written(only: str | None) -> dict[str, dict[str, str]]:
    """The programs: by mistake, by language."""
    programs: dict[str, dict[str, str]] = {}
    for language in [only] if only else LANGUAGES:
        if not (FOLDER / f"{language}.json").is_file():
            print(f"{language}: no mistakes yet, scripts/mistakes/{language}.json is missing")
            continue
        for name, lines in json.loads(read(f"{language}.json")).items():
            programs.setdefault(name, {})[language] = "\n".join(lines) + "\n"
    return programs


def all_told(
    titles: dict[str, str], programs: dict[str, dict[str, str]], ids: list[str]
) -> dict[str, list[Told]]:
    """What each mistake says, in the order of the titles."""
    replies: dict[str, object] = json.loads(read("replies.json"))
    with tempfile.TemporaryDirectory(prefix="liter-llm-mistakes-") as name:
        folder = Path(name)
        cases = folder / "cases.jsonl"
        rows = [
            json.dumps({"id": f"{one}-{language}", "exchanges": [{"reply": reply}] * 5})
            for one, reply in replies.items()
            for language in LANGUAGES
        ]
        cases.write_text("\n".join(rows) + "\n", encoding="utf-8")
        with Simulator(cases) as simulator, ThreadPoolExecutor(AT_ONCE) as pool:

            def tell(one: str, language: str) -> Told:
                own = folder / f"{one}-{language}"
                own.mkdir()
                snippets = Snippets(simulator.url, own)
                where = f"{simulator.url}/case/mistakes/{own.name}"
                play(snippets, where if one in replies else simulator.url, one in replies)
                return told_by(language, programs[one][language], snippets)

            running = {
                one: [pool.submit(tell, one, language) for language in programs.get(one, ())]
                for one in titles
                if not ids or one in ids
            }
            return {one: [job.result() for job in jobs] for one, jobs in running.items()}


def play(snippets: Snippets, url: str, scripted: bool) -> None:
    """Sets the variables of a mistake. A scripted reply is that of OpenAI."""
    snippets.environment["LITER_LLM_DEMO_URL"] = url
    snippets.environment["PYTHONUNBUFFERED"] = "1"
    if scripted:
        snippets.environment["OPENAI_BASE_URL"] = f"{url}/v1"


def told_by(language: str, program: str, snippets: Snippets) -> Told:
    """Makes a mistake."""
    _, _, run = LANGUAGES[language]
    try:
        text = cleaned(run(program, snippets), snippets)
    except Ended as ended:
        return Told(language, program, "", str(ended))
    return Told(language, program, text, "" if text else "says nothing")


def python(program: str, snippets: Snippets) -> str:
    """What a Python program writes. Of a traceback only the exception is kept."""
    (snippets.folder / "mistake.py").write_text(program, encoding="utf-8")
    _, text = snippets.outcome(sys.executable, "mistake.py", seconds=SECONDS)
    return re.sub(r"^Traceback \(most recent call last\):\n(?:[ \t]+.*\n)+", "", text, flags=re.M)


def node(program: str, snippets: Snippets) -> str:
    """What an ES module writes. Of an error that nobody caught only its text is kept."""
    snippets.node_modules()
    (snippets.folder / "mistake.mjs").write_text(program, encoding="utf-8")
    _, text = snippets.outcome("node", "mistake.mjs", seconds=SECONDS)
    text = re.sub(r"^(?:file:|node:|/).*:\d+\n.*\n\s*\^+\n\n", "", text, flags=re.M)
    text = re.sub(r"^\s+at .*?(?: \{\n(?:.*\n)*?\})?\n", "", text, flags=re.M)
    text = re.sub(r"^Node\.js v.*\n?", "", text, flags=re.M)
    return re.sub(r"^\(Use `node --trace-.*\n", "", text, flags=re.M)


def go(program: str, snippets: Snippets) -> str:
    """What a Go program writes; or the compiler, where it refuses the program."""
    module = snippets.go_module(program)
    built = snippets.folder / "mistake"
    code, text = snippets.outcome(
        "go", "-C", str(module), "build", "-o", str(built), ".", seconds=SECONDS
    )
    if code == 0:
        _, text = snippets.outcome(str(built), seconds=SECONDS)
    return re.sub(r"^(?:# example|exit status \d+)\n", "", text, flags=re.M)


LANGUAGES: dict[str, tuple[str, str, Callable[[str, Snippets], str]]] = {
    "python": ("Python", "python", python),
    "node": ("Node", "js", node),
    "go": ("Go", "go", go),
}
"""By the name of its file: the language's name, that of its blocks, and what runs a program."""


def cleaned(text: str, snippets: Snippets) -> str:
    """What a program wrote, without what differs from run to run."""
    text = text.replace(snippets.environment["LITER_LLM_DEMO_URL"], "http://127.0.0.1:PORT")
    for path in (snippets.folder, ROOT):
        text = text.replace(f"file://{path}/", "").replace(f"{path}/", "")
    for pattern, instead in STABLE:
        text = re.sub(pattern, instead, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def page(titles: dict[str, str], told: dict[str, list[Told]]) -> str:
    """The page."""
    parts = [HEAD]
    for name, several in told.items():
        parts.append(f"\n## {titles[name]}\n")
        for one in several:
            title, block, _ = LANGUAGES[one.language]
            parts.append(f"\n{title}:\n\n```{block} mistake\n{one.program}```\n")
            parts.append(f"\n```text\n{one.text}\n```\n")
    return "".join(parts)


if __name__ == "__main__":
    sys.exit(main())
