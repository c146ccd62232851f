# SPDX-License-Identifier: MIT
"""Makes a manual page from a document: man_page.py --help.

It knows the Markdown that the reference uses: headings, paragraphs, lists, code and tables,
which become lists of terms, since a terminal is too narrow for them. Anything else is an
error. What a document links to is listed at its end.
"""

import argparse
import datetime
import os
import pathlib
import re
import textwrap

INLINE = re.compile(r'`(?P<code>[^`]+)`'
                    r'|\*\*(?P<bold>.+?)\*\*'
                    r'|\*(?P<italic>[^*]+)\*'
                    r'|\[(?P<label>(?:`[^`]*`|[^\]`])+)\]\((?P<target>[^)\s]+)\)'
                    r'|\\(?P<escaped>[^\w\s])')
ITEM = re.compile(r'(?P<indent> *)(?P<mark>\*|-|\d+\.) +(?P<text>.*)')
UNKNOWN = re.compile(r'>|<|!\[|#{4,}|\s*[=-]{3,}$')


class Page:
    """A manual page in the making."""

    def __init__(self, source, pages, documents):
        self.source = source
        self.pages = pages
        self.documents = documents
        self.linked = []
        self.roff = []

    # Text

    @staticmethod
    def escape(text, code=False):
        """Text as it is: what roff would take for something else is written so that it isn't."""
        text = text.replace('\\', '\\e')
        if code:
            for character, name in (("'", 'aq'), ('`', 'ga'), ('^', 'ha'), ('~', 'ti')):
                text = text.replace(character, f'\\({name}')
            text = text.replace('-', '\\-')
        return ''.join(character if character.isascii() else f'\\[u{ord(character):04X}]'
                       for character in text)

    def inline(self, text, font='R'):
        """A run of text with its code, bold, italic and links; afterwards it is in `font`."""
        made = []
        end = 0
        for found in INLINE.finditer(text):
            made.append(self.escape(text[end:found.start()]))
            end = found.end()
            if found['code'] is not None:
                made.append(f'\\fB{self.escape(found["code"], code=True)}\\f{font}')
            elif found['bold'] is not None:
                made.append(f'\\fB{self.inline(found["bold"], "B")}\\f{font}')
            elif found['italic'] is not None:
                made.append(f'\\fI{self.inline(found["italic"], "I")}\\f{font}')
            elif found['escaped'] is not None:
                made.append(self.escape(found['escaped']))
            else:
                made.append(self.link(found['label'], found['target'], font))
        made.append(self.escape(text[end:]))
        return ''.join(made)

    def link(self, label, target, font):
        """The label of a link; where it leads is said here, for an address, or at the end."""
        shown = self.inline(label, font)
        if re.match(r'\w+:', target):
            address = self.escape(target, code=True)
            return shown if label == target else f'{shown} ({address})'
        name = target.partition('#')[0]
        if name:
            path = pathlib.Path(os.path.normpath(self.source.parent / name))
            if path not in self.linked and path != self.source:
                self.linked.append(path)
        return shown

    def put(self, text):
        """A paragraph's lines: short ones, none of which is a request, or ends with a sentence,
        behind which roff would put a second space."""
        for line in textwrap.wrap(text, 78, break_long_words=False, break_on_hyphens=False):
            begin = '\\&' if line[0] in ".'" else ''
            end = '\\&' if re.search(r'[.?!](\W|\\f\w)*$', line) else ''
            self.roff.append(begin + line + end)

    def tag(self, text):
        """A term of a list. One that is too long for a line goes on in others, after commas."""
        lines = ['']
        for part in re.split(r'(?<=,) ', text):
            if len(lines[-1]) + len(part) >= 78:
                lines.append('')
            lines[-1] += f' {part}' if lines[-1] else part
        for request, line in zip(['.TP'] + ['.TQ'] * (len(lines) - 1), lines):
            self.roff += [request, f'\\&{line}' if line[0] in ".'" else line]

    # Blocks

    def heading(self, level, text):
        """A section, or one within a section."""
        if level == 2:
            self.roff.append(f'.SH "{self.inline(text.upper())}"')
        else:
            self.roff.append(f'.SS "{self.inline(text, "B")}"')

    def code(self, lines):
        """An example, to be read and copied as it is."""
        self.roff += ['.PP', '.RS 2', '.EX']
        for line in lines:
            escaped = self.escape(line, code=True)
            self.roff.append(f'\\&{escaped}' if line[:1] in ('.', "'") else escaped)
        self.roff += ['.EE', '.RE']

    def items(self, lines):
        """A list; a line without a mark goes on with the item before it."""
        items = []
        for line in lines:
            found = ITEM.fullmatch(line)
            if found is None:
                items[-1][1] += ' ' + line.strip()
            elif found['indent']:
                raise ValueError(f'a list in a list: {line}')
            else:
                items.append([found['mark'], found['text']])
        for mark, text in items:
            self.roff.append('.IP \\(bu 2' if mark in '*-' else f'.IP {mark} 4')
            self.put(self.inline(text))

    def table(self, lines):
        """A table: what its first column names, its last one says; those between are notes."""
        rows = [[cell.strip().replace('\\|', '|') for cell in re.split(r'(?<!\\)\|', line)[1:-1]]
                for line in lines]
        titles = rows[0]
        for cells in rows[2:]:
            if len(cells) != len(titles):
                raise ValueError(f'not {len(titles)} cells: {cells}')
            self.tag(self.inline(cells[0]))
            self.put(self.inline(cells[-1]))
            for title, cell in zip(titles[1:-1], cells[1:-1]):
                if cell:
                    self.roff.append('.br')
                    self.put(self.inline(f'{title}: {cell}' if title else cell))

    def paragraph(self, lines):
        """Text that is filled."""
        self.roff.append('.PP')
        self.put(self.inline(' '.join(line.strip() for line in lines)))

    def block(self, lines):
        """A block of lines that nothing parts."""
        if lines[0].startswith('|'):
            self.table(lines)
        elif ITEM.fullmatch(lines[0]):
            self.items(lines)
        elif UNKNOWN.match(lines[0]):
            raise ValueError(f'no Markdown that is known here: {lines[0]}')
        else:
            # A list or a table may follow its introduction at once.
            rest = next((number for number, line in enumerate(lines)
                         if ITEM.fullmatch(line) or line.startswith('|')), len(lines))
            self.paragraph(lines[:rest])
            if lines[rest:]:
                self.block(lines[rest:])

    def body(self, lines):
        """All blocks of the document, one after the other."""
        block = []
        code = None
        for line in [*lines, '']:
            fence = line.startswith('```')
            if code is not None:
                if fence:
                    self.code(code)
                    code = None
                else:
                    code.append(line)
                continue
            heading = re.match(r'(##|###) (.*)', line)
            if block and (fence or heading or not line.strip()):
                self.block(block)
                block = []
            if fence:
                code = []
            elif heading:
                self.heading(len(heading[1]), heading[2])
            elif line.strip():
                block.append(line)
        if code is not None:
            raise ValueError('code that does not end')

    def see_also(self, name):
        """The other manual pages, and the documents that are linked to."""
        others = [f'\\fB{other}\\fR({section})' for other, section, _ in self.pages if other != name]
        sources = [path for _, _, path in self.pages]
        root = self.source.parents[2]
        files = [f'\\fI{self.escape(str(self.documents / path.relative_to(root)), code=True)}\\fR'
                 for path in self.linked if path not in sources]
        if others or files:
            self.roff.append('.SH "SEE ALSO"')
        for number, entry in enumerate([', '.join(others)] * bool(others) + files):
            if number > 0:
                self.roff.append('.br')
            self.roff.append(entry)

    # The whole

    def make(self, name, section, version):
        """The page as roff."""
        title, *lines = self.source.read_text(encoding='utf-8').splitlines()
        if not title.startswith('# '):
            raise ValueError('it has no title')
        purpose = title[2:3].lower() + title[3:]
        named = next((number for number, line in enumerate(lines)
                      if line.lower() == '## name'), None)
        if named is not None:
            # The section NAME has a form of its own: apropos(1) reads it.
            end = next(number for number, line in enumerate(lines)
                       if line.startswith('## ') and number > named)
            purpose = re.sub(r'^\W*[\w.-]+\W*?(:| [-–—]) +', '',
                             ' '.join(lines[named + 1:end]).strip())
            lines[named:end] = []
        date = datetime.datetime.fromtimestamp(
            int(os.environ.get('SOURCE_DATE_EPOCH', self.source.stat().st_mtime)),
            datetime.timezone.utc).date()
        # No word is parted and no line stretched: said once for each kind of groff.
        self.roff = [
            f'.\\" Made from {self.source.name}.',
            f'.TH {name.upper()} {section} {date} "amps {version}" AMPS',
            '.nh',
            '.nr HY 0',
            '.ad l',
            '.ds AD l',
            '.SH NAME',
            f'{name} \\- {self.inline(purpose.rstrip("."))}',
        ]
        first = next((line for line in lines if line.strip()), '')
        if not first.startswith('## '):
            self.heading(2, 'Description')
        self.body(lines)
        self.see_also(name)
        # A paragraph right behind a heading is one by itself.
        text = '\n'.join(self.roff) + '\n'
        return re.sub(r'^(\.S[HS] .*)\n\.PP$', r'\1', text, flags=re.MULTILINE)


def parse_page(text):
    """NAME.SECTION=DOCUMENT."""
    page, _, source = text.partition('=')
    name, _, section = page.rpartition('.')
    return name, section, pathlib.Path(source).resolve()


def main():
    """Makes one of the pages."""
    parser = argparse.ArgumentParser(description='Makes a manual page from a document.')
    parser.add_argument('--version', required=True, help='of AMPS')
    parser.add_argument('--documents', required=True, type=pathlib.Path,
                        help='where the tree of documents is installed')
    parser.add_argument('--output', required=True, type=pathlib.Path)
    parser.add_argument('page', help='the one to make: NAME.SECTION')
    parser.add_argument('pages', nargs='+', type=parse_page, metavar='NAME.SECTION=DOCUMENT',
                        help='all pages; it names the others')
    arguments = parser.parse_args()
    name, section, source = next(page for page in arguments.pages
                                 if '.'.join(page[:2]) == arguments.page)
    try:
        text = Page(source, arguments.pages, arguments.documents).make(name, section,
                                                                       arguments.version)
    except ValueError as wrong:
        parser.exit(1, f'{source}: {wrong}\n')
    arguments.output.write_text(text, encoding='ascii')


if __name__ == '__main__':
    main()
