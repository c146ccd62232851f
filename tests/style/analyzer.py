# SPDX-License-Identifier: MIT
"""Runs clang's static analyzer, which scan-build runs too: analyzer.py SOURCE_ROOT BUILD_ROOT.

The files of src/ are analyzed as they were compiled in BUILD_ROOT. What is found is an error.
"""

import concurrent.futures
import itertools
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

SKIPPED = 77
# The only version that counts: others find other things, and are wrong elsewhere.
VERSION = 'version 14.'
# It does not see what g_autoptr frees, so it calls that a leak, and the variable unused. Leaks are
# for LeakSanitizer and valgrind, unused variables for the compilers.
ANALYZE = ['--analyze', '--analyzer-output', 'text', '-Xclang', '-analyzer-disable-checker=deadcode',
           '-fno-color-diagnostics', '-o', '/dev/null']
NOT_MEANT = re.compile(r'Potential (memory )?leak')
FINDING = re.compile(r'^.*: warning: (.*) \[[a-z]\w*\.[\w.]+\]$', re.MULTILINE)
# What makes files, each with a word that follows it.
OUTPUTS = ('-o', '-MF', '-MQ')


def options_of(command):
    """A compiler's command, without the compiler and its output."""
    words = itertools.dropwhile(lambda word: word[0] != '-', shlex.split(command))
    for word in words:
        if word in OUTPUTS:
            next(words)
        elif word not in ('-c', '-MD'):
            yield word


def analyze(clang, entry):
    """What is found in a file, with the way there; nothing, if nothing is wrong."""
    result = subprocess.run([clang, *options_of(entry['command']), *ANALYZE],
                            cwd=entry['directory'], capture_output=True, text=True, check=False)
    found = [text for text in FINDING.findall(result.stderr) if not NOT_MEANT.match(text)]
    return result.stderr if found or result.returncode != 0 else ''


def find_clang():
    """The clang whose opinion counts, if there is one."""
    clang = shutil.which('clang-14') or shutil.which('clang')
    version = clang and subprocess.run([clang, '--version'], capture_output=True, text=True,
                                       check=True).stdout
    return clang if version and VERSION in version else None


def main(source, build):
    """Analyzes as many files at once as there are processors; returns the exit status."""
    clang = find_clang()
    if clang is None:
        print('skipped: clang 14 is not here')
        return SKIPPED
    # Tests that run at the same time, and measure time, come first.
    os.nice(5)
    folder = (source / 'src').resolve()
    entries = json.loads((build / 'compile_commands.json').read_text(encoding='utf-8'))
    entries = [entry for entry in entries
               if folder in pathlib.Path(entry['directory'], entry['file']).resolve().parents]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [text for text in pool.map(lambda entry: analyze(clang, entry), entries) if text]
    print(*found, sep='\n')
    print(f'{len(entries)} files, {len(found)} with findings')
    return 1 if found or not entries else 0


if __name__ == '__main__':
    sys.exit(main(*map(pathlib.Path, sys.argv[1:])))
