# SPDX-License-Identifier: MIT
"""The manual pages as man(1) and mandoc(1) show them, and what they must say."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

from amps import BINARY

PAGES = sorted(pathlib.Path(os.environ['AMPS_BUILD'], 'docs').glob('*.[1-8]'))
# On a terminal of 80 columns man(1) leaves two free.
WIDTH = 78
READERS = {
    'man': ('man', '--warnings', '-E', 'UTF-8', '-l', '-Tutf8'),
    'mandoc': ('mandoc', '-Tutf8', '-O', f'width={WIDTH}'),
}


def read(page, reader):
    """What a reader shows of a page, and what it says of it."""
    done = subprocess.run([*READERS[reader], page], check=True, capture_output=True, text=True,
                          env={'PATH': os.environ['PATH'], 'LC_ALL': 'C.UTF-8',
                               'MANWIDTH': str(WIDTH)})
    return re.sub('.\b|\x1b\\[[0-9;]*m', '', done.stdout), done.stderr


def help_text():
    """What `amps --help` says."""
    return subprocess.run([BINARY, '--help'], check=True, stdout=subprocess.PIPE, text=True,
                          env={'LC_ALL': 'C'}).stdout


class Manuals(unittest.TestCase):
    """Each page, with each reader."""

    def setUp(self):
        for reader in READERS:
            if shutil.which(reader) is None:
                self.skipTest(f'there is no {reader}')

    def named(self, name):
        """A page in one line."""
        page = next(page for page in PAGES if page.name == name)
        return re.sub(r'\s+', ' ', read(page, 'mandoc')[0])

    def test_pages_are_sound(self):
        self.assertTrue(PAGES)
        for page in PAGES:
            lint = subprocess.run(['mandoc', '-Tlint', page], check=False, capture_output=True,
                                  text=True)
            self.assertEqual((lint.returncode, lint.stdout), (0, ''), page)

    def test_pages_fit_a_terminal(self):
        for page in PAGES:
            for reader in READERS:
                shown, said = read(page, reader)
                self.assertEqual(said, '', page)
                lines = shown.splitlines()
                self.assertEqual([line for line in lines if len(line) > WIDTH], [], page)
                # Words are left whole, so that what is copied or searched for is right.
                self.assertEqual([line for line in lines if line.endswith('\u2010')], [], page)
                # Nor are the blanks between them stretched.
                self.assertEqual([line for line in lines
                                  if re.match(r' {14}\S.*\w  +\w', line)], [], page)
                # Nothing is left of the Markdown or of roff.
                for mark in ('](', '```', '`', '|--', '\\f', '\\&', '\\-'):
                    self.assertNotIn(mark, shown, page)

    def test_purpose(self):
        for page in PAGES:
            name = page.stem
            self.assertRegex(read(page, 'man')[0], rf'\nNAME\n +{re.escape(name)} - \w')

    def test_every_option_is_there(self):
        options = re.findall(r'^  (?:-\w, )?--([\w-]+)', help_text(), re.MULTILINE)
        settings = self.named('amps.env.5')
        command = self.named('amps.1')
        self.assertGreater(len(options), 40)
        for option in options:
            name = option.upper().replace('-', '_')
            self.assertTrue(f' {name} ' in settings or f' {name.removesuffix("_FILE")} ' in settings
                            or f' --{option}' in command, option)

    def test_settings_are_those_of_the_program(self):
        """None is missing, none is there that is no setting, and each has its default."""
        page = next(page for page in PAGES if page.name == 'amps.env.5')
        said = re.split(r'^ {7}([A-Z][A-Z_]+)(?:  +|$)', read(page, 'mandoc')[0],
                        flags=re.MULTILINE)
        settings = {name: re.search(r'^ +Default: (.*)', text, re.MULTILINE)[1]
                    for name, text in zip(said[1::2], said[2::2])}
        options = re.findall(r'^  --([\w-]+)=VALUE +(.*)', help_text(), re.MULTILINE)
        defaults = {option.upper().replace('-', '_'): re.search(r'(?:\[([^]]*)\])?$', text)[1]
                    for option, text in options if not text.startswith('File to read ')}
        self.assertEqual(sorted(settings), sorted(defaults))
        for name, default in defaults.items():
            self.assertRegex(settings[name], rf'^{re.escape(default)}$' if default else '^none')

    def test_exit_status_of_a_bad_setting(self):
        ended = subprocess.run([BINARY, '--check-config'], check=False, env={}, cwd='/',
                               stderr=subprocess.DEVNULL)
        self.assertIn(f' {ended.returncode} A setting or an option is wrong',
                      self.named('amps.1'))


if __name__ == '__main__':
    unittest.main()
