# SPDX-License-Identifier: MIT
"""What was published, POSTed and acknowledged, and what must never be seen in it."""

import collections
import dataclasses
import threading
import time


@dataclasses.dataclass(eq=False, slots=True)
class Run:
    """The latest POST of a job by one worker, a worker being one life of one AMPS."""

    number: int                # of the POST, counting all
    accepted: float = 0.0      # when; 0 if it is over, or was never accepted
    acknowledged: bool = False  # with 2xx


def wait_until_none(left, patience, pause=0.5):
    """Returns what left() tells once that is empty, or has not become fewer for @patience
    seconds: how long a rush lasts is the machine's affair."""
    fewest, end = None, 0.0
    while still := left():
        if fewest is None or len(still) < fewest:
            fewest, end = len(still), time.monotonic() + patience
        elif time.monotonic() > end:
            break
        time.sleep(pause)
    return still


class Ledger:
    """Judges each event as it comes. Safe to use from many threads."""

    def __init__(self, job_timeout):
        self._lock = threading.Lock()
        self._job_timeout = job_timeout
        self._published = collections.Counter()  # id -> how often it may be in the queue
        self._missing = set()                    # ids that nobody has acknowledged
        self._runs = {}                          # id -> {worker: Run}
        self._accepted = set()                   # runs
        self._unanswered = {}                    # id -> worker that was told it is done
        self._killed = set()                     # workers
        self._n_posts = 0
        self.violations = []
        self.counts = collections.Counter()

    def publishing(self, identifier):
        """Notes that it is published now: from here on it may be in the queue."""
        with self._lock:
            self._published[identifier] += 1
            if self._published[identifier] == 1:
                self._missing.add(identifier)
            self.counts['published'] += 1
            self.counts['published again'] += self._published[identifier] > 1

    def posted(self, worker, identifier, attempt):
        """Notes a POST, and judges whether it may be."""
        now = time.monotonic()
        with self._lock:
            self._n_posts += 1
            self.counts['posted'] += 1
            self.counts['posted as a later attempt'] += attempt > 1
            runs = self._runs.setdefault(identifier, {})
            run = runs.get(worker)
            if run is not None:
                what = (f'{identifier}, published {self._published[identifier]} times, '
                        f'attempt {attempt}, POSTed by {worker}')
                self._judge(what, identifier, run, now)
            runs[worker] = Run(self._n_posts)

    def _judge(self, what, identifier, run, now):
        if run.accepted and now < run.accepted + self._job_timeout - 0.2:
            self._accuse(f'{what} while it runs there')
        if not run.acknowledged or self._published[identifier] > 1:
            return
        # It has to run if another replica got the redelivery and gave it back, or has made a
        # copy of its own that got there before it could settle the original, which came here.
        if any(other.number > run.number or other is not run and not other.acknowledged
               for other in self._runs[identifier].values()):
            self.counts['posted after another replica'] += 1
        else:
            self._accuse(f'{what} after its acknowledgement got 2xx')

    def accepted(self, worker, identifier):
        """Notes that the workload takes the job: until its end it must not come again."""
        with self._lock:
            run = self._runs[identifier][worker]
            run.accepted = time.monotonic()
            self._accepted.add(run)

    def failed(self, worker, identifier):
        """Notes that a run has ended in a way that allows another one."""
        with self._lock:
            self._end(self._runs[identifier][worker])

    def _end(self, run):
        run.accepted = 0.0
        self._accepted.discard(run)

    def crashed(self):
        """Notes that the workload has forgotten all jobs: they may come again."""
        with self._lock:
            for run in list(self._accepted):
                self._end(run)

    def acknowledging(self, worker, identifier):
        """Notes that a run is acknowledged now. It may be over before the answer is noted,
        and what was published twice may come again."""
        with self._lock:
            self._end(self._runs[identifier][worker])

    def acknowledged(self, worker, identifier, status):
        """Notes the answer to an acknowledgement."""
        with self._lock:
            run = self._runs[identifier][worker]
            self.counts[f'acknowledgement {status}'] += 1
            if 200 <= status < 300:
                run.acknowledged = True
                self._missing.discard(identifier)

    def unanswered(self, worker, identifier):
        """Notes an acknowledgement that got no answer."""
        with self._lock:
            self.counts['acknowledgement without answer'] += 1
            self._unanswered[identifier] = worker

    def killed(self, worker):
        """Notes that a worker is killed now."""
        with self._lock:
            self._killed.add(worker)

    def lost(self):
        """The jobs that nobody has acknowledged yet; lost, if that stays so.

        A worker that is killed just when it is told may have told the broker, but not have
        answered any more: that job is done, not lost."""
        with self._lock:
            return sorted(identifier for identifier in self._missing
                          if self._unanswered.get(identifier) not in self._killed)

    def tell(self, identifier):
        """What is known of a job, for a person who looks for it in the logs."""
        with self._lock:
            runs = [f'{worker}: {run}' for worker, run in self._runs.get(identifier, {}).items()]
            return '\n'.join([
                f'{identifier}, published {self._published[identifier]} times, last '
                f'acknowledgement without an answer by {self._unanswered.get(identifier)}', *runs])

    def _accuse(self, what):
        self.violations.append(f'{what} at {time.strftime("%X")}')
