#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Guards what the scan of an event costs, in instructions for each byte.

Each --limit is a case of bench-cloudevent and the most that it may take. Callgrind counts
them, which no other process disturbs.
"""

import argparse
import subprocess
import sys
import tempfile

import callgrind


def count(program, case, scans):
    """All instructions of a run, and the bytes of a scan."""
    with tempfile.NamedTemporaryFile(prefix='amps-callgrind-') as out:
        size = subprocess.run(callgrind.command(out.name, program, case, str(scans)),
                              check=True, timeout=120, stdout=subprocess.PIPE).stdout
        return callgrind.read_total(out.name), int(size)


def main():
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--program', required=True, help='the binary bench-cloudevent')
    parser.add_argument('--limit', nargs=2, action='append', required=True,
                        metavar=('CASE', 'INSTRUCTIONS'), help='a case, and the most for a byte')
    arguments = parser.parse_args()

    failed = False
    for case, limit in arguments.limit:
        (many, size), (few, _) = (count(arguments.program, case, scans) for scans in (3, 1))
        cost = (many - few) / (2 * size)
        print(f'{case}: {cost:.2f} instructions a byte, at most {limit}')
        failed |= cost > float(limit)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
