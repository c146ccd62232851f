# SPDX-License-Identifier: MIT
"""Counts test cases in meson's logs: tally.py BROKEN_BUILDS LOG...

A program that speaks TAP counts with each of its cases, others as one. What a failed
one said last is said again: a CI may keep but the end of a long output.
"""

import json
import pathlib
import re
import sys

CASE = re.compile(r'^(not )?ok\b(?!.*#\s*(?:SKIP|TO' r'DO)\b)', re.MULTILINE | re.IGNORECASE)
LAST_LINES = 50


def count(test):
    """Passed and failed cases of one test program."""
    if test['result'] == 'SKIP':
        print(f"skipped: {test['name']}: {test.get('stdout', '').strip()}")
        return 0, 0
    cases = CASE.findall(test.get('stdout', ''))
    failed = sum(1 for not_ok in cases if not_ok)
    passed = len(cases) - failed
    if test['result'] == 'OK':
        return max(passed, 1), failed
    print(f"failed: {test['name']} ({test['result']})")
    said = (test.get('stdout', '') + test.get('stderr', '')).splitlines()
    for line in said[-LAST_LINES:]:
        print(f'  {line}')
    return passed, max(failed, 1)


def main():
    """Sums up, in one closing line."""
    passed, failed = 0, int(sys.argv[1])
    for name in sys.argv[2:]:
        log = pathlib.Path(name)
        if not log.is_file():
            print(f'failed: the tests left no {log}')
            failed += 1
            continue
        for line in log.read_text(encoding='utf-8').splitlines():
            more_passed, more_failed = count(json.loads(line))
            passed += more_passed
            failed += more_failed
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
