#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How one process may learn that another has committed a job to the file they share.

Two processes share an SQLite file in WAL mode. One commits a row from time to
time; the other waits in one of the ways below and looks. Printed is for each:
how long after the commit the row was seen, what a waiting process costs while
nothing happens, and what it costs while another one commits rows for somebody
else. AMPS has the one called `touch`.
"""

import argparse
import ctypes
import multiprocessing
import os
import select
import socket
import sqlite3
import statistics
import tempfile
import time

IN_MODIFY, IN_ATTRIB = 0x2, 0x4
libc = ctypes.CDLL(None, use_errno=True)


def connect(path):
    """As AMPS opens it."""
    database = sqlite3.connect(path, timeout=10, isolation_level=None)
    database.execute('PRAGMA journal_mode = WAL')
    database.execute('PRAGMA synchronous = FULL')
    return database


class Inotify:
    """Woken by what happens to the log; looks every 2 s all the same."""

    def __init__(self, path, mask):
        self._fd = libc.inotify_init1(os.O_NONBLOCK)
        libc.inotify_add_watch(self._fd, f'{path}-wal'.encode(), mask)

    def wait(self, _):
        """Returns when there may be something."""
        select.select([self._fd], [], [], 2)
        try:
            os.read(self._fd, 4096)
        except BlockingIOError:
            pass


class Writes(Inotify):
    """inotify on the writes to the log, which come before the commit is seen."""

    def __init__(self, path):
        super().__init__(path, IN_MODIFY)

    @staticmethod
    def tell(path):
        """The commit itself has told."""


class Touch(Inotify):
    """inotify on a touch of the log, behind the commit."""

    def __init__(self, path):
        super().__init__(path, IN_ATTRIB)

    @staticmethod
    def tell(path):
        """One system call."""
        os.utime(f'{path}-wal')


class Poll:
    """Looks again after 1 ms, 2 ms, 4 ms ... up to a longest pause."""

    longest = 0.1

    def __init__(self, _):
        self._pause = 0.001

    def wait(self, found):
        """Pauses."""
        self._pause = 0.001 if found else min(2 * self._pause, self.longest)
        time.sleep(self._pause)

    @staticmethod
    def tell(path):
        """Nobody is told."""


class Socket:
    """A datagram to the socket that each process has beside the file."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f'{path}-socket-{os.getpid()}')

    def wait(self, _):
        """Returns when there may be something."""
        if select.select([self._socket], [], [], 2)[0]:
            self._socket.recv(1)

    @staticmethod
    def tell(path):
        """Finds everybody's socket."""
        folder, name = os.path.split(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            for entry in os.listdir(folder):
                if entry.startswith(name + '-socket-'):
                    sender.sendto(b'x', os.path.join(folder, entry))


WAYS = {'writes': Writes, 'touch': Touch, 'poll': Poll, 'socket': Socket}


def voluntary_switches():
    """How often this process has waited."""
    with open('/proc/self/status', encoding='ascii') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('voluntary'))


def receive(way, path, results):
    """Waits and looks, and reports what it saw and what it cost."""
    waiter = WAYS[way](path)
    database = connect(path)
    database.execute('SELECT 1 FROM jobs').fetchall()
    results.put('ready')
    found, last, mark = False, 0, (0, 0, 0)
    while True:
        waiter.wait(found)
        rows = database.execute('SELECT id, kind FROM jobs WHERE id > ? AND kind != "other"'
                                ' ORDER BY id', (last,)).fetchall()
        now = time.monotonic()
        found = bool(rows)
        for last, kind in rows:
            if kind == 'job':
                results.put(now)
            elif kind == 'mark':
                mark = time.process_time(), voluntary_switches(), now
            else:
                seconds = now - mark[2]
                results.put((100 * (time.process_time() - mark[0]) / seconds,
                             (voluntary_switches() - mark[1]) / seconds))
            if kind == 'end':
                return


def measure(way, count, seconds):
    """Prints a line of the table."""
    with tempfile.TemporaryDirectory(prefix='amps-wakeup-', dir=FOLDER) as folder:
        path = os.path.join(folder, 'queue.db')
        database = connect(path)
        database.execute('CREATE TABLE jobs (id INTEGER PRIMARY KEY, kind)')
        results = multiprocessing.Queue()
        process = multiprocessing.Process(target=receive, args=(way, path, results), daemon=True)
        process.start()
        results.get()

        def commit(kind):
            database.execute('INSERT INTO jobs (kind) VALUES (?)', (kind,))
            committed = time.monotonic()
            WAYS[way].tell(path)
            return committed

        waits = []
        for number in range(count):
            time.sleep(0.2 + number % 7 * 0.01)
            committed = commit('job')
            waits.append(1000 * max(0, results.get() - committed))

        commit('mark')
        time.sleep(seconds)
        commit('pause')
        idle = results.get()
        commit('mark')
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            commit('other')
            time.sleep(0.005)
        commit('end')
        busy = results.get()
        process.join()

    waits.sort()
    print(f'| {way} | {statistics.median(waits):.1f} ms | {waits[int(len(waits) * 0.95)]:.1f} ms '
          f'| {idle[0]:.2f} %, {idle[1]:.1f}/s | {busy[0]:.1f} %, {busy[1]:.0f}/s |', flush=True)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--count', type=int, default=40, help='jobs whose way is measured')
    parser.add_argument('--seconds', type=float, default=10, help='of idling, and of noise')
    parser.add_argument('--folder', help='on the disk that counts')
    options = parser.parse_args()
    FOLDER = options.folder
    print('| way | seen after: median | 95 % | idle: CPU, wake-ups | with the noise of others |\n'
          '|---|---|---|---|---|')
    for name in WAYS:
        measure(name, options.count, options.seconds)
