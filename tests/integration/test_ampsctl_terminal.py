# SPDX-License-Identifier: MIT
"""ampsctl in a real terminal."""

import json
import pathlib
import shutil
import tempfile
import unittest

import ampsctl
from amps import Amps, wait_until
from broker import EmbeddedNode, EmbeddedQueue, event
from rabbitmq_node import free_port
from terminal import Terminal
from workload import Workload


@unittest.skipIf(shutil.which('tmux') is None, 'there is no tmux')
class InTerminal(unittest.TestCase):
    """What is shown in place."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='amps-test-')
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.node = EmbeddedNode(folder.name)
        self.node.start()
        self.queue = EmbeddedQueue(self.node, 'jobs', None, None)
        self.addCleanup(self.queue.close)
        self.workload = Workload(lambda _: 202)
        self.addCleanup(self.workload.stop)
        self.port = free_port()
        self.amps = self.start()

    def start(self):
        """An AMPS on the same port."""
        amps = Amps(self.node.uri, 'jobs', self.workload, PORT=self.port, DRAIN_TIMEOUT='0s')
        amps.port = self.port
        self.addCleanup(amps.__exit__)
        return amps.wait_ready()

    def terminal(self, width=80, height=24, **settings):
        """A terminal in which `ampsctl` is this AMPS's."""
        terminal = Terminal(self, width, height, PORT=self.port, **settings)
        terminal.type(f'alias ampsctl={ampsctl.BINARY}; clear')
        terminal.wait_gone('alias')
        return terminal

    def publish(self, *names):
        """Puts jobs in flight."""
        before = len(self.workload.posts)
        self.queue.fill(event(name) for name in names)
        self.workload.wait(before + len(names))

    def assert_sane(self, terminal):
        """The shell has its terminal as it was before."""
        terminal.press('C-u')
        terminal.type('stty -a | tr ";" "\\n" | grep -c -w -e "icanon" -e "echo" -e "susp = ^Z"')
        terminal.wait_for('\n2\n')

    def test_top(self):
        self.publish(*range(30))
        terminal = self.terminal()
        terminal.type('echo before; ampsctl top --interval=200ms')
        lines = terminal.wait_for('jobs: running, ready', 'in flight 30 of 100', 'acknowledged 0.0')
        self.assertEqual(len(lines), 24)
        self.assertNotIn('before', terminal.screen)
        self.assertTrue(lines[0].startswith('jobs: running'))
        self.assertEqual(lines[4].split(), ['LATENCY', 'P50', 'P90', 'P99'])
        self.assertEqual(lines[9].split(), ['ID', 'TYPE', 'STATE', 'TRY', 'AGE', 'LEFT'])
        self.assertEqual([line.split()[0] for line in lines[10:23]], list(map(str, range(13))))
        self.assertIn('\x1b[32mjobs: running', terminal.colours)

        for width, height in ((40, 15), (120, 40), (80, 24), (20, 5)):
            terminal.resize(width, height)
            if width == 40:
                lines = terminal.wait_for('in flight 30 of 100, in the queue 0, de…')
                self.assertIn('from the POST to the out…', lines[5])
                self.assertTrue(lines[9].endswith('LEFT'), lines)
            elif width > 80:
                terminal.wait_for('\n28 ')
        terminal.resize(80, 24)
        for number in range(30):
            self.amps.post('/acknowledge', {'identifier': str(number)})
        terminal.wait_for('in flight 0 of 100')
        terminal.press('q')
        terminal.wait_for('before')
        self.assertNotIn('LATENCY', terminal.screen)
        terminal.type('echo "status $?"')
        terminal.wait_for('status 0')
        self.assert_sane(terminal)

    def test_jobs(self):
        """It changes in place, also when AMPS goes and comes."""
        self.publish('a', 'b')
        terminal = self.terminal(40, 10)
        terminal.type('ampsctl jobs --watch --interval=200ms')
        lines = terminal.wait_for('2 jobs in flight')
        self.assertEqual([line.split()[0] for line in lines[2:4]], ['a', 'b'])
        self.amps.post('/acknowledge', {'identifier': 'a'})
        lines = terminal.wait_for('1 job in flight')
        self.assertEqual(lines[2].split()[0], 'b')
        self.assertEqual(''.join(lines[3:]), '')
        self.publish(*range(20))
        lines = terminal.wait_for('21 jobs in flight', 'and 14 more')
        self.assertEqual(len(lines), 10)
        self.assertEqual(lines[9], 'and 14 more')
        self.amps.stop()
        terminal.wait_for('there is no AMPS')
        self.amps = self.start()
        terminal.wait_gone('there is no AMPS')
        terminal.press('C-c')
        terminal.wait_for('ready>')
        terminal.type('echo "status $?"')
        terminal.wait_for('status 130')
        self.assert_sane(terminal)

    def test_suspended(self):
        """Ctrl-Z gives the terminal back, and `fg` takes it again."""
        self.publish('a')
        terminal = self.terminal()
        terminal.type('echo before; ampsctl jobs --watch --interval=200ms')
        terminal.wait_for('1 job in flight')
        terminal.press('C-z')
        terminal.wait_for('before')
        terminal.wait_gone('in flight')
        self.assert_sane(terminal)
        terminal.type('fg')
        terminal.wait_for('1 job in flight')
        self.publish('b')
        terminal.wait_for('2 jobs in flight')
        terminal.press('q')
        terminal.wait_for('before')
        self.assert_sane(terminal)

    def test_no_colours(self):
        self.publish('a')
        for settings, option in (({'NO_COLOR': '1'}, ''), ({}, ' --no-color')):
            terminal = self.terminal(**settings)
            terminal.type(f'ampsctl status{option}')
            terminal.wait_for('running, ready')
            terminal.type(f'ampsctl jobs{option}')
            terminal.wait_for('LEFT')
            self.assertNotIn('\x1b[', terminal.colours)
        terminal.type('clear; ampsctl status')
        wait_until(lambda: '\x1b[32mrunning, ready' in terminal.colours, what='colours')

    def test_no_such_terminal(self):
        """One that can show nothing in place gets lines."""
        self.publish('a')
        terminal = self.terminal()
        terminal.type('TERM=dumb ampsctl jobs --watch --count=2 --interval=100ms; echo "status $?"')
        terminal.wait_for('status 0')
        self.assertEqual(terminal.screen.count('1 job in flight'), 2)

    def test_progress(self):
        """The bar grows, and leaves nothing behind."""
        path = self.folder / 'events'
        path.write_bytes(b'\n'.join(event(number, type='other') for number in range(60000)))
        terminal = self.terminal()
        terminal.type(f'ampsctl publish {path}')
        lines = terminal.wait_for('Publishing [')
        bar = next(line for line in lines if 'Publishing' in line)
        self.assertRegex(bar, r'^Publishing \[#*-+\] \d+/60000 +\d+% \d+/s$')
        wait_until(lambda: '[#' in terminal.screen, what='a longer bar')
        terminal.press('C-c')
        terminal.wait_for('events published')
        self.assertNotIn('Publishing [', terminal.screen)
        terminal.type('echo "status $?"')
        terminal.wait_for('status 130')

        terminal.clear()
        terminal.resize(40, 24)
        terminal.type(f'ampsctl publish {path}')
        lines = terminal.wait_for('Publishing ')
        self.assertRegex(next(line for line in lines if line.startswith('Publishing ')),
                         r'^Publishing \d+/60000 +\d+% \d+/s$')
        terminal.press('C-c')
        terminal.wait_for('events published')

        terminal.clear()
        interrupted = f'timeout --foreground -s INT 1 {ampsctl.BINARY} publish {path}'
        terminal.type(f'clear; {interrupted} 2>&1 | cat')
        terminal.wait_for('events published')
        self.assertNotIn('Publishing', terminal.screen)

    def test_help_fits(self):
        terminal = self.terminal(60, 80)
        terminal.type('ampsctl help; ampsctl help publish')
        lines = terminal.wait_for('--keep-going')
        self.assertLessEqual(max(map(len, lines)), 60)

    def test_json_on_a_terminal(self):
        """It is for a person who looks at what a program would get."""
        self.publish('a')
        terminal = self.terminal()
        terminal.type('clear; ampsctl jobs --json')
        lines = terminal.wait_for('"count" : 1')
        text = '\n'.join(lines)
        self.assertEqual(json.loads(text[text.index('{'):text.rindex('}') + 1])['count'], 1)


if __name__ == '__main__':
    unittest.main()
