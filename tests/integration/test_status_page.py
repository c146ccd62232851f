# SPDX-License-Identifier: MIT
"""The status page, in a real browser, and what those who watch cost."""

import json
import os
import pathlib
import re
import socket
import tempfile
import time
import unittest

import browser
from amps import Amps, wait_until
from broker import EmbeddedNode, EmbeddedQueue, event
from browser import Browser
from workload import Workload

HOSTILE = '<img src=x onerror=alert(1)>'
SIZES = {'phone': (390, 844), 'desk': (1280, 900), 'wall': (1920, 1080)}
# Where to leave pictures, for people.
PICTURES = os.environ.get('AMPS_TEST_PICTURES')


class StatusTest(unittest.TestCase):
    """A file with the queue “orders”, and a workload that keeps what it gets."""

    SETTINGS = {'MAX_CONCURRENCY': 20, 'RETRY_MIN_BACKOFF': '1h', 'RETRY_MAX_BACKOFF': '1h'}

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='amps-test-')
        self.addCleanup(folder.cleanup)
        self.node = EmbeddedNode(folder.name)
        self.node.start()
        self.queue = EmbeddedQueue(self.node, 'orders', None, None)
        self.addCleanup(self.queue.close)
        self.answers = {}
        self.workload = Workload(lambda post: self.answers.get(post.id, 202))
        self.addCleanup(self.workload.stop)

    def amps(self, **settings):
        """An AMPS that is ready."""
        amps = Amps(self.node.uri, 'orders', self.workload, **{**self.SETTINGS, **settings})
        self.addCleanup(amps.__exit__)
        amps.port = settings.get('PORT', amps.port)
        return amps.wait_ready()


class Page(StatusTest):
    """What is seen, and what can be done."""

    @classmethod
    def setUpClass(cls):
        browser.require()
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def open(self, amps, **options):
        """Opens the page, in English unless told otherwise."""
        width, height = options.pop('size', SIZES['desk'])
        self.browser.open(**{'url': f'http://127.0.0.1:{amps.port}/', 'locale': 'en-GB',
                             'viewport': {'width': width, 'height': height}, **options})

    def wait(self, selector, text):
        """Waits until something shows a text, which is a regular expression."""
        self.browser.wait(selector=selector, text=text)

    def confirm(self, button, **fields):
        """Clicks on a button and confirms."""
        self.browser.click(selector=button)
        for text in fields.values():
            self.browser.fill(selector='#confirm input', text=str(text))
        self.browser.click(selector='#confirm [type=submit]')

    def assert_no_complaints(self):
        """The page has neither failed nor done what it must not. The browser itself notes
        each request that AMPS has refused."""
        self.assertEqual([text for text in self.browser.complaints()
                          if 'Failed to load resource' not in text], [])

    def test_numbers_change(self):
        amps = self.amps()
        self.open(amps)
        self.wait('#verdict', 'All is well: no jobs wait')
        self.wait('#queue', '^orders$')
        self.wait('#in-flight', '^0$')
        self.queue.publish(event('first'))
        self.wait('#in-flight', '^1$')
        self.wait('#jobs', 'first.*running')
        self.wait('#limit', '^of 20 at once$')
        self.workload.posts[0].tell('/heartbeat')
        self.wait('#jobs', r'1, \d s ago')
        self.workload.posts[0].acknowledge()
        self.wait('#in-flight', '^0$')
        self.wait('#throughput figcaption', r'done 0\.\d')
        self.wait('#latency figcaption', r'median \d')
        self.assert_no_complaints()

    def test_steering(self):
        amps = self.amps()
        self.open(amps)
        self.wait('#amps .state', '^running$')
        self.browser.click(selector='#pause')
        self.wait('#confirm', 'Pause AMPS')
        self.browser.click(selector='#confirm [value=cancel]')
        self.assertEqual(amps.get('/health/detailed').json['state'], 'running')
        self.confirm('#pause')
        self.wait('#amps .state', '^paused$')
        self.wait('#verdict', '^Paused')
        self.assertEqual(amps.get('/health/detailed').json['state'], 'paused')
        self.assertIsNotNone(self.browser.attribute(selector='#pause', name='disabled'))
        self.confirm('#resume')
        self.wait('#amps .state', '^running$')

        self.confirm('#concurrency', limit=0)
        self.wait('#confirm-problem', 'from 1 to 65535')
        self.browser.fill(selector='#confirm input', text='7')
        self.browser.click(selector='#confirm [type=submit]')
        self.wait('#limit', '^of 7 at once$')
        self.assertEqual(amps.metric('amps_concurrency_limit'), 7)

        self.confirm('#drain')
        self.wait('#verdict', '^Drained')
        self.assertEqual(amps.get('/health/detailed').json['state'], 'draining')
        self.assert_no_complaints()

    def test_keyboard(self):
        self.open(self.amps())
        self.wait('#amps .state', '^running$')
        self.browser.press(key='Tab')
        self.assertEqual(self.browser.focused(), 'pause')
        self.browser.press(key='Enter')
        self.wait('#confirm', 'Pause AMPS')
        self.browser.press(key='Escape')
        self.assertEqual(self.browser.focused(), 'pause')
        self.browser.press(key='Enter')
        self.browser.press(key='Tab')
        self.assertEqual(self.browser.focused(), 'Pause')
        self.browser.press(key='Enter')
        self.wait('#amps .state', '^paused$')

    def test_hostile_texts(self):
        """What others write is text, wherever it is shown."""
        amps = self.amps(WORKER_ID=HOSTILE)
        self.answers = {'rejected' + HOSTILE: (422, {}, HOSTILE.encode()), HOSTILE: 202}
        self.open(amps)
        for identifier in self.answers:
            self.queue.publish(event(identifier))
        hostile = re.escape(HOSTILE)
        self.wait('#jobs', hostile)
        self.wait('#failures', f'rejected{hostile}.*attempt 1.*{hostile}')
        self.wait('#about', hostile)
        self.assertEqual(self.browser.count(selector='img'), 0)
        self.assert_no_complaints()

    def test_dead_letters(self):
        """They are shown with their reasons, and go back one by one or all at once."""
        amps = self.amps()
        for identifier in ('first', 'second', HOSTILE):
            self.answers[identifier] = (422, {}, f'no {identifier}'.encode())
            self.queue.publish(event(identifier))
        wait_until(lambda: amps.metric('amps_dead_letters_total') == 3, what='dead letters')
        self.answers = {}
        self.open(amps)
        self.wait('#link', '^live$')
        self.browser.click(selector='#show-letters')
        self.wait('#letters-shown', '^3 of 3$')
        self.wait('#letters tbody', f'no {re.escape(HOSTILE)}')
        self.browser.click(selector='[aria-label="Redrive second"]')
        self.wait('#confirm-text', '^second goes back')
        self.browser.click(selector='#confirm [type=submit]')
        self.wait('#letters-shown', '^2 of 2$')
        wait_until(lambda: amps.get('/jobs/second').status == 200, what='the job')
        self.browser.click(selector='#letters [value=all]')
        self.browser.click(selector='#confirm [type=submit]')
        self.wait('#letters .empty', 'There are none')
        wait_until(lambda: amps.get('/jobs').json['count'] == 3, what='all jobs')
        self.browser.click(selector='#letters [value=close]')
        self.wait('#in-flight', '^3$')
        self.assert_no_complaints()

    def test_token(self):
        amps = self.amps(API_TOKEN='open-sesame')
        self.open(amps)
        self.wait('#confirm-title', 'Token required')
        for token, selector, text in (('wrong', '#confirm-problem', 'does not take this token'),
                                      ('open-sesame', '#link', '^live$')):
            self.browser.fill(selector='#confirm input', text=token)
            self.browser.click(selector='#confirm [type=submit]')
            self.wait(selector, text)
        self.confirm('#pause')
        self.wait('#amps .state', '^paused$')
        self.assert_no_complaints()
        self.assertNotIn('open-sesame', amps.log)

    def test_restart(self):
        """The page finds an AMPS that comes back, and says so while it is not there."""
        amps = self.amps()
        self.open(amps)
        self.wait('#link', '^live$')
        amps.stop()
        self.wait('#verdict', 'No connection to AMPS')
        self.assertIsNotNone(self.browser.attribute(selector='#pause', name='disabled'))
        self.amps(PORT=amps.port)
        self.wait('#link', '^live$')
        self.wait('#verdict', 'All is well')

    def test_broken_neighbours(self):
        self.workload.stop()
        self.open(self.start_unready())
        self.wait('#workload .state', '^away$')
        self.wait('#verdict', '^Not ready: ')

    def start_unready(self):
        """An AMPS whose workload is not there."""
        amps = Amps(self.node.uri, 'orders')
        self.addCleanup(amps.__exit__)
        return amps.wait_listening()

    def test_german(self):
        self.open(self.amps(), locale='de-DE')
        self.wait('#verdict', '^Alles in Ordnung')
        self.confirm('#pause')
        self.wait('#verdict', '^Angehalten')
        self.assertEqual(self.browser.attribute(selector='html', name='lang'), 'de')
        self.assert_no_complaints()

    def test_everybody_can_read_it(self):
        """At each size and in both themes; and nothing is cut."""
        amps = self.amps()
        self.answers = {'rejected': (422, {}, b'no such customer'), 'later': 500}
        for identifier in ('first', 'second', 'rejected', 'later'):
            self.queue.publish(event(identifier))
        wait_until(lambda: len(self.workload.posts) >= 4, what='POSTs')
        for theme in ('light', 'dark'):
            self.open(amps, colorScheme=theme, bypassCSP=True)
            self.wait('#failures', 'no such customer')
            for name, (width, height) in SIZES.items():
                with self.subTest(theme, size=name):
                    self.browser.resize(width=width, height=height)
                    self.assertEqual(self.browser.overflow(), 0)
                    self.picture(f'{name}-{theme}')
                    if name != 'wall':  # which has all that the desk has
                        self.assertEqual(self.browser.axe(), [])
            self.browser.click(selector='#show-letters')
            self.wait('#letters-shown', '^1 of 1$')
            self.picture(f'letters-{theme}')
            self.assertEqual(self.browser.axe(), [])
            self.browser.click(selector='#letters [value=close]')
            self.browser.click(selector='#concurrency')
            self.assertEqual(self.browser.axe(), [])

    def picture(self, name):
        """Leaves a picture, if somebody wants to see it."""
        if PICTURES:
            self.browser.screenshot(path=f'{PICTURES}/{name}.png')


class Viewers(StatusTest):
    """They take neither the jobs' time nor the memory."""

    VIEWERS = 100

    def watch(self, amps, buffer=4096):
        """Begins to watch; returns the connection."""
        connection = socket.socket()
        self.addCleanup(connection.close)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        connection.connect(('127.0.0.1', amps.port))
        connection.sendall(b'GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n')
        return connection

    def test_viewers_that_do_not_read(self):
        """Each has one look waiting, and all have the same."""
        amps = self.amps(MAX_CONCURRENCY=50)
        padding = 'x' * 500
        for number in range(50):
            self.queue.publish(event(f'{number}{padding}'))
        wait_until(lambda: len(self.workload.posts) >= 50, what='POSTs')
        self.watch(amps).recv(100)
        before = amps.resident
        viewers = [self.watch(amps) for _ in range(self.VIEWERS)]
        slowest = 0
        end = time.monotonic() + 4
        while time.monotonic() < end:
            began = time.monotonic()
            self.assertEqual(amps.get('/healthz').status, 200)
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.1)
        # KiB, with room for what a sanitizer keeps.
        self.assertLess(amps.resident - before, self.VIEWERS * 256)
        self.assertLess(slowest, 2)
        for viewer in viewers:
            viewer.close()

    def test_too_many(self):
        amps = self.amps()
        viewers = [self.watch(amps) for _ in range(128)]
        for viewer in viewers:
            self.assertTrue(viewer.recv(15).startswith(b'HTTP/1.1 200'))
        answer = amps.get('/events')
        self.assertEqual(answer.status, 503)
        self.assertIn('128 viewers', answer.json['detail'])
        self.assertEqual(amps.get('/healthz').status, 200)

    def test_nobody_watches(self):
        """Then AMPS sleeps, before as after."""
        amps = self.amps(METRICS_ENABLED='false', WORKLOAD_RESTART='keep')
        viewer = self.watch(amps)
        self.assertTrue(viewer.recv(15).startswith(b'HTTP/1.1 200'))
        viewer.close()
        status = pathlib.Path(f'/proc/{amps.process.pid}/status')

        def wake_ups():
            return next(int(line.split()[1]) for line in status.read_text('ascii').splitlines()
                        if line.startswith('voluntary'))

        # Two looks tell that the viewer has gone, and a sweep that the connection has.
        time.sleep(4)
        before = wake_ups()
        time.sleep(3)
        self.assertLessEqual(wake_ups() - before, 1)

    def test_events(self):
        """They are what the manual says."""
        amps = self.amps()
        self.queue.publish(event('first'))
        wait_until(lambda: self.workload.posts, what='a POST')
        with self.watch(amps, 65536).makefile('rb') as stream:
            while stream.readline() != b'\r\n':
                pass
            self.assertEqual(stream.readline(), b'event: history\n')
            self.assertIsInstance(json.loads(stream.readline().removeprefix(b'data: ')), list)
            for _ in range(3):
                self.assertEqual(stream.readline(), b'\n')
                self.assertEqual(stream.readline(), b'event: status\n')
                look = json.loads(stream.readline().removeprefix(b'data: '))
                self.assertEqual(look['in_flight'], 1)
                self.assertEqual(look['jobs'][0]['id'], 'first')


if __name__ == '__main__':
    unittest.main()
