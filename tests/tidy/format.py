#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""format.py [--fix] TOP: is every C file laid out as .clang-format says?"""

import os
import subprocess
import sys

from tidy import SKIPPED

TOOL = "clang-format-19"
FOLDERS = ("proto", "actors", "gateway", "supervisor", "tests")


def c_files(top):
    for start in FOLDERS:
        for folder, names, files in os.walk(os.path.join(top, start)):
            names[:] = [n for n in names if n not in SKIPPED]
            yield from (os.path.join(folder, f) for f in files if f.endswith((".c", ".h")))


def main():
    fix = "--fix" in sys.argv[1:]
    top = os.path.abspath(sys.argv[-1])
    files = sorted(c_files(top))
    mode = ["-i"] if fix else ["--dry-run", "-Werror"]
    done = subprocess.run([TOOL, *mode, *files], cwd=top, check=False)
    print(f"format: {len(files)} files; to mend them: tests/tidy/format.py --fix .")
    return done.returncode if files else 1


if __name__ == "__main__":
    sys.exit(main())
