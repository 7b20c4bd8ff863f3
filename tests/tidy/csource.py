# SPDX-License-Identifier: MIT
"""Just enough of a C reader for the tidy rules: code without comments, functions, includes."""

import re
from collections import namedtuple

Function = namedtuple("Function", "name line lines static")

_TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)
_NAME = re.compile(r"([A-Za-z_]\w*)\s*\($")
_NOT_FUNCTIONS = {"if", "for", "while", "switch", "return", "sizeof", "do", "else"}


def blank(text, keep_strings=False):
    """The text with comments (and strings) overwritten by blanks; lines and columns stay."""

    def cover(match):
        token = match.group(0)
        if token[0] in "\"'":
            if keep_strings:
                return token
            return token[0] + " " * (len(token) - 2) + token[-1]
        return re.sub(r"[^\n]", " ", token)

    return _TOKEN.sub(cover, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def includes(text):
    """[(line, name, quoted)] of every #include."""
    code = blank(text, keep_strings=True)
    return [(line_of(code, m.start()), m.group(2), m.group(1) == '"')
            for m in _INCLUDE.finditer(code)]


def _without_directives(code):
    """Preprocessor lines, continued ones too, blanked out."""
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group(0)),
                  code, flags=re.M)


def _name_before(code, end):
    """Name and offset of the call-like `name(...)` that ends just before offset end."""
    close = len(code[:end].rstrip()) - 1
    if close < 0 or code[close] != ")":
        return None
    depth = 0
    for at in range(close, -1, -1):
        if code[at] == ")":
            depth += 1
        elif code[at] == "(":
            depth -= 1
            if depth == 0:
                found = _NAME.search(code[:at + 1][-200:])
                if found is None or found.group(1) in _NOT_FUNCTIONS:
                    return None
                return found.group(1), at
    return None


def functions(text):
    """Every function with a body. Its length runs from the line of its name to its last brace."""
    code = _without_directives(blank(text))
    found = []
    depth = 0
    declared = 0  # where the current declaration at the top level began
    current = None
    for match in re.finditer(r"[{};]", code):
        at = match.start()
        if match.group(0) == ";":
            if depth == 0:
                declared = at + 1
        elif match.group(0) == "{":
            if depth == 0:
                named = _name_before(code, at)
                if named is not None:
                    words = code[declared:named[1]].split()
                    current = (named[0], line_of(code, named[1]), "static" in words)
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                if current is not None:
                    name, line, static = current
                    found.append(Function(name, line, line_of(code, at) - line + 1, static))
                    current = None
                declared = at + 1
    return found
