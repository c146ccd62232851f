# SPDX-License-Identifier: MIT
"""The alerts: each goes off when it should, only then, and says what to do."""

import pathlib
import re
import shutil
import subprocess
import unittest

HERE = pathlib.Path(__file__).resolve().parent
RULES = HERE.parents[1] / 'data/prometheus/amps.rules.yml'
TESTS = HERE / 'alerts.test.yml'
MANUAL = HERE.parents[1] / 'docs/operations.md'


def sections(text, start):
    """What begins with each match of `start`, by its first group."""
    parts = re.split(start, text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


class Alerts(unittest.TestCase):
    """data/prometheus/amps.rules.yml."""

    def setUp(self):
        self.rules = sections(RULES.read_text(encoding='utf-8'), r'^ +- alert: (\w+)$')
        self.assertGreater(len(self.rules), 10)

    def promtool(self, *arguments):
        """Runs it."""
        if shutil.which('promtool') is None:
            self.skipTest('there is no promtool')
        result = subprocess.run(['promtool', *arguments], capture_output=True, text=True,
                                check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def test_rules_are_good(self):
        self.assertIn(f'SUCCESS: {len(self.rules)} rules', self.promtool('check', 'rules', RULES))

    def test_rules_do_what_they_should(self):
        self.promtool('test', 'rules', TESTS)

    def test_each_has_its_tests(self):
        tests = sections(TESTS.read_text(encoding='utf-8'), r'^  - name: (\w+)$')
        self.assertEqual(list(tests), list(self.rules))
        for name, text in tests.items():
            evaluations = text.split(f'- alertname: {name}\n')[1:]
            with self.subTest(name):
                self.assertEqual(['exp_alerts' in evaluation for evaluation in evaluations],
                                 [False, True])

    def test_each_has_its_runbook(self):
        chapter = sections(MANUAL.read_text(encoding='utf-8'), r'^## (.*)$')['Alerts']
        runbooks = sections(chapter, r'^### (\w+)$')
        self.assertEqual(list(runbooks), list(self.rules))
        for name, text in self.rules.items():
            with self.subTest(name):
                self.assertIn(f'runbook: operations.md#{name.lower()}\n', text)
                self.assertRegex(text, r'severity: (critical|warning|info)}')
                # It says what it means and what to do.
                self.assertGreater(len(runbooks[name].split()), 20)


if __name__ == '__main__':
    unittest.main()
