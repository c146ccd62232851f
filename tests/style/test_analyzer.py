# SPDX-License-Identifier: MIT
"""The analyzer finds what it is there to find, and is quiet about what it can't see."""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest

import analyzer

NULL = 'int f (int *p) { if (p != 0) return 1; return *p; }\n'
FREED = '#include <stdlib.h>\nint f (void) { int *p = calloc (1, 4); free (p); return *p; }\n'
CLEANED_UP = '''#include <stdlib.h>
static void clean (void *p) { free (*(void **) p); }
int f (void);
int f (void) { __attribute__ ((cleanup (clean))) char *p; return (p = malloc (1)) != 0; }
'''


@unittest.skipIf(analyzer.find_clang() is None, 'clang 14 is not here')
class AnalyzerTest(unittest.TestCase):
    """A tree of one file."""

    def analyze(self, code, name='src/jobs/a.c'):
        """The exit status, and what is printed."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            path = root / name
            path.parent.mkdir(parents=True)
            path.write_text(code, encoding='utf-8')
            entry = {'directory': folder, 'file': name, 'command': f'ccache cc -MD -o a.o -c {name}'}
            (root / 'compile_commands.json').write_text(json.dumps([entry]), encoding='utf-8')
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                return analyzer.main(root, root), printed.getvalue()

    def test_finds(self):
        for code, finding in ((NULL, 'Dereference of null pointer'),
                              (FREED, 'Use of memory after it is freed'),
                              ('int f (', "expected ')'")):
            with self.subTest(finding):
                status, printed = self.analyze(code)
                self.assertEqual(status, 1)
                self.assertIn(finding, printed)
                self.assertIn('src/jobs/a.c', printed)

    def test_sound(self):
        self.assertEqual(self.analyze('int f (void) { return 1; }\n'),
                         (0, '\n1 files, 0 with findings\n'))

    def test_cleaned_up(self):
        self.assertEqual(self.analyze(CLEANED_UP)[0], 0)

    def test_nothing_to_analyze(self):
        self.assertEqual(self.analyze(NULL, name='tests/a.c')[0], 1)


if __name__ == '__main__':
    unittest.main()
