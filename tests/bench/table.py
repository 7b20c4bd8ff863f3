# SPDX-License-Identifier: MIT
"""The table that a run prints."""

ROWS = []


def row(what, ours, other, value, target, unit=""):
    """Keeps a line of the table: the value that counts, and its target if there is one."""
    wanted = f"<= {target}{unit}" if target is not None else "-"
    verdict = "" if target is None else "ok" if value <= target else "MISSED"
    ROWS.append((what, ours, other, f"{value:.2f}{unit}", wanted, verdict))


def show():
    head = ("what", "Rollcall", "against", "result", "target", "")
    widths = [max(len(line[i]) for line in [head, *ROWS]) for i in range(len(head))]
    for line in [head, *ROWS]:
        cells = [cell.ljust(width) for cell, width in zip(line, widths)]
        print("  ".join(cells).rstrip())
