# SPDX-License-Identifier: MIT
"""The rules of the tree. Each check yields what is wrong, and what to do."""

import graphlib
import io
import os
import pathlib
import re
import shutil
import subprocess
import tokenize

TOP_LEVEL = {
    'CONTRIBUTING.md', 'LICENSE', 'NEWS', 'README.md', 'SECURITY.md', 'data', 'docs',
    'flatpak-free-container', 'meson.build', 'meson_options.txt', 'po', 'src', 'tests',
}
MAX_LINES = 600
MAX_COLUMNS = 100
CODE = {'.c', '.h', '.go', '.py', '.sh', '.css', '.html', '.js', '.xml', '.yaml', '.yml', '.service', '.supp'}
CODE_NAMES = {'meson.build', 'meson_options.txt', 'Containerfile', 'packages', 'POTFILES', 'LINGUAS'}
GENERATED_OR_BINARY = {'.png', '.gif', '.svg', '.bin', '.json'}

# Which rooms of src/ a room may include, beside itself. See src/README.md.
BROKER = 'broker/amps-broker.h'
CONFIG = 'config/amps-config.h'
DEAD_LETTERS = 'broker/amps-dead-letters.h'
BACKEND = 'broker/amps-broker-backend.h'
MODEL = ['base/', 'event/', 'jobs/']
ROOMS = {
    'base': [],
    'event': ['base/'],
    'jobs': ['base/', 'event/'],
    'metrics': MODEL,
    'config': ['base/', 'event/amps-cloudevent.h'],
    'http': [*MODEL, CONFIG],
    'broker': [*MODEL, 'metrics/', CONFIG],
    'broker/*': [*MODEL, 'metrics/', CONFIG, BROKER, DEAD_LETTERS, BACKEND],
    'workload': [*MODEL, 'metrics/', 'http/', CONFIG],
    'telemetry': [*MODEL, 'metrics/', 'http/', CONFIG],
    'delivery': [*MODEL, 'metrics/', 'workload/', 'telemetry/', CONFIG, BROKER],
    'server': [*MODEL, 'metrics/', 'http/', 'delivery/', CONFIG, BROKER, DEAD_LETTERS],
    'dbus': [*MODEL, 'delivery/', CONFIG, BROKER],
    'sentry': [*MODEL, 'metrics/', CONFIG],
    'ctl': [*MODEL, CONFIG, 'config/amps-config-names.h', 'amps-locale.h', BROKER, DEAD_LETTERS,
            'broker/amps-broker-factory.h'],
    '.': [*MODEL, 'metrics/', 'config/', 'http/', 'telemetry/', 'workload/', 'delivery/',
          'server/', 'dbus/', 'sentry/', BROKER, 'broker/amps-broker-factory.h'],
}
# The only file that names the backends: of each the header with its row.
FACTORY = 'broker/amps-broker-factory.c'
BACKEND_ROW = r'broker/(\w+)/amps-\1-backend\.h'

# What makes an object, or what stands for one: with name, parameters and body.
CONSTRUCTOR = re.compile(r'^(?!static)\w[\w ]* \**\n(amps_\w+_(?:new|create)(?:_\w+)?) '
                         r'\(([^{;]*)\)\n\{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
# For each job or connection.
MADE_OFTEN = {'amps_amqp_publisher_new_copy', 'amps_endpoint_create_message',
              'amps_http_connection_new', 'amps_job_message_new'}

# Which rooms may see a library's headers.
LIBRARIES = {
    r'amqp.*\.h|rabbitmq-c/.*': ['broker/amqp'],
    r'sqlite3\.h': ['broker/embedded'],
    r'libsoup/.*': ['http', 'workload', 'telemetry', 'server', 'ctl', 'sentry'],
    r'json-glib/.*': ['http', 'workload', 'delivery', 'server', 'ctl', 'sentry'],
}


def files(root):
    """Every file of the tree that a person wrote."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders
                            if name not in ('.git', '__pycache__', 'node_modules')
                            and not name.startswith('_build'))
        for name in sorted(names):
            if name != '.git':
                yield pathlib.Path(folder, name)


def c_files(root):
    """Every C file of the tree."""
    return [path for path in files(root) if path.suffix in ('.c', '.h')]


def lines_of(path):
    """The numbered lines of a text file; none of a binary one."""
    if path.suffix in GENERATED_OR_BINARY or 'corpus' in path.parts:
        return []
    try:
        return list(enumerate(path.read_text(encoding='utf-8').splitlines(), 1))
    except UnicodeDecodeError:
        return []


def is_code(path):
    """Whether a file is source: by its name, or because it is a script."""
    if path.suffix in CODE or path.name in CODE_NAMES:
        return True
    return path.suffix == '' and path.is_file() and path.read_bytes().startswith(b'#!')


def check_top_level(root):
    """Nothing lies at the top but what belongs there."""
    for name in sorted(os.listdir(root)):
        if name not in TOP_LEVEL and not name.startswith(('.', '_build')):
            yield f'{name}: does not belong at the top level; move it into the folder it is part of'


def check_licence(root):
    """Each source names its licence in its first lines."""
    for path in files(root):
        if is_code(path) and not any('SPDX-License-Identifier: MIT' in line
                                     for _, line in lines_of(path)[:3]):
            yield f'{path.relative_to(root)}:1: begin with a comment "SPDX-License-Identifier: MIT"'


def check_length(root):
    """No file is too long to be read in one go."""
    for path in files(root):
        count = len(lines_of(path)) if is_code(path) else 0
        if count > MAX_LINES:
            yield (f'{path.relative_to(root)}: {count} lines, over {MAX_LINES}; '
                   'which part of it wants its own file?')


def check_text(root):
    """No unfinished marks, no paths of one machine, no stray whitespace."""
    marks = re.compile(r'\b(TO' r'DO|FIX' r'ME|XX' r'X|HA' r'CK)\b')
    paths = re.compile(r'(?<![\w}.*])/(tmp|work|root)/')
    for path in files(root):
        place = path.relative_to(root)
        lines = lines_of(path)
        for number, line in lines:
            if marks.search(line):
                yield f'{place}:{number}: unfinished mark; finish it'
            if paths.search(line):
                yield f'{place}:{number}: path of one machine; use a temporary folder'
            if line != line.rstrip():
                yield f'{place}:{number}: white space at the end of the line; remove it'
            # gofmt wants them.
            if '\t' in line and path.suffix != '.go':
                yield f'{place}:{number}: tab; indent with spaces'
        if lines and not path.read_bytes().endswith(b'\n'):
            yield f'{place}: no newline at the end; add it'


def check_includes(root):
    """Who includes whom is what src/README.md says."""
    source = root / 'src'
    include = re.compile(r'\s*#\s*include\s+(["<])([^">]+)[">]')
    for path in c_files(source):
        place = path.relative_to(source)
        room = place.parent.as_posix()
        for number, line in lines_of(path):
            found = include.match(line)
            if found is None:
                continue
            message = (included_library(room, found[2]) if found[1] == '<'
                       else included_file(source, place, found[2]))
            if message is not None:
                yield f'src/{place}:{number}: {message}'


def included_library(room, header):
    """What is wrong with a room seeing a library's header, if anything."""
    for pattern, rooms in LIBRARIES.items():
        if re.fullmatch(pattern, header) and room not in rooms:
            return f'<{header}> is only for {", ".join(rooms)}'
    return None


def included_file(source, place, header):
    """What is wrong with a file of src/ including another, if anything."""
    room = place.parent.as_posix()
    kind = re.sub(r'^broker/\w+$', 'broker/*', room)
    target = find_included(source, place, header)
    if target is None:
        return None
    if '..' in header:
        return f'"{header}" climbs; name it from src/'
    if kind not in ROOMS:
        return f'the room {room} is unknown; give it its line in tests/style/checks.py'

    target_room = pathlib.PurePath(target).parent.as_posix()
    if header.endswith('-private.h') and target_room != room:
        return f'"{header}" is only for its own room, {target_room}'
    if place.as_posix() == FACTORY and re.fullmatch(BACKEND_ROW, target):
        return None
    allowed = ROOMS[kind]
    if target_room == room or any(target == name or name.endswith('/') and target.startswith(name)
                                  for name in allowed):
        return None
    return f'{room} may not include "{target}"; only {", ".join(allowed) or "itself"}'


def find_included(source, place, header):
    """Where in src/ a header is that a file there includes; None if the build makes it."""
    beside = (place.parent / header).as_posix()
    target = beside if (source / beside).is_file() else header
    return target if (source / target).is_file() else None


def check_circles(root):
    """No class knows one that knows it: what either includes, it includes in no file."""
    source = root / 'src'
    known = {}
    for path in c_files(source):
        place = path.relative_to(source)
        own = class_of(place.as_posix())
        included = (find_included(source, place, header) for header in
                    re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(encoding='utf-8'),
                               re.MULTILINE))
        known.setdefault(own, set()).update(class_of(target) for target in included if target)
        known[own].discard(own)
    try:
        graphlib.TopologicalSorter(known).prepare()
    except graphlib.CycleError as error:
        yield (f'src: {" <- ".join(error.args[1])}: these include each other in a circle; '
               'which of them can do without the other?')


def class_of(name):
    """The class that a file belongs to."""
    return re.sub(r'(-private)?\.[ch]$', '', name)


def check_function_names(root):
    """A debugger or profiler shows a static function by its name alone."""
    places = {}
    for path in c_files(root / 'src'):
        for name in re.findall(r'^static [^=;{}()]*?\n(\w+) \(', path.read_text(encoding='utf-8'),
                               re.MULTILINE):
            places.setdefault(name, set()).add(path.relative_to(root).as_posix())
    for name, files_ in sorted(places.items()):
        if len(files_) > 1:
            yield f'{", ".join(sorted(files_))}: each has a static {name}(); put the class before it'


def check_preconditions(root):
    """Who makes an object is told at once what is no argument; see docs/contributing.md."""
    kinds = {}
    for path in c_files(root / 'src'):
        for name, prefix, kind in re.findall(r'G_DECLARE_\w+\s*\((\w+),\s*\w+,\s*(\w+),\s*(\w+)',
                                             path.read_text(encoding='utf-8')):
            kinds[name] = f'{prefix}_IS_{kind}'
    for path in c_files(root / 'src'):
        for name, parameters, body in CONSTRUCTOR.findall(path.read_text(encoding='utf-8')):
            for kind, argument in re.findall(r'(\w+) \*(\w+)', parameters):
                check = f'{kinds.get(kind)} ({argument})'
                if kind in kinds and check not in body and name not in MADE_OFTEN:
                    yield f'{path.relative_to(root)}: {name}() begins without a check of {check}'


def check_foreign_text(root):
    """Bytes of others become text in one place, which bounds them, too; the log and the
    metrics escape what they write."""
    places = {'base/amps-foreign-text.c', 'base/amps-log.c', 'metrics/amps-queue-depths.c'}
    for path in c_files(root / 'src'):
        place = path.relative_to(root / 'src').as_posix()
        for number, line in lines_of(path) if place not in places else []:
            if 'g_utf8_make_valid' in line:
                yield f'src/{place}:{number}: use amps_foreign_text_dup()'


def check_registered(root):
    """Each C file is built and each test run: its folder's meson.build names it."""
    for path in c_files(root):
        build = path.parent / 'meson.build'
        if path.suffix != '.c' or not build.is_file():
            continue
        names = [path.name, path.stem, re.sub(r'^(test|fuzz|bench)-', '', path.stem)]
        text = build.read_text(encoding='utf-8')
        if not any(f"'{name}'" in text for name in names):
            yield (f'{path.relative_to(root)}: not built; '
                   f'name it in {build.relative_to(root)}')


def check_unit_tests(root):
    """Each class has a unit test under its name, or a row in contributing.md says why not."""
    manual = root / 'docs/contributing.md'
    rows = re.findall(r'^\| (`amps-[^|]*`) \|', manual.read_text(encoding='utf-8')
                      if manual.is_file() else '', re.MULTILINE)
    excused = {name for row in rows for name in re.findall(r'`(amps-[\w-]+)`', row)}
    classes = {path.stem: path.relative_to(root) for path in c_files(root / 'src')
               if path.suffix == '.c' and path.stem.startswith('amps-')}
    for name, path in sorted(classes.items()):
        test = root / f"tests/unit/test-{name.removeprefix('amps-')}.c"
        if test.is_file() and name in excused:
            yield f'docs/contributing.md: {name} has a test; take it out of the table'
        elif not test.is_file() and name not in excused:
            yield f'{path}: has no {test.relative_to(root)}; write it, or say in contributing.md why'
    for name in sorted(excused - classes.keys()):
        yield f'docs/contributing.md: there is no {name}; take it out of the table'


def check_translations(root):
    """po/POTFILES lists exactly the sources with text for people."""
    listed_in = root / 'po' / 'POTFILES'
    text = listed_in.read_text(encoding='utf-8') if listed_in.is_file() else ''
    listed = {line.strip() for line in text.splitlines() if line.strip() and line[0] != '#'}
    marked = re.compile(r'(?<!\w)(N?_|C_|NC_|Q_|d?n?gettext|g_dn?gettext)\s*\(\s*"')
    used = {path.relative_to(root).as_posix() for path in c_files(root / 'src')
            if marked.search(path.read_text(encoding='utf-8'))}
    for name in sorted(used - listed):
        yield f'{name}: has text to translate; list it in po/POTFILES'
    for name in sorted(listed - used):
        yield f'po/POTFILES: {name} has no text to translate (or is gone); take it out'


def gettext(program, *arguments, **how):
    """Runs a program of gettext."""
    if shutil.which(program) is None:
        raise LookupError(f'there is no {program}')
    return subprocess.run([program, *arguments], capture_output=True, text=True,
                          **{'check': True, **how})


def check_languages(root):
    """Each translation says all there is to say, and nothing else."""
    folder = root / 'po'
    linguas = folder / 'LINGUAS'
    if not linguas.is_file():
        return
    # What meson's preset for GLib says, as far as it matters here.
    template = gettext('xgettext', '--from-code=UTF-8', '--keyword=_', '--keyword=N_',
                       '--keyword=C_:1c,2', '--keyword=NC_:1c,2', '--flag=N_:1:pass-c-format',
                       '--flag=g_printerr:1:c-format', f'--files-from={folder / "POTFILES"}',
                       f'--directory={root}', '--output=-').stdout
    for text in re.findall(r'^msg(?:id|id_plural) (?:".*"\n)*(".*(?<!%)%")$', template,
                           re.MULTILINE):
        yield (f'src: the translatable {text} ends at a macro, which nobody can translate; '
               'use PRIi64 or the like')
    for language in linguas.read_text(encoding='utf-8').split('\n'):
        if not language or language.startswith('#'):
            continue
        path = folder / f'{language}.po'
        checked = gettext('msgfmt', '--check', '--output-file=/dev/null', path, check=False)
        if checked.returncode != 0:
            yield checked.stderr.replace(f'{root}/', '').strip()
            continue
        merged = gettext('msgmerge', '--no-fuzzy-matching', '--output-file=-', path, '-',
                         input=template).stdout
        for which, wrong in (('untranslated', 'is not translated'),
                             ('only-fuzzy', 'is marked as fuzzy; look at it'),
                             ('only-obsolete', 'is said by nobody; take it out')):
            found = gettext('msgattrib', f'--{which}', '--no-wrap', input=merged).stdout
            for text in re.findall(r'^(?:#~ )?msgid (".+"|""(?:\n(?:#~ )?".*")+)', found,
                                   re.MULTILINE):
                yield f'po/{path.name}: {text} {wrong}'


def anchors(path):
    """What the headings of a document can be linked by, as GitHub and its kin name them."""
    found = set()
    for line in prose(path):
        heading = re.match(r'#+ (.*)', line)
        if heading is not None:
            found.add(re.sub(r'[^\w\- ]', '', heading[1].lower()).replace(' ', '-'))
    return found


def numbered_prose(path):
    """The lines of a document that are not code, each with its number."""
    code = False
    for number, line in lines_of(path):
        if line.lstrip().startswith('```'):
            code = not code
        elif not code:
            yield number, line


def prose(path):
    """The lines of a document that are not code."""
    return (line for _, line in numbered_prose(path))


def check_columns(root):
    """No line of prose is too long. Markdown can't break a table's row or a URL."""
    for path in files(root):
        if path.suffix != '.md':
            continue
        for number, line in numbered_prose(path):
            length = len(re.sub(r'\S*://\S*', '', line))
            if length > MAX_COLUMNS and not line.startswith('|'):
                yield (f'{path.relative_to(root)}:{number}: {length} columns, over {MAX_COLUMNS}; '
                       'wrap the paragraph')


def check_links(root):
    """What a document links to, or a comment names, is there, with its heading."""
    for path in files(root):
        place = path.relative_to(root)
        found = []
        if path.suffix == '.md':
            found = [(target, path.parent / target.partition('#')[0] if target[0] != '#' else path)
                     for line in prose(path)
                     for target in re.findall(r'\]\((?!\w+:)([^)\s]+)\)', line)]
        elif path.suffix in ('.c', '.h', '.py'):
            found = [(target, root / target.partition('#')[0])
                     for comment in comments(path)
                     for target in re.findall(r'(?<![\w/])docs/[\w/-]+\.\w+(?:#[\w-]+)?', comment)]
        for target, file in found:
            name, _, anchor = target.partition('#')
            if not file.exists():
                yield f'{place}: links to {name}, which is not there'
            elif anchor and anchor not in anchors(file):
                yield f'{place}: {name or "it"} has no heading for #{anchor}'


def comments(path):
    """The comments of a source that may name a document; for Python, its docstrings, too."""
    text = path.read_text(encoding='utf-8')
    if 'docs/' not in text:  # Nothing to be looked for, and reading the rest takes long.
        return []
    if path.suffix == '.py':
        return [token.string for token in tokenize.generate_tokens(io.StringIO(text).readline)
                if token.type == tokenize.COMMENT or token.string.startswith('"""')]
    return re.findall(r'"(?:\\.|[^"\\\n])*"|(/\*.*?\*/)', text, re.DOTALL)


def check_promises(root):
    """Each promise names the tests that hold it, and they are there."""
    document = root / 'docs/promises.md'
    text = document.read_text(encoding='utf-8') if document.is_file() else ''
    for promise in re.split(r'^### ', text, flags=re.MULTILINE)[1:]:
        title = promise.partition('\n')[0]
        tests = re.search(r'^Tests?: (.*?\]\(.*?)\.\n(?:\n|\Z)', promise, re.DOTALL | re.MULTILINE)
        if tests is None:
            yield f'docs/promises.md: "{title}" has no paragraph "Tests: [name](file) `test`."'
            continue
        for file, names in re.findall(r'\]\(([^)]+)\)([^[]*)', tests[1]):
            test = document.parent / file
            code = test.read_text(encoding='utf-8') if test.is_file() else ''
            for name in re.findall(r'`([^`]+)`', names):
                if not re.search(rf'(?<![\w-]){re.escape(name)}(?![\w-])', code):
                    yield f'docs/promises.md: "{title}" names {name}, which is not in {file}'


def check_libsoup(root):
    """The ledger of what AMPS relies on in libsoup: its tests are there, and no entry is kept
    for versions that are too old for meson.build."""
    ledger = root / 'docs/libsoup.md'
    if not ledger.is_file():
        return
    oldest = re.search(r"'libsoup-3\.0', version: '>= ([\d.]+)'",
                       (root / 'meson.build').read_text(encoding='utf-8'))[1]
    for entry in re.split(r'^### ', ledger.read_text(encoding='utf-8'), flags=re.MULTILINE)[1:]:
        title = entry.split('\n', 1)[0]
        tests = re.findall(r'^\* Test: \[[^\]]+\]\(([^)]+)\)\s+`([^`]+)`$', entry, re.MULTILINE)
        until = re.search(r'^\* May go: ([\d.]+\d)', entry, re.MULTILINE)
        if not tests:
            yield f'docs/libsoup.md: “{title}” has no test'
        for path, name in tests:
            file = ledger.parent / path
            if file.is_file() and name.rsplit('/', 1)[-1] not in file.read_text(encoding='utf-8'):
                yield f'docs/libsoup.md: “{title}” names {name}, which is not in {path}'
        if until and version_of(oldest) >= version_of(until[1]):
            yield f'docs/libsoup.md: “{title}” may go: meson.build wants libsoup {oldest}'


def version_of(text):
    """What can be compared of a version."""
    return [int(part) for part in text.split('.')]


def logged_events(root):
    """The events that the program logs, each with the levels at which it does."""
    found = {}
    for path in c_files(root / 'src'):
        text = path.read_text(encoding='utf-8')
        for level, event in re.findall(r'\bamps_log(?:_job|_lines)? \(\s*([A-Z]+),\s*([A-Z_]+)', text):
            found.setdefault(event, set()).add(level.lower().replace('message', 'notice'))
    # What has no event of its own gets one of these, at whatever level.
    log = root / 'src/base/amps-log.c'
    text = log.read_text(encoding='utf-8') if log.is_file() else ''
    return {**dict.fromkeys(re.findall(r'AMPS_LOG_EVENT_(\w+)', text), {'any'}), **found}


def check_log_calls(root):
    """Whatever is logged has its event."""
    bare = re.compile(r'\bg_(message|warning|info|debug|critical|error|log|log_structured\w*) \(')
    for path in c_files(root / 'src'):
        place = path.relative_to(root / 'src')
        for number, line in lines_of(path) if place.as_posix() != 'base/amps-log.c' else []:
            if bare.search(line):
                yield f'src/{place}:{number}: use amps_log() of base/amps-log.h'


def check_log_events(root):
    """Each event has a name and an id, is logged somewhere and described, as it is."""
    table = root / 'src/base/amps-log-event.c'
    manual = root / 'docs/reference/logs.md'
    if not table.is_file():
        return
    entries = re.findall(r'\[AMPS_LOG_EVENT_(\w+)\] = \{\s*"([a-z-]+)",\s*"([0-9a-f]{32})"',
                         table.read_text(encoding='utf-8'))
    rows = {row[0]: row[1:] for row in re.findall(r'^\| `([a-z-]+)` \| ([a-z, ]+) \| `(\w+)` \|',
                                                  manual.read_text(encoding='utf-8'), re.MULTILINE)}
    logged = logged_events(root)

    for column, what in ((1, 'name'), (2, 'id')):
        values = [entry[column] for entry in entries]
        for value in sorted({value for value in values if values.count(value) > 1}):
            yield f'src/base/amps-log-event.c: two events have the {what} {value}'
    for event, name, message_id in entries:
        if event not in logged:
            yield f'src/base/amps-log-event.c: {event} is never logged; take it out'
            continue
        row = ', '.join(sorted(logged[event])), message_id
        if rows.pop(name, None) != row:
            yield f'docs/reference/logs.md: say `{name}` | {row[0]} | `{row[1]}`'
    for name in rows:
        yield f'docs/reference/logs.md: {name} is not in src/base/amps-log-event.c'


def find_clang_format():
    """The only version whose opinion counts: others lay out differently."""
    for name in ('clang-format-14', 'clang-format'):
        program = shutil.which(name)
        if program is not None:
            version = subprocess.run([program, '--version'], capture_output=True, text=True,
                                     check=True).stdout
            if re.search(r'version 14\.', version):
                return program
    return None


def check_format(root):
    """C is laid out as clang-format 14 does it by .clang-format."""
    program = find_clang_format()
    if program is None:
        raise LookupError('clang-format 14 is not here')
    result = subprocess.run([program, '--dry-run', '--Werror', '--style=file', *c_files(root)],
                            capture_output=True, text=True, check=False)
    found = {}
    for place, line in re.findall(r'^(.*?):(\d+):\d+: error', result.stderr, re.MULTILINE):
        found.setdefault(pathlib.Path(place).relative_to(root), line)
    if result.returncode != 0 and not found:
        raise RuntimeError(result.stderr)
    for place, line in found.items():
        yield f'{place}:{line}: not formatted; run clang-format-14 -i {place}'


CHECKS = {
    'columns': check_columns,
    'top-level': check_top_level,
    'licence': check_licence,
    'length': check_length,
    'links': check_links,
    'text': check_text,
    'includes': check_includes,
    'circles': check_circles,
    'languages': check_languages,
    'libsoup-ledger': check_libsoup,
    'function-names': check_function_names,
    'foreign-text': check_foreign_text,
    'preconditions': check_preconditions,
    'registered': check_registered,
    'translations': check_translations,
    'unit-tests': check_unit_tests,
    'log-calls': check_log_calls,
    'log-events': check_log_events,
    'promises': check_promises,
    'format': check_format,
}
