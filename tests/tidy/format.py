#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""format.py [--fix] TOP: is every C file laid out as .clang-format says?

--fix also breaks the paragraphs of block comments that are too wide, which .clang-format does not
do, as it would take tables apart.
"""

import os
import re
import subprocess
import sys

from rules import COLUMNS_MAX
from tidy import SKIPPED

TOOL = "clang-format-19"
FOLDERS = ("proto", "actors", "gateway", "supervisor", "tests")
_BLOCK = re.compile(r"^([ \t]*)/\*(?:(?!\*/).)*\*/[ \t]*$", re.S | re.M)
_FIXED = re.compile(r"^[|+]|^[-*] |\S  +\S|^$|^ ")  # tables, lists, drawings, blank lines


def c_files(top):
    for start in FOLDERS:
        for folder, names, files in os.walk(os.path.join(top, start)):
            names[:] = [n for n in names if n not in SKIPPED]
            yield from (os.path.join(folder, f) for f in files if f.endswith((".c", ".h")))


def wrap(words, first, rest):
    """The words in lines of at most COLUMNS_MAX columns."""
    lines = []
    line = first
    for word in words:
        if len(line) + len(word) > COLUMNS_MAX and line not in (first, rest):
            lines.append(line.rstrip())
            line = rest
        line += word + " "
    return lines + [line.rstrip()]


def wrap_comment(match):
    """One comment that stands on lines of its own, its wide paragraphs broken anew."""
    text, indent = match.group(0), match.group(1)
    if all(len(line) <= COLUMNS_MAX for line in text.split("\n")):
        return text
    first, rest = indent + "/* ", indent + " * "
    out = []
    paragraph = []

    def end_paragraph():
        if any(len(line) > COLUMNS_MAX for line in paragraph):
            words = " ".join(line.strip().lstrip("/*").strip() if "*/" not in line
                             else line.strip().lstrip("/*")[:-2].strip() + "\0*/"
                             for line in paragraph).split(" ")
            start = first if paragraph[0].startswith(first) else rest
            out.extend(line.replace("\0", " ") for line in wrap(words, start, rest))
        else:
            out.extend(paragraph)
        paragraph.clear()

    for line in text.split("\n"):
        body = re.sub(r"^\s*(/\*|\*(?!/)) ?", "", line)
        if _FIXED.search(body) or body.strip() == "*/":
            end_paragraph()
            out.append(line)
        else:
            paragraph.append(line)
    end_paragraph()
    return "\n".join(out)


def wrap_comments(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    mended = _BLOCK.sub(wrap_comment, text)
    if mended != text:
        with open(path, "w", encoding="utf-8") as file:
            file.write(mended)


def main():
    fix = "--fix" in sys.argv[1:]
    top = os.path.abspath(sys.argv[-1])
    files = sorted(c_files(top)) if os.path.isdir(top) else [top]
    if fix:
        for path in files:
            wrap_comments(path)
    mode = ["-i"] if fix else ["--dry-run", "-Werror"]
    done = subprocess.run([TOOL, *mode, *files], check=False)
    print(f"format: {len(files)} files; to mend them: tests/tidy/format.py --fix .")
    return done.returncode if files else 1


if __name__ == "__main__":
    sys.exit(main())
