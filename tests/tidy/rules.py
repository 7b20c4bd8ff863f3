# SPDX-License-Identifier: MIT
"""The rules that no compiler checks. Each takes a Tree and yields (path, line, what is wrong)."""

import re

import csource
import sample_conf

FOLDERS = {"proto": "pr_", "actors": "ac_", "gateway": "gw_", "supervisor": "sv_"}
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 100
# Tables keep one row on one line; the scripts' heads are tables of keys and answers.
TABLE_COLUMNS_MAX = {".def": 150, ".lua": 125}
# Files with a bound of their own.
LINES_MAX = {"README.md": 150, "supervisor/guard.c": 150}

# library header -> the files (without extension) that may include it; tests may include all.
LIBRARIES = [
    (r"libwebsockets",
     {"gateway/ws", "gateway/ws_pass", "gateway/http", "gateway/head", "gateway/reply",
      "gateway/write"}),
    (r"hiredis", None),  # actors/redis*
    (r"^zmq\.h$", {"proto/base/zsock"}),
    (r"^(czmq|zconfig)\.h$", {"proto/base/zsock", "proto/base/config"}),
]
# Functions that stand in for a library's, by design; their names are not ours to choose.
STAND_INS = {"gateway/tap.c": {"recv", "SSL_read"}}
# Neither these files nor what they include may reach a system or library header that does I/O.
PURE = re.compile(r"^(proto/poll/.*|actors/(poll(_\w+)?|score)\.[ch])$")
IO_HEADER = re.compile(
    r"^(uv|zmq|czmq|zconfig|libwebsockets|unistd|fcntl|poll|netdb|signal|pthread|time|spawn)\.h$"
    r"|^(sys|netinet|arpa|net|linux|hiredis)/")

C_FILE = re.compile(r"\.(c|h|def)$")
SOURCE = re.compile(r"\.(c|h|def|lua|py|js|mjs|cjs|sh)$|^ops/(run|test)$|^\.ci/run$")
# Written so that this file does not contain what it looks for.
FORBIDDEN = [
    (re.compile(r"/[w]ork/|/tmp/b[-]"), "a path of somebody's machine"),
    (re.compile(r"(npmjs|pypi|pythonhosted|crates|debian)\.(org|io|com)\b|registry\.[a-z]+js"),
     "the host of a package registry"),
    (re.compile(r"\bissues? +#?[0-9]", re.I), "an issue's number"),
]
HOST_EXEMPT = re.compile(r"^tests/clients/package-lock\.json$")
SLEEP = re.compile(
    r"\b(sleep|usleep|nanosleep|sleep_for)\s*\(|^\s*sleep\s+[0-9$]|timers/promises"
    r"|setTimeout\(\s*(resolve|res|r|done|ok)\b")


def file_shape(tree):
    for path, text in tree.files(SOURCE):
        lines = text.split("\n")
        if lines[-1] == "":
            lines.pop()
        bound = LINES_MAX.get(path, FILE_LINES_MAX)
        if len(lines) > bound:
            yield path, len(lines), f"file has {len(lines)} lines, at most {bound}: split it"
        columns = TABLE_COLUMNS_MAX.get(path[path.rfind("."):], COLUMNS_MAX)
        head = lines[:2] if lines and lines[0].startswith("#!") else lines[:1]
        if not any("SPDX-License-Identifier: MIT" in line for line in head):
            yield path, 1, "the first line is not the SPDX licence line"
        for number, line in enumerate(lines, 1):
            if len(line) > columns:
                yield path, number, f"line has {len(line)} columns, at most {columns}"
            if "\t" in line and not path.endswith("Makefile"):
                yield path, number, "tab: use blanks"
            if re.search(r"\b(TO[D]O|FIX[M]E)\b", line):
                yield path, number, "unfinished work belongs into the tracker, not into the source"
    for path, bound in LINES_MAX.items():
        if path.endswith(".md") and tree.has(path):
            count = tree.text(path).count("\n")
            if count > bound:
                yield path, count, f"file has {count} lines, at most {bound}"


def function_sizes_and_names(tree):
    for path, text in tree.files(re.compile(r"\.[ch]$")):
        folder = path.split("/")[0]
        prefix = FOLDERS.get(folder, "t_" if path.startswith("tests/support/") else None)
        for function in csource.functions(text):
            if function.lines > FUNCTION_LINES_MAX:
                yield (path, function.line, f"{function.name}() has {function.lines} lines, "
                       f"at most {FUNCTION_LINES_MAX}")
            if prefix is None or function.static or function.name == "main":
                continue
            if function.name.isupper():  # a macro that makes the name
                continue
            if function.name in STAND_INS.get(path, ()):
                continue
            if not function.name.startswith(prefix):
                yield (path, function.line,
                       f"{function.name}() is not static and lacks the prefix {prefix}")


def include_arrows(tree):
    for path, text in tree.files(re.compile(r"\.[ch]$")):
        folder = path.split("/")[0]
        if folder not in FOLDERS:
            continue
        for line, name, quoted in csource.includes(text):
            if quoted:
                target = name.split("/")[0]
                if "/" not in name:
                    yield path, line, f'"{name}": write the path from the top folder'
                elif target not in (folder, "proto"):
                    yield path, line, f'"{name}": {folder}/ may include only itself and proto/'
            else:
                yield from library_arrow(path, line, name)


def library_arrow(path, line, name):
    stem = path.rsplit(".", 1)[0]
    for pattern, allowed in LIBRARIES:
        if not re.search(pattern, name):
            continue
        if allowed is None:
            if not stem.startswith("actors/redis"):
                yield path, line, f"<{name}> belongs into actors/redis* alone"
        elif stem not in allowed:
            yield path, line, f"<{name}> belongs into {', '.join(sorted(allowed))} alone"


def pure_core(tree):
    for path, text in tree.files(PURE):
        seen = set()
        todo = [(line, name, quoted, name) for line, name, quoted in csource.includes(text)]
        while todo:
            line, name, quoted, via = todo.pop()
            if not quoted:
                if IO_HEADER.match(name):
                    how = f" (by {via})" if via != name else ""
                    yield path, line, f"<{name}>{how}: this file must know nothing of I/O or time"
                continue
            if name in seen or not tree.has(name):
                continue
            seen.add(name)
            todo += [(line, inner, inner_quoted, via)
                     for _, inner, inner_quoted in csource.includes(tree.text(name))]


def forbidden_words(tree):
    for path, text in tree.files(None):
        for number, line in enumerate(text.split("\n"), 1):
            for pattern, what in FORBIDDEN:
                if pattern.search(line):
                    if "issue" in what and HOST_EXEMPT.match(path):
                        continue
                    yield path, number, f"the repository must not name {what}"


def sleeps_in_tests(tree):
    """Tests wait for events, with a deadline. A line, or the one above, may say `sleep-ok: why`."""
    for path, text in tree.files(re.compile(r"^tests/(?!tidy/).*\.(c|h|js|mjs|cjs|py|sh)$")):
        lines = (csource.blank(text) if path.endswith((".c", ".h")) else text).split("\n")
        original = text.split("\n")
        for number, line in enumerate(lines, 1):
            if SLEEP.search(line):
                around = original[max(0, number - 2):number]
                if not any("sleep-ok:" in near for near in around):
                    yield path, number, "sleep: wait for an event with a deadline instead"


def documented_rows(tree):
    """PROTOCOL.md has a table row for each message (number, name) and for each error (`code`)."""
    row = re.compile(r"^PR_(MESSAGE|ERROR)\(\s*(\d+),\s*(\w+)(?:,\s*\"([^\"]*)\")?", re.M)
    document = tree.text("proto/PROTOCOL.md") if tree.has("proto/PROTOCOL.md") else ""
    for path, text in tree.files(re.compile(r"^proto/wire/\w+\.def$")):
        code = csource.blank(text, keep_strings=True)
        for match in row.finditer(code):
            kind, number, name, wire = match.groups()
            shown, wanted = f"{number} {name}", rf"^\|\s*{number}\s*\|\s*`?{name}`?\s*\|"
            if kind == "ERROR":
                shown, wanted = wire, rf"^\|.*`{wire}`"
            if not re.search(wanted, document, re.M):
                at = csource.line_of(code, match.start())
                yield path, at, f"{shown} is not documented in proto/PROTOCOL.md"


def sample_settings(tree):
    if tree.has(sample_conf.SETTINGS):
        wanted = sample_conf.sample(tree.text(sample_conf.SETTINGS))
        if not tree.has(sample_conf.SAMPLE) or tree.text(sample_conf.SAMPLE) != wanted:
            yield (sample_conf.SAMPLE, 1, f"differs from {sample_conf.SETTINGS}: run "
                   "tests/tidy/sample_conf.py .")


ALL = [file_shape, function_sizes_and_names, include_arrows, pure_core, forbidden_words,
       sleeps_in_tests, documented_rows, sample_settings]
