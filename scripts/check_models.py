"""Holds documents and examples to one model for each provider.

    python3 scripts/check_models.py [FILE …]          default: documents and example programs

A reader who copies from two pages should meet one model, and beside it parameters that it takes. A
page that talks about another model for a reason has an exception here, with the reason.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REGISTRY = ROOT / "core" / "src" / "provider" / "registry.rs"

# The models of each provider: the one for chats, and those for other operations. Each takes
# temperature, top_p, stop and max_tokens; OpenAI's models that reason refuse most of them.
MODELS = {
    "openai": ("gpt-4.1-mini", "omni-moderation-latest", "text-embedding-3-small"),
    "anthropic": ("claude-haiku-4-5",),
    "cohere": ("command-a-03-2025", "rerank-v3.5"),
    "mistral": ("mistral-small-latest",),
    "groq": ("openai/gpt-oss-20b",),
    "together": ("openai/gpt-oss-20b",),
    "zai": ("glm-4.6",),
}

# Page, what it says, and why.
RULES = "which models take what is the page's subject"
NAMED = "it shows that a model's name may begin with a provider's"
EXCEPTIONS = {
    ("docs/compatibility.md", "o1"): RULES,
    ("docs/compatibility.md", "o3"): RULES,
    ("docs/compatibility.md", "o4"): RULES,
    ("docs/compatibility.md", "gpt-3"): RULES,
    ("docs/compatibility.md", "gpt-4"): RULES,
    ("docs/compatibility.md", "gpt-5"): RULES,
    ("docs/compatibility.md", "gpt-5-chat"): RULES,
    ("docs/compatibility.md", "gpt-5.1"): RULES,
    ("docs/providers.md", "nvidia/nemotron"): NAMED,
    ("docs/providers.md", "openrouter/nvidia/nemotron"): NAMED,
}

SOURCES = ("*.md", "examples/*", "*/examples/*", "scripts/demo*", "scripts/release/programs/*")
# What editors and package pages show of the packages: docstrings, comments, Go's examples.
SOURCES += ("python/src/*.py", "node/index.d.ts", "go/*.go")
# Programs for measuring and for the suite, and what is wrong on purpose: no reader copies from it.
LEFT_OUT = ("core/examples/", "CHANGELOG.md", "docs/mistakes.md", "go/internal/")
# Tests of a package; `example_test.go` is on its page.
TEST = re.compile(r"^go/(?!example_test)\w+_test\.go$")

# What is a model's name wherever it stands: the families that people know.
FAMILY = re.compile(
    r"(?<![\w./-])(?:(?:chat)?gpt-\d[\w.-]*|o[134](?![\w.:])|o[134]-[\w.-]*|claude-[\w.-]+"
    r"|command-[ar][\w.-]*|gemini-\d[\w.-]*|(?:mistral|ministral|codestral)-[a-z]+-[\w.-]+"
    r"|omni-moderation-[\w.-]+|gpt-oss-\w+|glm-\d[\w.-]*|grok-\d[\w.-]*|deepseek-[a-z]+)"
)


def main() -> int:
    """Names each model that is not its provider's; the exit code."""
    files = [Path(name).resolve() for name in sys.argv[1:]] or sources()
    registry = REGISTRY.read_text(encoding="utf-8")
    providers = set(re.findall(r'(?:_row\(|name:)\s*"(\w+)"', registry))
    if strange := set(MODELS) - providers:
        print(f"{', '.join(sorted(strange))}: no provider of the registry")
        return 1
    # A provider with a model behind it, in quotes: `"groq/openai/gpt-oss-20b"`.
    target = re.compile(rf"[\"'`]({'|'.join(sorted(providers))})/([\w./-]+)[\"'`]")
    used, count, wrong = set[tuple[str, str]](), 0, 0
    for path in files:
        page = path.relative_to(ROOT).as_posix()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for name, right in strangers(line, target):
                count += 1
                used.add((page, name))
                if not right and (page, name) not in EXCEPTIONS:
                    wrong += 1
                    print(f"{page}:{number}: {name} is no model of scripts/check_models.py")
    if not sys.argv[1:]:
        for page, name in sorted(set(EXCEPTIONS) - used):
            wrong += 1
            print(f"scripts/check_models.py: {page} has no {name} any more: no exception is needed")
    print(f"{len(files)} files: {count} names of models, {wrong} wrong")
    return 1 if wrong or not count else 0


def sources() -> list[Path]:
    """Documents and example programs that git knows or would take."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *SOURCES]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    kept = (name for name in sorted(set(names.split())) if not name.startswith(LEFT_OUT))
    return [ROOT / name for name in kept if not TEST.match(name) and (ROOT / name).is_file()]


def strangers(line: str, target: re.Pattern[str]) -> list[tuple[str, bool]]:
    """The models of a line, each with whether it is the one of its provider."""
    found = list[tuple[str, bool]]()
    for provider, model in target.findall(line):
        # A path of the repository, such as `openai/dialect.rs`, is no model.
        if not re.search(r"\.(rs|md|json|py)$|/$", model):
            found.append((f"{provider}/{model}", model in MODELS.get(provider, ())))
    everyone = {model for models in MODELS.values() for model in models}
    for model in FAMILY.findall(target.sub("", line)):
        found.append((model.rstrip("."), model.rstrip(".") in everyone))
    return found


if __name__ == "__main__":
    sys.exit(main())
