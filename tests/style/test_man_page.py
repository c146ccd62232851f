# SPDX-License-Identifier: MIT
"""docs/man_page.py: from Markdown to roff, or an error."""

import os
import pathlib
import tempfile
import unittest

from man_page import Page


class ManPage(unittest.TestCase):
    """A small document, and the page that it becomes."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name, 'docs/reference/x.md').resolve()
        self.path.parent.mkdir(parents=True)
        os.environ['SOURCE_DATE_EPOCH'] = '86400'
        self.addCleanup(os.environ.pop, 'SOURCE_DATE_EPOCH')

    def make(self, text):
        """The lines of the page."""
        self.path.write_text(text, encoding='utf-8')
        pages = [('x', '1', self.path), ('y', '5', self.path.with_name('y.md'))]
        return Page(self.path, pages, pathlib.Path('/doc')).make('x', '1', '1.2').splitlines()

    def body(self, text):
        """What a text becomes, without what each page has."""
        lines = self.make('# T\n\n## S\n\n' + text)
        return lines[lines.index('.SH "S"') + 1:lines.index('.SH "SEE ALSO"')]

    def test_head(self):
        for text, purpose in (('# Things of X\n\nText.\n', 'things of X'),
                              ('# X\n\n## Name\n\n`x`: does\nthings\n\n## Description\n\nText.\n',
                               'does things'),
                              ('# X\n\n## NAME\n\nx - does it.\n\n## DESCRIPTION\n\nText.\n',
                               'does it')):
            self.assertEqual(self.make(text)[1:10], [
                '.TH X 1 1970-01-02 "amps 1.2" AMPS', '.nh', '.nr HY 0', '.ad l',
                '.ds AD l', '.SH NAME', f'x \\- {purpose}', '.SH "DESCRIPTION"', 'Text.\\&'])

    def test_text(self):
        self.assertEqual(self.body('a `--b` **c *d* `e`** [f](#g) \\* *h*'),
                         ['a \\fB\\-\\-b\\fR \\fBc \\fId\\fB \\fBe\\fB\\fR f * \\fIh\\fR'])
        self.assertEqual(self.body('`a\\n\'` \\ – …'),
                         ['\\fBa\\en\\(aq\\fR \\e \\[u2013] \\[u2026]'])
        self.assertEqual(self.body('.env is\n`.x`'), ['\\&.env is \\fB.x\\fR'])
        self.assertEqual(self.body('A_B_C * 2'), ['A_B_C * 2'])

    def test_lines_are_short_and_end_no_sentence(self):
        lines = self.body('(A word.) ' * 30)
        self.assertGreater(len(lines), 3)
        for line in lines:
            self.assertLessEqual(len(line), 80)
            self.assertTrue(not line.endswith('.)'))

    def test_blocks(self):
        self.assertEqual(self.body('x:\n* a\n  b\n* c\n\n### d `e`\n\n1. f\n'),
                         ['x:', '.IP \\(bu 2', 'a b', '.IP \\(bu 2', 'c', '.SS "d \\fBe\\fB"',
                          '.IP 1. 4', 'f'])
        self.assertEqual(self.body('```sh\n.a \'b\n\n# c-d\n```\n'),
                         ['.RS 2', '.EX', '\\&.a \\(aqb', '', '# c\\-d', '.EE', '.RE'])

    def test_tables(self):
        self.assertEqual(self.body('| A | B | | D |\n|---|---|---|---|\n| `a` | b | c | d\\|e |\n'
                                   '| f | | | g |\n'),
                         ['.TP', '\\fBa\\fR', 'd|e', '.br', 'B: b', '.br', 'c', '.TP', 'f', 'g'])

    def test_long_terms(self):
        names = [f'`{"N" * 9}{number}`' for number in range(8)]
        lines = self.body(f'| A | B |\n|---|---|\n| {", ".join(names)} | b |\n')
        bold = [name.replace('`', '\\fB', 1).replace('`', '\\fR') for name in names]
        self.assertEqual(lines, ['.TP', ', '.join(bold[:4]) + ',', '.TQ', ', '.join(bold[4:]), 'b'])

    def test_links(self):
        lines = self.make('# T\n\n[a](y.md#b) [c](../z.md) [d](../z.md#e) [f](https://g-h/)\n')
        self.assertEqual(lines[-5:], ['a c d f (https://g\\-h/)', '.SH "SEE ALSO"', '\\fBy\\fR(5)',
                                      '.br', '\\fI/doc/docs/z.md\\fR'])

    def test_what_it_does_not_know(self):
        for text in ('> quoted', '<b>', '![image](x.png)', '#### deep', '* a\n  * b', '```\ncode',
                     '| a | b |\n|---|---|\n| c |', 'title\n\n---'):
            with self.assertRaises(ValueError, msg=text):
                self.body(text)
        with self.assertRaises(ValueError):
            self.make('no title\n')


if __name__ == '__main__':
    unittest.main()
