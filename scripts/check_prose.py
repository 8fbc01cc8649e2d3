"""Holds the documents to short sentences: none has more than 32 words.

    python3 scripts/check_prose.py [FILE …]          default: every document of the project

Fenced blocks, tables, HTML comments and the targets of links do not count. A span of code is one
word. A heading, a list item and a paragraph each end a sentence, whatever their punctuation.
Each sentence that is too long is named as `file:line: N words: its beginning`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from doc_links import prose

ROOT = Path(__file__).resolve().parents[1]
MOST_WORDS = 32
SHOWN_WORDS = 8

CODE = re.compile(r"`+[^`]+`+")
LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
COMMENT = re.compile(r"<!--.*?-->")
# What opens a block of its own: a heading, a list item, a quotation, a row of a table.
OPENS = re.compile(r"\s*(#{1,6} |[-*+] |\d+\. |> |\|)")
# A full stop, perhaps with what closes behind it, before a space or the end.
END = re.compile(r"""[.!?][)\]*_"'”]*(?=\s|$)""")
WORD = re.compile(r"\w")
# What would end a word or a sentence inside a span of code.
BLANK = str.maketrans(" \n.!?", "_____")


def main() -> int:
    """Names every long sentence; the exit code."""
    files = [Path(name).resolve() for name in sys.argv[1:]] or documents()
    count, long = 0, 0
    for path in files:
        for line, sentence in sentences(path):
            words = [word for word in sentence.split() if WORD.search(word)]
            count += bool(words)
            if len(words) > MOST_WORDS:
                long += 1
                begin = " ".join(words[:SHOWN_WORDS])
                place = f"{path.relative_to(ROOT)}:{line}"
                print(f"{place}: {len(words)} words, at most {MOST_WORDS}: {begin} …")
    print(f"{len(files)} documents: {count} sentences, {long} too long")
    return 1 if long or not count else 0


def documents() -> list[Path]:
    """Every document that git knows or would take."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in sorted(set(names.split())) if (ROOT / name).is_file()]


def sentences(path: Path) -> Iterator[tuple[int, str]]:
    """The sentences of a document, each with the line that it begins in."""
    for block in blocks(path):
        starts, text = [], ""
        for number, line in block:
            starts.append((len(text), number))
            text += line + "\n"
        # What does not count is blanked out in place, so that each sentence keeps its line.
        text = CODE.sub(lambda span: span[0].translate(BLANK), text)
        text = LINK.sub(lambda link: f"[{link[1]}]" + "_" * (len(link[0]) - len(link[1]) - 2), text)
        begin = 0
        for end in [match.end() for match in END.finditer(text)] + [len(text)]:
            sentence = text[begin:end]
            if WORD.search(sentence):
                first = begin + len(sentence) - len(sentence.lstrip())
                line = max(number for at, number in starts if at <= first)
                yield line, sentence
            begin = end


def blocks(path: Path) -> Iterator[list[tuple[int, str]]]:
    """Paragraphs, headings and list items: their lines, with numbers and without marks."""
    block: list[tuple[int, str]] = []
    last = 0
    for number, line in prose(path):
        text = COMMENT.sub("", line)
        opens = OPENS.match(text)
        if block and (opens or not text.strip() or number != last + 1):
            yield block
            block = []
        if text.strip() and not text.lstrip().startswith("|"):
            block.append((number, text[opens.end() :] if opens else text))
        last = number
    if block:
        yield block


if __name__ == "__main__":
    sys.exit(main())
