#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tidy.py [TOP]: checks the source tree by rules.py; prints file:line for each break, exits 1."""

import os
import sys

import rules

SKIPPED = {"build", "var", "vendor", "node_modules", ".git", "__pycache__", "corpus"}
BYTES_MAX = 4 << 20


class Tree:
    """The text files below a folder, by their path from it. Needs no git."""

    def __init__(self, top):
        self.top = top
        self.texts = {}
        for folder, names, files in os.walk(top):
            names[:] = sorted(n for n in names if n not in SKIPPED)
            for name in sorted(files):
                path = os.path.relpath(os.path.join(folder, name), top)
                self._read(path)

    def _read(self, path):
        full = os.path.join(self.top, path)
        if os.path.islink(full) or os.path.getsize(full) > BYTES_MAX:
            return
        with open(full, "rb") as file:
            data = file.read()
        if b"\0" not in data:
            self.texts[path] = data.decode("utf-8", "replace")

    def has(self, path):
        return path in self.texts

    def text(self, path):
        return self.texts[path]

    def files(self, pattern):
        for path, text in self.texts.items():
            if pattern is None or pattern.search(path):
                yield path, text


def check(top):
    tree = Tree(top)
    return [found for rule in rules.ALL for found in rule(tree)], len(tree.texts)


def main():
    top = sys.argv[1] if len(sys.argv) > 1 else os.getcwd()
    found, count = check(top)
    for path, line, what in sorted(set(found)):
        print(f"{path}:{line}: {what}")
    print(f"tidy: {count} files, {len(set(found))} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
