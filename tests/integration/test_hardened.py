# SPDX-License-Identifier: MIT
"""What the compiler and the linker did to make a fault of memory hard to use."""

import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import tempfile
import unittest

BUILD = os.environ['AMPS_BUILD']
SOURCE = pathlib.Path(__file__).resolve().parents[2]
ALWAYS = ['-fstack-protector-strong', '-fstack-clash-protection']
FORTIFIED = ['-U_FORTIFY_SOURCE', '-D_FORTIFY_SOURCE=3']
ZEROED = ['-ftrivial-auto-var-init=zero']
# For each architecture: the option that marks where an indirect branch may land, the
# instruction it marks it by (endbr64, paciasp), and what the linker notes where all files
# that it got have it, the C library's among them.
LANDINGS = {
    'x86_64': ('-fcf-protection=full', b'\xf3\x0f\x1e\xfa', ('IBT', 'SHSTK')),
    'aarch64': ('-mbranch-protection=standard', b'\x3f\x23\x03\xd5', ('BTI', 'PAC')),
}


def run(*command):
    """What a command prints."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, 'LC_ALL': 'C'}).stdout


def commands_of(build):
    """How each file of src/ is compiled."""
    text = pathlib.Path(build, 'compile_commands.json').read_text(encoding='utf-8')
    return [entry['command'].split() for entry in json.loads(text)
            if entry['output'].startswith('src/')]


def is_elf(path):
    """Whether it is a program or a library."""
    with path.open('rb') as file:
        return file.read(4) == b'\x7fELF'


@unittest.skipIf(shutil.which('meson') is None, 'there is no meson')
class Hardened(unittest.TestCase):
    """All that is installed, read by readelf, and the commands that made it."""

    @classmethod
    def setUpClass(cls):
        options = json.loads(run('meson', 'introspect', '--buildoptions', BUILD))
        cls.options = {option['name']: option['value'] for option in options}
        cls.fortified = (cls.options['optimization'] not in ('0', 'plain')
                         and cls.options['b_sanitize'] == 'none')
        cls._folder = tempfile.TemporaryDirectory(prefix='amps-test-')
        cls.addClassCleanup(cls._folder.cleanup)
        run('meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir',
            cls._folder.name)
        cls.programs = [path for path in pathlib.Path(cls._folder.name).rglob('*')
                        if path.is_file() and is_elf(path)]

    def check(self, options, wanted, unwanted=()):
        """Looks for patterns in what readelf says of each program."""
        self.assertIn('amps', [path.name for path in self.programs])
        for path in self.programs:
            text = run('readelf', '--wide', *options.split(), path)
            with self.subTest(path.name):
                self.assertEqual([one for one in wanted if not re.search(one, text)], [])
                self.assertEqual([one for one in unwanted if re.search(one, text)], [])

    def test_every_address_is_drawn_at_start(self):
        self.check('--file-header --dynamic', [r'Type: +DYN', r'\(FLAGS_1\).*\bPIE\b'], ['TEXTREL'])

    def test_what_is_linked_is_fixed_at_start(self):
        self.check('--dynamic --program-headers', ['GNU_RELRO', r'\(FLAGS_1\).*\bNOW\b'],
                   [r'\((RPATH|RUNPATH)\)'])

    def test_no_memory_is_writable_and_executable(self):
        self.check('--program-headers', [r'GNU_STACK .* RW +0x'], [r'\bRWE\b'])

    def test_the_stack_and_the_calls_of_the_c_library_are_guarded(self):
        self.check('--dyn-syms', [' __stack_chk_fail@'])
        # clang sees that the few calls of AMPS are right, and leaves the checks out.
        if self.fortified and 'clang' not in commands_of(BUILD)[0]:
            self.check('--dyn-syms', [r' __(?!stack)\w+_chk@'])

    def test_branches_land_where_they_may(self):
        machine = platform.machine()
        if machine not in LANDINGS:
            self.skipTest(f'nothing is known of {machine}')
        flag, instruction, notes = LANDINGS[machine]
        self.check_commands(BUILD, [flag])
        for path in self.programs:
            self.assertGreater(path.read_bytes().count(instruction), 500)
        started_by = [run(os.environ.get('CC', 'cc'), f'-print-file-name={name}').strip()
                      for name in ('Scrt1.o', 'crti.o', 'crtbeginS.o')]
        marked = [run('readelf', '--notes', '--wide', file) for file in started_by]
        self.check('--notes', [note for note in notes if all(note in text for text in marked)])

    def check_commands(self, build, wanted, unwanted=()):
        """Looks for options in the command for each file of src/."""
        self.assertGreater(len(commands_of(build)), 50)
        for command in commands_of(build):
            self.assertEqual([one for one in wanted if one not in command], [])
            self.assertEqual([one for one in unwanted if one in command], [])

    def test_commands(self):
        self.check_commands(BUILD, ALWAYS, ZEROED if self.options['debug'] else ())
        self.check_commands(BUILD, *((FORTIFIED, ()) if self.fortified else ((), FORTIFIED)))

    def test_a_release_is_built_so(self):
        with tempfile.TemporaryDirectory(prefix='amps-test-') as folder:
            subprocess.run(['meson', 'setup', '--buildtype=release', '-Dtests=false', folder,
                            SOURCE], check=True, env={**os.environ, 'CC': 'gcc'},
                           stdout=subprocess.DEVNULL)
            self.check_commands(folder, ALWAYS + FORTIFIED + ZEROED)
            link = pathlib.Path(folder, 'build.ninja').read_text(encoding='utf-8')
            self.assertRegex(link, r'LINK_ARGS = .*-pie .*-Wl,-z,relro .*-Wl,-z,now')


if __name__ == '__main__':
    unittest.main()
