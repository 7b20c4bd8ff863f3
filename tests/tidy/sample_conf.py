#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""sample_conf.py TOP: writes ops/conf/rollcall.conf anew from proto/base/settings.def."""

import os
import re
import sys

SETTINGS = "proto/base/settings.def"
SAMPLE = "ops/conf/rollcall.conf"

HEAD = """\
# Every setting of Rollcall with its default, in the format of czmq's zconfig (ZPL): sections are
# indented by four blanks. Use it with `ops/run --config FILE`. To change a setting, take the # off
# its line and off the line of its section; keep the indentation. The environment wins over this
# file: section.key is ROLLCALL_SECTION_KEY, and the names in [ ] work as well.
"""
_TEXT = r'\s*"([^"]*)"'
_INT = r"\s*(-?\d+)"
_ROW = re.compile(
    rf"^PR_SETTING_(?:INT\(\w+,{_TEXT},{_TEXT},{_INT},{_INT},{_INT},{_TEXT}\)"
    rf"|(?:TEXT|WORD)\(\w+,{_TEXT},{_TEXT},{_TEXT},{_TEXT}(?:,{_TEXT})?\))", re.M)


def rows(settings):
    """[(section or "", key, comment, default)] in the order of the list."""
    found = []
    for match in _ROW.finditer(settings):
        name, alias, unset, least, most, text = match.groups()[:6]
        if name is None:
            name, alias, unset, text = match.groups()[6:10]
            unset = f'"{unset}"'
        else:
            text = f"{text} ({least} to {most})"
        section, _, key = name.rpartition(".")
        found.append((section, key, text + (f" [{alias}]" if alias else ""), unset))
    return found


def sample(settings):
    found = rows(settings)
    lines = [HEAD]
    for section, key, comment, unset in found:
        if not section:
            lines.append(f"# {comment}\n#{key} = {unset}\n")
    for section in dict.fromkeys(row[0] for row in found if row[0]):
        lines.append(f"#{section}")
        for _, key, comment, unset in (row for row in found if row[0] == section):
            lines += [f"    # {comment}", f"#    {key} = {unset}"]
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def main():
    top = sys.argv[1]
    with open(os.path.join(top, SETTINGS), encoding="utf-8") as file:
        text = sample(file.read())
    with open(os.path.join(top, SAMPLE), "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
