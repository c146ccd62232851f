# SPDX-License-Identifier: MIT
"""What was published, POSTed and acknowledged, and what must never be seen in it."""

import collections
import threading
import time


class Ledger:
    """Judges each event as it comes. Safe to use from many threads."""

    def __init__(self, job_timeout):
        self._lock = threading.Lock()
        self._job_timeout = job_timeout
        self._published = {}        # id -> how often it may be in the queue
        self._acknowledged = set()  # ids
        self._attempts = {}         # (worker, id) -> attempt of its latest POST
        self._by_worker = {}        # (worker, id) -> attempt that was acknowledged with 2xx
        self._open = {}             # (worker, id) -> when the accepted run ends by itself
        self.violations = []
        self.counts = collections.Counter()

    def published(self, identifier, confirmed):
        """Notes a publication; one that was not confirmed may have happened."""
        with self._lock:
            self._published.setdefault(identifier, 0)
            self._published[identifier] += 1
            self.counts['published' if confirmed else 'unconfirmed'] += 1

    def posted(self, worker, identifier, attempt):
        """Notes a POST, and judges whether it may be."""
        now = time.monotonic()
        with self._lock:
            self.counts['posted'] += 1
            self.counts['posted again'] += attempt > 1
            self._attempts[worker, identifier] = attempt
            if self._published.get(identifier, 1) > 1:
                return
            # A later attempt is a copy that another replica made of a redelivery which
            # failed there: it has to run.
            if attempt <= self._by_worker.get((worker, identifier), 0):
                self._accuse(f'{identifier} POSTed by {worker} after its acknowledgement got 2xx')
            elif self._open.get((worker, identifier), 0) > now:
                self._accuse(f'{identifier} POSTed by {worker} while it runs there')

    def accepted(self, worker, identifier):
        """Notes that the workload took the job."""
        with self._lock:
            self._open[worker, identifier] = time.monotonic() + self._job_timeout - 0.2

    def failed(self, worker, identifier):
        """Notes that a run has ended in a way that allows another one."""
        with self._lock:
            self._open.pop((worker, identifier), None)

    def acknowledged(self, worker, identifier, status):
        """Notes the answer to an acknowledgement."""
        with self._lock:
            self.counts[f'acknowledgement {status}'] += 1
            self._open.pop((worker, identifier), None)
            if 200 <= status < 300:
                self._by_worker[worker, identifier] = self._attempts[worker, identifier]
                self._acknowledged.add(identifier)

    def remaining(self):
        """How many jobs nobody has acknowledged yet."""
        with self._lock:
            return len(self._published.keys() - self._acknowledged)

    def lost(self):
        """The jobs that nobody has acknowledged."""
        with self._lock:
            return sorted(self._published.keys() - self._acknowledged)

    def _accuse(self, what):
        self.violations.append(what)
