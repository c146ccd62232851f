# SPDX-License-Identifier: MIT
"""Reads the doc comments of src/ as g-ir-scanner does: annotations.py SOURCE_ROOT BUILD_ROOT.

AMPS is no library, and the GIR is thrown away. What matters is what the scanner says of
annotations: unknown ones, parameters that are not there, containers of nobody knows what.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77

# It speaks of what bindings could not use, and of types of libraries that have no GIR; and the
# items of a timer queue are of any type.
NOT_MEANT = re.compile(r'Invalid non-constant return of bare structure|Unresolved type:'
                       r'|amps_timer_queue_take_all: .*element-type')
PACKAGES = ['gio-2.0', 'gio-unix-2.0', 'libsoup-3.0', 'json-glib-1.0', 'sqlite3', 'librabbitmq']
# A list that is included by macros, and no header.
LIST = 'amps-config-settings.h'


def scan(source, build, output):
    """What g-ir-scanner says."""
    files = [path for path in sorted((source / 'src').rglob('amps-*.[ch]')) if path.name != LIST]
    command = ['g-ir-scanner', '--quiet', '--warn-all', '--header-only', '--accept-unprefixed',
               '--namespace=Amps', '--nsversion=0', '--identifier-prefix=Amps',
               '--symbol-prefix=amps', '--include=Gio-2.0', '--include=Soup-3.0',
               '--include=Json-1.0', *(f'--pkg={name}' for name in PACKAGES),
               *(f'-I{folder}' for folder in (source / 'src', build, build / 'src',
                                              build / 'src/dbus', build / 'src/server')),
               f'--output={output}', *files]
    # It keeps what it has parsed of other GIRs, and needs none of it again.
    return subprocess.run(command, capture_output=True, text=True, check=True,
                          env={'PATH': '/usr/bin:/bin', 'HOME': str(output.parent),
                               'XDG_CACHE_HOME': str(output.parent)}).stderr


def main():
    """Prints the warnings, and fails if there are any."""
    source, build = map(pathlib.Path, sys.argv[1:])
    if shutil.which('g-ir-scanner') is None:
        print('skipped: there is no g-ir-scanner')
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        said = scan(source, build, pathlib.Path(folder, 'Amps-0.gir'))
    found = sorted({line.replace(f'{source}/', '') for line in said.splitlines()
                    if not NOT_MEANT.search(line)})
    print('\n'.join(found))
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
