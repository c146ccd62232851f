# SPDX-License-Identifier: MIT
"""What `meson install` installs, and what `meson devenv` finds."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

BUILD = os.environ['AMPS_BUILD']

# From the prefix. All documents are there, so that their links work.
SOURCE = pathlib.Path(__file__).resolve().parents[2]
INSTALLED = {
    'bin/amps',
    'bin/ampsctl',
    'share/bash-completion/completions/ampsctl',
    'share/fish/vendor_completions.d/ampsctl.fish',
    'share/zsh/site-functions/_ampsctl',
    'share/amps/grafana/amps.json',
    'share/amps/prometheus/amps.rules.yml',
    'share/dbus-1/interfaces/io.github.hotellistat.Amps1.xml',
    'lib/systemd/system/amps.service',
    'lib/systemd/system/amps@.service',
    'lib/sysusers.d/amps.conf',
    'share/dbus-1/system-services/io.github.hotellistat.Amps1.service',
    'share/dbus-1/system.d/io.github.hotellistat.Amps1.conf',
    'share/doc/amps/CONTRIBUTING.md',
    'share/doc/amps/LICENSE',
    'share/doc/amps/NEWS',
    'share/doc/amps/README.md',
    'share/doc/amps/SECURITY.md',
    'share/locale/de/LC_MESSAGES/amps.mo',
    'share/man/man1/amps.1',
    'share/man/man1/ampsctl.1',
    'share/man/man5/amps.env.5',
    *(f'share/doc/amps/{path.relative_to(SOURCE)}' for path in (SOURCE / 'docs').rglob('*.*')
      if path.name not in ('man_page.py', 'meson.build') and '__pycache__' not in path.parts),
}


@unittest.skipIf(shutil.which('meson') is None, 'there is no meson')
class Install(unittest.TestCase):
    """The build, seen from behind it."""

    def test_everything_is_in_its_place(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(['meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet',
                            '--destdir', folder], check=True, stdout=subprocess.DEVNULL)
            binary = next(pathlib.Path(folder).rglob('bin/amps'))
            prefix = binary.parent.parent
            files = {path.relative_to(prefix).as_posix() for path in prefix.rglob('*')
                     if path.is_file()}
            self.assertEqual(files, INSTALLED)
            self.assertEqual(sum(1 for path in pathlib.Path(folder).rglob('*') if path.is_file()),
                             len(files))
            self.assertTrue(os.access(prefix / 'share/doc/amps/docs/examples/workload.py', os.X_OK))
            said = subprocess.run([binary, '--version'], check=True, stdout=subprocess.PIPE,
                                  text=True).stdout
            self.assertRegex(said, r'^amps \d')

    def devenv(self, *command, **variables):
        """Runs a command in the developer's environment, and returns what it prints."""
        return subprocess.run(['meson', 'devenv', '-C', BUILD, *command], check=True,
                              env={**os.environ, **variables}, stdout=subprocess.PIPE,
                              text=True).stdout

    def test_development_environment(self):
        self.assertEqual(pathlib.Path(self.devenv('which', 'amps').strip()),
                         pathlib.Path(BUILD, 'src/amps'))
        self.assertIn('workload.py', self.devenv('which', 'workload.py'))
        translated = self.devenv('amps', '--help', LANGUAGE='de', LC_ALL='C.UTF-8')
        # The C library of Debian 13 translates nothing in C.UTF-8.
        if '--port=VALUE' not in translated:
            self.assertIn('--port=WERT', translated)


if __name__ == '__main__':
    unittest.main()
