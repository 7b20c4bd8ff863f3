#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""clang_tidy.py BUILD TOP: clang-tidy over the project's C files, two at a time.

A file that passed is not looked at again until it, a header of it, its flags, .clang-tidy or the
tool change: the stamp's name is a hash over all that, taken from the preprocessor's output.
"""

import concurrent.futures
import hashlib
import json
import os
import shlex
import subprocess
import sys

TOOL = "clang-tidy-19"
TIMEOUT_S = 300


def commands(build):
    """{file: (folder, arguments)}; a file that two programs compile is checked once."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        return {e["file"]: (e["directory"], shlex.split(e["command"])) for e in json.load(file)}


def preprocess(folder, arguments):
    """What the compiler would see, comments (NOLINT) kept."""
    kept = []
    skip = False
    for argument in arguments:
        if skip or argument in ("-c", "-o"):
            skip = argument == "-o"
            continue
        kept.append(argument)
    done = subprocess.run(kept + ["-E", "-CC"], cwd=folder, capture_output=True, check=False,
                          timeout=TIMEOUT_S)
    return done.stdout if done.returncode == 0 else None


def check(file, folder, arguments, build, salt):
    """(file, output); the output is empty when the file is clean."""
    seen = preprocess(folder, arguments)
    stamp = None
    if seen is not None:
        digest = hashlib.sha256(salt + " ".join(arguments).encode() + seen).hexdigest()
        stamp = os.path.join(build, "tidy-passed", digest)
        if os.path.exists(stamp):
            return file, "", True
    done = subprocess.run([TOOL, "--quiet", "-p", build, file], capture_output=True, check=False,
                          text=True, timeout=TIMEOUT_S)
    if done.returncode == 0:
        if stamp is not None:
            with open(stamp, "w", encoding="utf-8"):
                pass
        return file, "", False
    return file, done.stdout or done.stderr, False


def main():
    build, top = (os.path.abspath(path) for path in sys.argv[1:3])
    os.makedirs(os.path.join(build, "tidy-passed"), exist_ok=True)
    salt = subprocess.check_output([TOOL, "--version"])
    for settings in (".clang-tidy", "tests/.clang-tidy"):
        with open(os.path.join(top, settings), "rb") as file:
            salt += file.read()
    inside = {f: c for f, c in commands(build).items()
              if f.startswith(top + os.sep) and not f.startswith(build + os.sep)}
    bad = known = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        jobs = [pool.submit(check, f, *c, build, salt) for f, c in sorted(inside.items())]
        for job in concurrent.futures.as_completed(jobs):
            file, output, cached = job.result()
            known += cached
            if output:
                bad += 1
                print(f"--- {os.path.relpath(file, top)}\n{output}", flush=True)
    print(f"clang-tidy: {len(inside)} files, {known} known to pass, {bad} with findings")
    return 1 if bad or not inside else 0


if __name__ == "__main__":
    sys.exit(main())
