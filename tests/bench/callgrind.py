# SPDX-License-Identifier: MIT
"""Counts the instructions of a program, which no other process disturbs."""

import re


def command(out, *program):
    """What runs the program and writes its instructions down in the file."""
    return ['valgrind', '--quiet', '--tool=callgrind', f'--callgrind-out-file={out}', *program]


def read_total(out):
    """All instructions of a run that has ended."""
    with open(out, encoding='ascii') as lines:
        return int(re.search(r'^(?:totals|summary): (\d+)', lines.read(), re.M)[1])
