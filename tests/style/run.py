# SPDX-License-Identifier: MIT
"""Runs one check on the tree: run.py NAME SOURCE_ROOT."""

import pathlib
import sys

import checks

SKIPPED = 77

try:
    found = list(checks.CHECKS[sys.argv[1]](pathlib.Path(sys.argv[2])))
except LookupError as missing:
    print(f'skipped: {missing}')
    sys.exit(SKIPPED)
print('\n'.join(found))
sys.exit(1 if found else 0)
