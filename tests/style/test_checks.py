# SPDX-License-Identifier: MIT
"""Each check of the tree's rules finds what it is there to find."""

import pathlib
import tempfile
import unittest

import checks

LICENCE = '/* SPDX-License-Identifier: MIT */\n'


class ChecksTest(unittest.TestCase):
    """A small tree, broken in one way after the other."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write('src/jobs/amps-job.h', LICENCE)
        self.write('src/broker/amps-broker.h', LICENCE + '#include "jobs/amps-job.h"\n')
        self.write('src/workload/amps-workload.h', LICENCE + '#include <libsoup/soup.h>\n')
        self.write('src/server/amps-server.c',
                   LICENCE + '#include "amps-server.h"\n#include "broker/amps-broker.h"\n')
        self.write('src/server/amps-server.h', LICENCE)
        self.write('src/server/meson.build',
                   "# SPDX-License-Identifier: MIT\nfiles('amps-server.c')\n")
        self.write('.clang-format', 'BasedOnStyle: GNU\n')
        self.write('docs/contributing.md', '| `amps-server` | why |\n')

    def write(self, name, text):
        """Puts a file into the tree."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding='utf-8')

    def found(self, check):
        """What a check says of the tree."""
        try:
            return list(checks.CHECKS[check](self.root))
        except LookupError as missing:
            self.skipTest(str(missing))

    def assert_finds(self, check, *texts):
        """A check finds just the things that were broken."""
        found = self.found(check)
        self.assertEqual(len(found), len(texts), found)
        for text, message in zip(texts, found):
            self.assertIn(text, message)

    def test_sound_tree(self):
        for check in checks.CHECKS:
            with self.subTest(check):
                self.assertEqual(self.found(check), [])

    def test_top_level(self):
        self.write('notes.txt', 'x\n')
        self.write('_build/x', 'x')
        self.assert_finds('top-level', 'notes.txt')

    def test_circles(self):
        self.write('src/jobs/amps-a.h', LICENCE)
        self.write('src/jobs/amps-a.c', LICENCE + '#include "amps-a.h"\n#include "jobs/amps-b.h"\n')
        self.write('src/jobs/amps-b-private.h', LICENCE)
        self.write('src/jobs/amps-b.h', LICENCE + '#include "amps-job.h"\n#include "made.h"\n')
        self.write('src/jobs/amps-b.c', LICENCE + '#include "amps-b-private.h"\n')
        self.assert_finds('circles')
        self.write('src/jobs/amps-b-private.h', LICENCE + '#include "amps-a.h"\n')
        (circle,) = self.found('circles')
        self.assertRegex(circle, 'jobs/amps-(a <- jobs/amps-b|b <- jobs/amps-a)')

    def test_function_names(self):
        for name in ('a', 'b'):
            self.write(f'src/jobs/{name}.c', f'static void\nfail (int x)\n{{\n}}\nstatic int\n{name} (void)\n')
        self.assert_finds('function-names', 'src/jobs/a.c, src/jobs/b.c: each has a static fail()')

    def test_preconditions(self):
        self.write('src/base/amps-clock.h', 'G_DECLARE_FINAL_TYPE (AmpsClock, amps_clock, AMPS, CLOCK, GObject)\n')
        head = 'AmpsA *\namps_a_new (AmpsClock *clock,\n            const char *name)\n{\n'
        self.write('src/jobs/amps-a.c', f'{head}  return NULL;\n}}\n')
        self.assert_finds('preconditions', 'src/jobs/amps-a.c: amps_a_new() begins without a check of AMPS_IS_CLOCK')
        self.write('src/jobs/amps-a.c', f'{head}  g_return_val_if_fail (AMPS_IS_CLOCK (clock), NULL);\n}}\n')
        self.assert_finds('preconditions')

    def test_foreign_text(self):
        self.write('src/base/amps-foreign-text.c', LICENCE + 'g_utf8_make_valid (x, -1);\n')
        self.write('src/jobs/amps-job.c', LICENCE + 'g_utf8_make_valid (x, -1);\n')
        self.assert_finds('foreign-text', 'src/jobs/amps-job.c:2')

    def test_licence(self):
        self.write('src/jobs/amps-x.c', 'int x;\n')
        self.write('tests/run', '#!/bin/sh\nexit\n')
        self.assert_finds('licence', 'src/jobs/amps-x.c:1', 'tests/run:1')

    def test_log_calls(self):
        self.write('src/base/amps-log.c', LICENCE + 'g_log_structured_array (level, x, 1);\n')
        self.write('src/jobs/amps-job.c', LICENCE + 'g_info ("x");\n')
        self.assert_finds('log-calls', 'src/jobs/amps-job.c:2')

    def test_log_events(self):
        one, two = '1' * 32, '2' * 32
        table = ('[AMPS_LOG_EVENT_JOB_LOST] = { "job-lost", "%s" },\n'
                 '[AMPS_LOG_EVENT_DEFECT] = { "defect",\n "%s" },\n')
        manual = '| `job-lost` | info, warning | `%s` | x |\n| `defect` | any | `%s` | x |\n'
        code = 'amps_log (INFO, JOB_LOST, "x");\namps_log_job (WARNING, JOB_LOST, job, NULL, "x");\n'
        self.write('src/base/amps-log.c', LICENCE + 'AMPS_LOG_EVENT_DEFECT\n')
        self.write('src/jobs/amps-job.c', LICENCE + code)
        self.write('src/base/amps-log-event.c', LICENCE + table % (one, two))
        self.write('docs/reference/logs.md', manual % (one, two))
        self.assert_finds('log-events')

        self.write('src/base/amps-log-event.c', LICENCE + table % (one, one))
        self.assert_finds('log-events', 'two events', 'say `defect`')
        self.write('src/base/amps-log-event.c', LICENCE + table % (one, two))
        self.write('docs/reference/logs.md',
                   manual % (one, two) + f'| `gone` | info | `{one}` | x |\n')
        self.assert_finds('log-events', 'gone is not in')
        self.write('docs/reference/logs.md', manual % (one, two))
        self.write('src/jobs/amps-job.c', LICENCE + code.replace('INFO', 'DEBUG'))
        self.assert_finds('log-events', 'say `job-lost` | debug, warning')
        self.write('src/jobs/amps-job.c', LICENCE)
        self.assert_finds('log-events', 'JOB_LOST is never logged', 'job-lost is not in')

    def test_length(self):
        self.write('src/jobs/amps-x.c', 'int x;\n' * 600)
        self.assert_finds('length')
        self.write('src/jobs/amps-x.c', 'int x;\n' * 601)
        self.assert_finds('length', '601 lines')

    def test_text(self):
        self.write('docs/a.md', 'TO' 'DO\n`/t' 'mp/x`\na \n\tb\nc/tmp/d\nend')
        self.assert_finds('text', 'a.md:1: unfinished', 'a.md:2: path', 'a.md:3: white',
                          'a.md:4: tab', 'a.md: no newline')

    def test_includes(self):
        rule = {
            'base/a.c': ['"broker/amps-broker.h"', '<libsoup/soup.h>'],
            'broker/amps-broker-factory.c': ['"broker/amqp/q.h"'],
            'broker/nats/n.c': ['"broker/amqp/q.h"', '"broker/amqp/amps-amqp-backend.h"'],
            'broker/b.c': ['<amqp.h>', '<sqlite3.h>', '"broker/amqp/q.h"'],
            'workload/c.c': ['"server/amps-server.h"', '"../jobs/amps-job.h"'],
            'server/d.c': ['"workload/amps-workload.h"', '"jobs/amps-job-private.h"'],
            'e.c': ['"broker/amqp/q.h"', '<json-glib/json-glib.h>'],
            'new/f.c': ['"jobs/amps-job.h"'],
        }
        self.write('src/broker/amqp/q.h', '#include <amqp_tcp_socket.h>\n#include "jobs/amps-job.h"\n')
        self.write('src/jobs/amps-job-private.h', LICENCE)
        self.write('src/jobs/amps-x.c', '#include "amps-job-private.h"\n')
        self.write('src/broker/amqp/amps-amqp-backend.h', LICENCE)
        for name, includes in rule.items():
            self.write(f'src/{name}', ''.join(f'#include {header}\n' for header in includes))
        with (self.root / 'src/broker/amps-broker-factory.c').open('a', encoding='utf-8') as factory:
            factory.write('#include "broker/amqp/amps-amqp-backend.h"\n')
        messages = '\n'.join(self.found('includes'))
        for name, includes in rule.items():
            for number, _ in enumerate(includes, 1):
                self.assertIn(f'src/{name}:{number}: ', messages)
        self.assertEqual(len(messages.splitlines()), sum(map(len, rule.values())))

    def test_links(self):
        self.write('docs/a.md', '# A: the `x_y`\n[ok](#a-the-x_y) [ok](b/c.md#c) [ok](https://e.org/z)\n')
        self.write('docs/b/c.md', '[ok](../a.md)\n## C?\n```sh\n# no heading\n[no](link)\n```\n')
        self.assert_finds('links')
        self.write('docs/b/d.md', '[x](a.md)\n[x](../a.md#b)\n[x](c.md#no-heading) [x](#d)\n')
        self.assert_finds('links', 'd.md: links to a.md', '../a.md has no heading for #b',
                          'c.md has no heading for #no-heading', 'it has no heading for #d')

    def test_links_in_comments(self):
        self.write('docs/a.md', '# A\n')
        self.write('src/a.c', '/* As docs/a.md#a says, and\n * docs/a.md; see tests/docs/z.md. */\n'
                              'x = "/*"; y = "docs/gone.md"; // docs/\n')
        self.write('tests/a.py', '"""docs/a.md#a"""\n# docs/a.md\nx = "docs/gone.md"\n')
        self.assert_finds('links')
        self.write('src/a.c', 'x = "\\"/*"; /*\n * docs/a.md#b */ y; /* docs/b.c */\n')
        self.write('tests/a.py', '"""docs/gone.md"""\n# docs/a.md#c\n')
        self.assert_finds('links', 'src/a.c: docs/a.md has no heading for #b',
                          'src/a.c: links to docs/b.c', 'tests/a.py: links to docs/gone.md',
                          'tests/a.py: docs/a.md has no heading for #c')

    def test_promises(self):
        self.write('tests/test_a.py', 'def test_one(self):\ndef test_two(self):\n')
        self.write('tests/test-b.c', 'g_test_add_func ("/b/one", f);\n')
        self.write('docs/promises.md', '# P\n\n### A\n\nText.\n\n'
                   'Tests: [a](../tests/test_a.py) `test_one`, `test_two`;\n'
                   '[b](../tests/test-b.c) `/b/one`.\n')
        self.assert_finds('promises')
        self.write('docs/promises.md', '# P\n\n### A\n\nText.\n\n### B\n\n'
                   'Test: [a](../tests/test_a.py) `test_on`.\n\nMore.\n\n### C\n\n'
                   'Tests: [b](../tests/test-b.c) `/b/one`, `/b/on`.\n')
        self.assert_finds('promises', '"A" has no paragraph', '"B" names test_on',
                          '"C" names /b/on')
        self.write('docs/promises.md', '### A\n\nText.\n\nTests: all.\n')
        self.assert_finds('promises', '"A" has no paragraph')

    def test_libsoup(self):
        entry = '## S\n### The x\n* May go: 3.3.0\n* Test: [x](../tests/x.c) `/x/does`\n'
        self.write('meson.build', "# SPDX-License-Identifier: MIT\n('libsoup-3.0', version: '>= 3.2.2')\n")
        self.write('tests/x.c', LICENCE + 'ADD ("does");\n')
        self.write('docs/libsoup.md', entry)
        self.assert_finds('libsoup-ledger')
        self.write('docs/libsoup.md', entry.replace('does', 'did') + '### The y\n* Why: z\n')
        self.assert_finds('libsoup-ledger', 'names /x/did, which is not in', '“The y” has no test')
        self.write('docs/libsoup.md', entry.replace('3.3.0', '3.2, for z'))
        self.assert_finds('libsoup-ledger', '“The x” may go')

    def test_columns(self):
        long = 'word ' * 20
        self.write('docs/a.md', f'{long}\n| {long} | b |\n```\n{long}x\n```\n  ```\n{long}x\n  ```\n'
                                f'* [a](https://e.org/{"x" * 100})\n{"ä" * 100}\n')
        self.assert_finds('columns')
        self.write('docs/b.md', f'a\n\n* {long}\n{"ä" * 101}\n')
        self.assert_finds('columns', 'docs/b.md:3: 102 columns', 'docs/b.md:4: 101 columns')

    def test_registered(self):
        self.write('src/server/amps-new.c', LICENCE)
        self.write('tests/unit/meson.build', "{\n  'job': {},\n}\n")
        self.write('tests/unit/test-job.c', LICENCE)
        self.write('tests/unit/test-new.c', LICENCE)
        self.assert_finds('registered', 'src/server/amps-new.c', 'tests/unit/test-new.c')

    def test_translations(self):
        self.write('src/a.c', 'puts (_ ("x"));\n')
        self.write('src/b.c', 'const char *x = N_ (\n"x");\n')
        self.write('po/POTFILES', '# comment\nsrc/b.c\nsrc/gone.c\n')
        self.assert_finds('translations', 'src/a.c', 'src/gone.c')

    def test_unit_tests(self):
        row = '| `amps-server`, `amps-x` | why |\n| `a-command` | amps |\n'
        self.write('src/jobs/amps-x.c', LICENCE)
        self.write('docs/contributing.md', row)
        self.assert_finds('unit-tests')
        self.write('docs/contributing.md', row.replace('amps-x', 'amps-gone'))
        self.assert_finds('unit-tests', 'amps-x.c: has no tests/unit/test-x.c', 'no amps-gone')
        self.write('tests/unit/test-x.c', LICENCE)
        self.write('docs/contributing.md', row)
        self.assert_finds('unit-tests', 'amps-x has a test')

    def write_german(self, *entries):
        """A translation of a source that says two things."""
        self.write('src/a.c', 'f (_ ("one %d"), N_ ("two"));\n')
        self.write('po/POTFILES', '# comment\nsrc/a.c\n')
        self.write('po/LINGUAS', '# comment\nde\n')
        head = 'msgid ""\nmsgstr "Language: de\\nContent-Type: text/plain; charset=UTF-8\\n"\n'
        self.write('po/de.po', '\n'.join([head, *entries]))

    def test_languages(self):
        one = '#, c-format\nmsgid "one %d"\nmsgstr "eins %d"\n'
        two = 'msgid "two"\nmsgstr "zwei"\n'
        self.write_german(one, two)
        self.assertEqual(self.found('languages'), [])
        for text, *entries in (('"two" is not translated', one),
                               ('"two" is not translated', one, 'msgid "two"\nmsgstr ""\n'),
                               ('"two" is marked as fuzzy', one, '#, fuzzy\n' + two),
                               ('"six" is said by nobody', one, two, two.replace('two', 'six')),
                               ('"six" is said by nobody', one, two,
                                '#~ msgid "six"\n#~ msgstr "sechs"\n'),
                               ('are not the same', one.replace('s %d', 's %s'), two)):
            self.write_german(*entries)
            self.assert_finds('languages', text)

    def test_languages_with_macros(self):
        self.write_german('msgid "a %"\nmsgstr "b %"\n', 'msgid "100 %%"\nmsgstr "100 %%"\n')
        self.write('src/a.c', 'f (_ ("a %" G_GINT64_FORMAT), _ ("100 %%"));\n')
        self.assert_finds('languages', '"a %" ends at a macro')

    def test_format(self):
        self.write('src/jobs/amps-x.c', LICENCE + 'int  x ;\n')
        self.assert_finds('format', 'src/jobs/amps-x.c:2')


if __name__ == '__main__':
    unittest.main()
